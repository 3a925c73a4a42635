import { startHost } from './host.ts';
import { HostError, messageOf } from './host-error.ts';
import { escapeControls } from './log.ts';
import { runOnce } from './once.ts';
import { HELP, parseOptions } from './options.ts';
import { hostKey } from './settings/host-key.ts';

/** Prints an error for the person who started the host. Keeps the line breaks of the message. */
function explain(error: unknown): void {
  const lines = error instanceof HostError ? error.message.split('\n') : [`Unexpected error: ${messageOf(error)}`];
  process.stderr.write(`${lines.map(escapeControls).join('\n')}\n`);
}

function exitWith(error: unknown): void {
  explain(error);
  process.exit(error instanceof HostError ? error.exitCode : 1);
}

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
  const host = await startHost(options, exitWith);
  process.stdout.write(`ready ${host.url}\n`);
  const exitCode = options.once
    ? await runOnce(host.url, { ...options.once, key: hostKey() }, firstSignal.signal)
    : await aborted(firstSignal.signal);
  await host.stop(secondSignal.signal);
  // Connections and telemetry that the app has left open must not keep the process running.
  process.exit(exitCode);
}

function aborted(signal: AbortSignal): Promise<0> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(0);
    else signal.addEventListener('abort', () => resolve(0), { once: true });
  });
}

main().catch(exitWith);
