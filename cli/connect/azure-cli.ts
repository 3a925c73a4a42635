import { execFile } from 'node:child_process';
import { EXIT } from '../../host/exit-codes.ts';
import { CliError, UsageError } from '../cli-error.ts';
import { visible } from '../print/visible.ts';
import type { World } from '../world.ts';

/** Milliseconds until the Azure CLI has answered. */
const PATIENCE = 60_000;

/** What the Azure CLI prints for these arguments, such as a key or a token, which stays in memory. */
export async function azureCli(args: readonly string[], world: World): Promise<string> {
  const isWindows = world.platform === 'win32';
  // On Windows, az is a script that only a shell runs. Nothing in the arguments means anything to a shell, and no value
  // of an option is another option.
  const unsafe = args.find(
    (argument, index) =>
      !/^[\w.:/()-]+$/.test(argument) || (argument.startsWith('-') && args[index - 1]?.startsWith('-')),
  );
  if (unsafe !== undefined)
    throw new UsageError(`${JSON.stringify(unsafe)} is no name that the Azure CLI can be given.`);
  const what = `az ${args.slice(0, 3).join(' ')}`;
  const options = {
    // Otherwise a shell of Windows takes an az of this folder before the one that is installed.
    env: { ...world.env, NoDefaultCurrentDirectoryInExePath: '1' } as NodeJS.ProcessEnv,
    ...{ shell: isWindows, timeout: PATIENCE, signal: world.interrupted, windowsHide: true },
  };
  return new Promise((resolve, reject) => {
    execFile('az', [...args], options, (error, stdout, stderr) => {
      const secret = stdout.trim();
      if (!error && /^[\x21-\x7e]+$/.test(secret)) return resolve(secret);
      if (world.interrupted.aborted) return reject(world.interrupted.reason);
      reject(new CliError(whyNot(what, error, stderr), EXIT.notAllowed));
    }).stdin?.end();
  });
}

function whyNot(
  what: string,
  error: (Error & { code?: unknown; killed?: boolean | undefined }) | null,
  stderr: string,
): string {
  const isAbsent = error?.code === 'ENOENT' || error?.code === 127;
  if (isAbsent) {
    return (
      `${what} gets the key, and the Azure CLI (az) is not installed. Install it and run az login, or give the key ` +
      'in a file: --key-file FILE.'
    );
  }
  if (error?.killed) return `${what} does not answer within ${PATIENCE / 1000} s. See what it does when you run it.`;
  const last = visible(stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? '');
  const reason = last || (error ? 'it ended without a message' : 'its answer is empty');
  return `${what} does not work: ${reason}\nRun az login, choose the subscription with az account set, and try again.`;
}
