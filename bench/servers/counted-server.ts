import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { RequestCounts } from './request-counter.ts';

export interface CountedServerOptions {
  /** The module of the process. It must call `countRequests` and print its addresses. */
  entry: URL;
  args?: string[];
  env?: Record<string, string>;
  accounts: { name: string; key: string }[];
}

/** A storage server in a process of its own, which counts requests. */
export interface CountedServer {
  connectionString(account: string): string;
  blobEndpoint(account: string): string;
  tableEndpoint(account: string): string;
  key(account: string): string;
  /** The requests since the last call. */
  takeCounts(): Promise<RequestCounts>;
  stop(): Promise<void>;
}

const START_TIMEOUT = 60_000;

export async function startCountedServer(options: CountedServerOptions): Promise<CountedServer> {
  const child = spawn(process.execPath, [fileURLToPath(options.entry), ...(options.args ?? [])], {
    cwd: tmpdir(),
    env: { ...process.env, NODE_OPTIONS: '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    windowsHide: true,
  });
  const ports = await listening(child);
  const keys = new Map(options.accounts.map(({ name, key }) => [name, key]));
  const keyOf = (account: string) => {
    const key = keys.get(account);
    if (key === undefined) throw new Error(`There is no account "${account}" here.`);
    return key;
  };
  const endpoint = (port: number, account: string) => `http://127.0.0.1:${port}/${account}`;
  return {
    key: keyOf,
    blobEndpoint: (account) => endpoint(ports.Blob, account),
    tableEndpoint: (account) => endpoint(ports.Table, account),
    connectionString: (account) =>
      [
        `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${keyOf(account)}`,
        `BlobEndpoint=${endpoint(ports.Blob, account)}`,
        `QueueEndpoint=${endpoint(ports.Queue, account)}`,
        `TableEndpoint=${endpoint(ports.Table, account)};`,
      ].join(';'),
    async takeCounts() {
      const answered = once(child, 'message');
      child.send('counts');
      const [counts] = await answered;
      return counts as RequestCounts;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      // All data is in memory: there is nothing to save.
      child.kill('SIGKILL');
      await exited;
    },
  };
}

const SERVICES = ['Blob', 'Queue', 'Table'] as const;

function listening(child: ChildProcess): Promise<Record<(typeof SERVICES)[number], number>> {
  return new Promise((resolve, reject) => {
    let output = '';
    const failed = (why: string) => reject(new Error(`The storage server did not start: ${why}\n${output}`));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      failed(`nothing within ${START_TIMEOUT / 1000} s`);
    }, START_TIMEOUT);
    const ended = (code: number | null) => {
      clearTimeout(timer);
      failed(`exit code ${code}`);
    };
    child.once('exit', ended);
    child.once('error', (error) => failed(error.message));
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const [Blob, Queue, Table] = SERVICES.map((name) =>
        Number(new RegExp(`${name} service is successfully listening at http://[^\\s]+:(\\d+)`).exec(output)?.[1]),
      );
      if (!Blob || !Table || Queue === undefined) return;
      clearTimeout(timer);
      child.off('exit', ended);
      child.stdout?.off('data', read).resume();
      resolve({ Blob, Queue, Table });
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', (chunk: Buffer) => {
      if (output.length < 10_000) output += chunk.toString();
    });
  });
}
