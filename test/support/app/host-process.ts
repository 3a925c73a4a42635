import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostBundle } from './host-bundle.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export interface HostOptions {
  /** Working directory: where the host looks for `local.settings.json` and `strongroom.json`. */
  cwd?: string;
  /** More command line arguments. */
  args?: string[];
  /** Added to this process's environment; `undefined` removes a variable. */
  env?: Record<string, string | undefined>;
  /** A new temporary directory by default. `stop` and `kill` leave it for the next start. */
  dataDir?: string;
  /** The file that Node runs: by default the host in one file. */
  entry?: string;
  /** How long to wait for the ready line. */
  timeout?: number;
}

export interface HostProcess {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly dataDir: string;
  readonly pid: number;
  /** All that it has printed, on both streams. */
  output(): string;
  /** Waits until the output matches, the host ends, or the time is over. Returns whether the output matches. */
  printed(pattern: RegExp, milliseconds: number): Promise<boolean>;
  /** Sends a signal, by default SIGKILL, and waits for its end. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** SIGTERM, then the exit code. */
  stop(): Promise<number>;
}

/** A host that ended before it was ready, with its exit code and output. */
export class HostDidNotStart extends Error {
  readonly exitCode: number | null;
  readonly output: string;

  constructor(exitCode: number | null, output: string) {
    super(`The host ended with exit code ${exitCode} before it was ready:\n${output}`);
    this.exitCode = exitCode;
    this.output = output;
  }
}

const running = new Set<ChildProcess>();
const ownDirectories = new Set<string>();

/** An interrupted test run leaves no hosts behind. */
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const directory of ownDirectories) rmSync(directory, { recursive: true, force: true });
});

export async function startHost(options: HostOptions = {}): Promise<HostProcess> {
  let { dataDir } = options;
  if (dataDir === undefined) {
    dataDir = mkdtempSync(join(tmpdir(), 'strongroom-host-'));
    ownDirectories.add(dataDir);
  }
  const env = { ...process.env, ...options.env };
  // Variables of the test runner that must not reach the app.
  for (const name of ['NODE_OPTIONS', 'NODE_ENV', 'VITEST']) env[name] = options.env?.[name];
  const entry = options.entry ?? (await hostBundle());
  const { args: given = [] } = options;
  const args = [entry, ...(given.includes('--port') ? [] : ['--port', '0']), '--data', dataDir, ...given];
  const child = spawn(process.execPath, args, { cwd: options.cwd ?? root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  const printing = new EventEmitter().setMaxListeners(0);
  const exited = once(child, 'exit').then(([code]) => {
    running.delete(child);
    printing.emit('more');
    return code as number | null;
  });
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`The host was not ready within ${(options.timeout ?? 30_000) / 1000} s:\n${output}`));
    }, options.timeout ?? 30_000);
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      printing.emit('more');
      const ready = /^ready (http:\/\/\S+)$/m.exec(output)?.[1];
      if (ready === undefined) return;
      clearTimeout(timer);
      resolve(ready);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    // "close" comes after the last output, "exit" may come before it.
    child.once('close', (code) => {
      clearTimeout(timer);
      reject(new HostDidNotStart(code, output));
    });
  });
  return {
    url,
    dataDir,
    pid: child.pid ?? -1,
    output: () => output,
    async printed(pattern, milliseconds) {
      const timeout = AbortSignal.timeout(milliseconds);
      while (!pattern.test(output) && running.has(child)) {
        if (!(await once(printing, 'more', { signal: timeout }).catch(() => false))) break;
      }
      return pattern.test(output);
    },
    async kill(signal = 'SIGKILL') {
      child.kill(signal);
      await exited;
    },
    async stop() {
      child.kill('SIGTERM');
      return (await exited) ?? -1;
    },
  };
}
