import { diskError, isDiskFailure } from './data/disk-error.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { type Host, startHost } from './host.ts';
import { HostError, messageOf } from './host-error.ts';
import { escapeControls } from './log.ts';
import { runOnce } from './once/run-once.ts';
import { HELP, type Options, parseOptions } from './options.ts';
import { hostKey } from './settings/host-key.ts';

/** Prints an error for the person who started the host, and returns its exit code. Keeps the line breaks. */
function explain(error: unknown): ExitCode {
  const expected = expectedIn(error);
  const lines = expected?.message.split('\n') ?? [`Unexpected error: ${messageOf(error)}`];
  process.stderr.write(`${lines.map(escapeControls).join('\n')}\n`);
  return expected?.exitCode ?? EXIT.unexpected;
}

function expectedIn(error: unknown): HostError | undefined {
  if (error instanceof HostError) return error;
  if (!isDiskFailure(error)) return undefined;
  const { path } = error as NodeJS.ErrnoException;
  return diskError(path === undefined ? 'A file operation failed' : `Cannot use ${path}`, error);
}

function exitWith(error: unknown): void {
  process.exit(explain(error));
}

/** Milliseconds after a signal. Ten seconds after the first, containers kill a process. */
const SECOND_SIGNAL = 8_000;

process.on('uncaughtException', exitWith);
process.on('unhandledRejection', exitWith);

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2), process.cwd());
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  const firstSignal = new AbortController();
  const secondSignal = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => (firstSignal.signal.aborted ? secondSignal : firstSignal).abort(name));
  }
  firstSignal.signal.addEventListener('abort', () => setTimeout(() => secondSignal.abort(), SECOND_SIGNAL).unref());
  const host = await startHost(options, exitWith, firstSignal.signal);
  process.stdout.write(`ready ${host.url}\n`);
  if (host.hasPage && !options.once) process.stdout.write(`Open ${host.url}/ in a browser to see it.\n`);
  const exitCode = await work(host, options, firstSignal.signal);
  await host.stop(secondSignal.signal);
  // Connections and telemetry that the app has left open must not keep the process running.
  process.exit(exitCode);
}

/** What the process is for: one run, or to serve until a signal comes. */
function work(host: Host, { once }: Options, signal: AbortSignal): Promise<ExitCode> {
  return once ? runOnce(host, { ...once, key: hostKey() }, signal).catch(explain) : aborted(signal);
}

function aborted(signal: AbortSignal): Promise<ExitCode> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(EXIT.done);
    else signal.addEventListener('abort', () => resolve(EXIT.done), { once: true });
  });
}

main().catch(exitWith);
