import prettyMilliseconds from 'pretty-ms';
import { DemoError } from './demo-error.ts';
import { HELP, type Options, parseOptions } from './options.ts';
import { count, heading, lastWords, say } from './screen.ts';
import { Stage } from './stage.ts';
import { play } from './story.ts';

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
      // A second signal ends the process at once.
      process.once(name, () => {
        process.once(name, () => process.exit(code));
        resolve(code);
      });
    }
  });
  try {
    const ended = await Promise.race([play(stage, options), stage.broken, stopped]);
    if (typeof ended === 'number') {
      lastWords('Stopped. Cleaning up …');
      return ended;
    }
    const code = conclude(ended, options, Date.now() - startedAt);
    // A person may want to look around. Nothing else waits.
    if (code === 0 && process.stdout.isTTY) {
      say(`Look:  ${stage.url}/      shows all of it in a browser, until you press Ctrl-C`);
      await Promise.race([stage.broken, stopped]);
      lastWords('Cleaning up …');
    }
    return code;
  } catch (error) {
    heading('The demo failed.');
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
    heading(`Everything is as it should be. (${prettyMilliseconds(took, { secondsDecimalDigits: 0 })})`);
    say('Next:  npm start      runs the app on this machine with the jobs in strongroom.json');
    say('       README.md      describes how to back up your own account');
    return 0;
  }
  heading(`${count(differences.length)} ${differences.length === 1 ? 'difference' : 'differences'}:`);
  for (const difference of differences.slice(0, SHOWN_DIFFERENCES)) say(difference);
  if (differences.length > SHOWN_DIFFERENCES) say(`… and ${count(differences.length - SHOWN_DIFFERENCES)} more`);
  if (sabotage) say('This is what --sabotage must show: the comparison notices damage.');
  return 1;
}

/** The message without a stack trace. Errors of the Azure SDK have their kind in `code`. */
function messageOf(error: unknown): string {
  if (error instanceof DemoError) return error.message;
  const { code, message } = error as { code?: string; message?: string };
  return [code, message ?? String(error)].filter(Boolean).join(': ').split('\n')[0]!;
}

process.exit(await main());
