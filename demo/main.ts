import prettyMilliseconds from 'pretty-ms';
import { DemoError } from './demo-error.ts';
import { HELP, type Options, parseOptions } from './options.ts';
import { count, heading, lastWords, say } from './screen.ts';
import { Stage } from './stage.ts';
import { tell } from './story.ts';

const SHOWN_DIFFERENCES = 30;
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

async function main(): Promise<number> {
  const options = optionsOrExit();
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const startedAt = Date.now();
  const stage = new Stage();
  const stopped = new Promise<number>((resolve) => {
    for (const [name, code] of Object.entries(SIGNALS)) {
      // A second one does not wait for anything to end in order.
      process.once(name, () => {
        process.once(name, () => process.exit(code));
        resolve(code);
      });
    }
  });
  try {
    const ended = await Promise.race([tell(stage, options), stage.broken, stopped]);
    if (typeof ended === 'number') {
      lastWords('Stopped. Cleaning up …');
      return ended;
    }
    return conclude(ended, options, Date.now() - startedAt);
  } catch (error) {
    heading('The demo could not be finished.');
    for (const line of messageOf(error).split('\n')) say(line);
    return 1;
  } finally {
    await stage.close();
  }
}

function optionsOrExit(): Options {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(2);
  }
}

function conclude(differences: string[], { sabotage }: Options, took: number): number {
  if (differences.length === 0) {
    heading(`All is as it has to be. (${prettyMilliseconds(took, { secondsDecimalDigits: 0 })})`);
    say('Next:  npm start      runs the app on this machine, for the jobs in strongroom.json');
    say('       README.md      from here to a backup of your own account');
    return 0;
  }
  heading(`${count(differences.length)} ${differences.length === 1 ? 'thing is' : 'things are'} not as expected:`);
  for (const difference of differences.slice(0, SHOWN_DIFFERENCES)) say(difference);
  if (differences.length > SHOWN_DIFFERENCES) say(`… and ${count(differences.length - SHOWN_DIFFERENCES)} more`);
  if (sabotage) say('That is what --sabotage is for.');
  return 1;
}

/** In words, without a stack trace. Errors of the Azure SDK say what they are in `code`. */
function messageOf(error: unknown): string {
  if (error instanceof DemoError) return error.message;
  const { code, message } = error as { code?: string; message?: string };
  return [code, message ?? String(error)].filter(Boolean).join(': ').split('\n')[0]!;
}

process.exit(await main());
