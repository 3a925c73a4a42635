import { type Host, startHost } from './host.ts';
import { HostError, messageOf } from './host-error.ts';
import { escapeControls } from './log.ts';
import { runOnce } from './once.ts';
import { HELP, parseOptions } from './options.ts';

/** A message for people, as it is: its line breaks are meant. */
function explain(error: unknown): void {
  const lines = error instanceof HostError ? error.message.split('\n') : [`Unexpected: ${messageOf(error)}`];
  process.stderr.write(`${lines.map(escapeControls).join('\n')}\n`);
}

function exitCodeOf(error: unknown): number {
  return error instanceof HostError ? error.exitCode : 1;
}

function abandon(error: unknown): void {
  explain(error);
  process.exit(exitCodeOf(error));
}

process.on('uncaughtException', abandon);
process.on('unhandledRejection', abandon);

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2), process.cwd());
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  const signalled = new AbortController();
  const hurry = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => (signalled.signal.aborted ? hurry : signalled).abort(name));
  }
  const host: Host = await startHost(options, abandon);
  process.stdout.write(`ready ${host.url}\n`);
  const exitCode = options.once
    ? await runOnce(host.url, { ...options.once, key: process.env.STRONGROOM_KEY }, signalled.signal)
    : await aborted(signalled.signal);
  await host.stop(hurry.signal);
  // Whatever the app left open (connections, telemetry) must not keep the process.
  process.exit(exitCode);
}

function aborted(signal: AbortSignal): Promise<0> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(0);
    else signal.addEventListener('abort', () => resolve(0), { once: true });
  });
}

main().catch(abandon);
