import { homedir } from 'node:os';
import { EXIT } from '../host/exit-codes.ts';
import { run } from './run.ts';

const interrupt = new AbortController();
process.on('SIGINT', () => {
  // The second one does not wait for anything.
  if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
  interrupt.abort();
});
process.on('SIGTERM', () => process.exit(EXIT.terminated));
// What reads the output has seen enough of it, such as head. The command ends as it would have, with its own code.
process.stderr.on('error', () => {});
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`The output cannot be written: ${error.message}\n`);
  process.exit(error.code === 'ENOSPC' || error.code === 'EDQUOT' ? EXIT.disk : EXIT.unexpected);
});

// The process ends once everything is written: to exit at once would cut off what goes into a pipe.
process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  home: homedir(),
  platform: process.platform,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  interrupted: interrupt.signal,
  now: () => new Date(),
});
