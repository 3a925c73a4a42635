import { EXIT, type ExitCode } from '../host/exit-codes.ts';
import { UsageError } from './cli-error.ts';
import type { Command } from './command/command.ts';
import { helpText } from './command/help.ts';
import { Input } from './command/input.ts';
import { type Parsed, parseCommandLine } from './command/parse.ts';
import { COMMANDS } from './commands/index.ts';
import { completionOf } from './completion/complete.ts';
import { knownNames } from './completion/known-names.ts';
import { explain } from './explain.ts';
import { type Format, Output } from './print/output.ts';
import { Session } from './session.ts';
import type { World } from './world.ts';

declare const STRONGROOM_VERSION: string;

/** Milliseconds that a person waits for the names of a completion. */
const COMPLETION_PATIENCE = 900;

/** Runs one command line, and returns its exit code. Throws nothing. */
export async function run(argv: readonly string[], world: World): Promise<ExitCode> {
  if (argv[0] === '__complete') return complete(argv.slice(1), world);
  let parsed: Parsed;
  try {
    parsed = parseCommandLine(argv, COMMANDS);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return explain(error, sessionOf(new Input(new Map(), []), world));
  }
  if (parsed.kind === 'help') {
    world.stdout.write(helpText(parsed.of, COMMANDS));
    return EXIT.done;
  }
  if (parsed.kind === 'version') {
    world.stdout.write(`${STRONGROOM_VERSION}\n`);
    return EXIT.done;
  }
  return runCommand(parsed.command, parsed.input, world);
}

async function runCommand(command: Command, input: Input, world: World): Promise<ExitCode> {
  const session = sessionOf(input, world);
  try {
    return await command.run(session, input);
  } catch (error) {
    return explain(error, session);
  }
}

function sessionOf(input: Input, world: World): Session {
  const { stdout, stderr, env } = world;
  const hasColours = !input.has('no-color') && !env.NO_COLOR && env.TERM !== 'dumb';
  const formats = ['json', 'jsonl', 'quiet'] as const;
  const format: Format = formats.find((name) => input.has(name)) ?? 'text';
  return new Session(world, new Output({ stdout, stderr, format, hasColours, isUtc: input.has('utc') }), input);
}

/** `__complete [--next] -- WORDS`: what fits the last word, or with --next, a new one after it. Prints no errors. */
async function complete(args: readonly string[], world: World): Promise<ExitCode> {
  const begin = args.indexOf('--');
  const words = [...args.slice(begin + 1), ...(args.slice(0, begin).includes('--next') ? [''] : [])];
  const current = words.at(-1)?.replace(/^--[\w-]+=/, '') ?? '';
  const completion = completionOf(words, COMMANDS);
  const candidates =
    'candidates' in completion
      ? completion.candidates
      : (await namesFor(words, completion.names, world)).map((value) => ({ value, about: completion.names }));
  for (const { value, about } of candidates) {
    if (value.startsWith(current === '=' ? '' : current)) world.stdout.write(`${value}\t${about}\n`);
  }
  return EXIT.done;
}

async function namesFor(words: readonly string[], kind: Parameters<typeof knownNames>[1], world: World) {
  const interrupted = AbortSignal.any([world.interrupted, AbortSignal.timeout(COMPLETION_PATIENCE)]);
  const options = new Map(
    ['url', 'context', 'key-file'].flatMap((name) => {
      const value = words[words.indexOf(`--${name}`) + 1];
      return words.includes(`--${name}`) && value ? [[name, value] as const] : [];
    }),
  );
  try {
    return await knownNames(sessionOf(new Input(options, []), { ...world, interrupted }), kind);
  } catch {
    return [];
  }
}
