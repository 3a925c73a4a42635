import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isAlive, readOwner } from '../data/process-identity.ts';
import { HostError } from '../host-error.ts';

export interface AzuriteAccount {
  name: string;
  /** Base64, as Azure gives them out: see `newAccountKey`. */
  key: string;
}

export interface AzuriteOptions {
  accounts: AzuriteAccount[];
  /** Directory of its data; in memory when absent. */
  location?: string;
  /** Ports to try first; any free ones when one of them is taken, and by default. */
  blobPort?: number;
  queuePort?: number;
  tablePort?: number;
}

export interface Azurite {
  connectionString(account: string): string;
  readonly blobPort: number;
  readonly queuePort: number;
  readonly tablePort: number;
  /** Saves and stops. */
  stop(): Promise<void>;
  /** Called when it ends without having been asked to. */
  onUnexpectedExit(listener: (reason: string) => void): void;
}

const START_TIMEOUT = 60_000;
const STOP_TIMEOUT = 15_000;
const SERVICES = ['Blob', 'Queue', 'Table'] as const;
type Ports = Record<(typeof SERVICES)[number], number>;

export function newAccountKey(): string {
  return randomBytes(64).toString('base64');
}

/** Starts an Azurite of our own on loopback; it ends with this process, however that ends. */
export async function startAzurite(options: AzuriteOptions): Promise<Azurite> {
  if (options.location !== undefined) {
    mkdirSync(options.location, { recursive: true });
    await predecessorGone(join(options.location, OWNER_FILE));
  }
  const wanted: Ports = { Blob: options.blobPort ?? 0, Queue: options.queuePort ?? 0, Table: options.tablePort ?? 0 };
  const first = await launch(options, wanted);
  if ('ports' in first) return handle(options, first);
  if (!first.output.includes('EADDRINUSE')) throw startFailure(first.output);
  const second = await launch(options, { Blob: 0, Queue: 0, Table: 0 });
  if ('ports' in second) return handle(options, second);
  throw startFailure(second.output);
}

const OWNER_FILE = 'azurite.pid';

/** An Azurite whose host was killed is still saving its data for a moment; two on one directory would spoil it. */
async function predecessorGone(ownerFile: string): Promise<void> {
  for (const deadline = Date.now() + STOP_TIMEOUT; ; await sleep(50)) {
    const owner = readOwner(ownerFile);
    if (owner === undefined || owner.pid === process.pid || !isAlive(owner)) return;
    if (Date.now() > deadline) {
      throw new HostError(
        `An Azurite (process ${owner.pid}) is still using this data. Stop it, or delete ${ownerFile} if that process is something else.`,
      );
    }
  }
}

interface Launched {
  child: ChildProcess;
  ports: Ports;
}

function launch(options: AzuriteOptions, ports: Ports): Promise<Launched | { output: string }> {
  const { location } = options;
  const args = [
    ...SERVICES.flatMap((service) => [`--${service.toLowerCase()}Port`, String(ports[service])]),
    ...['--skipApiVersionCheck', '--disableTelemetry', '--silent', '--loose'],
    ...(location === undefined ? ['--inMemoryPersistence'] : ['--location', location]),
  ];
  const child = spawn(process.execPath, [fileURLToPath(new URL('azurite-process.ts', import.meta.url)), ...args], {
    // Somewhere it may write, as it takes the working directory for its own when it keeps its data in memory.
    cwd: location ?? tmpdir(),
    env: {
      ...withoutProxyForLoopback(process.env),
      AZURITE_ACCOUNTS: options.accounts.map(({ name, key }) => `${name}:${key}`).join(';'),
      AZURITE_OWNER_FILE: location === undefined ? '' : join(location, OWNER_FILE),
      NODE_OPTIONS: '',
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Out of our process group: a Ctrl-C in the terminal must stop the host first, and Azurite after it.
    detached: true,
    windowsHide: true,
  });
  return new Promise((resolve) => {
    let output = '';
    const timer = setTimeout(() => {
      output += `\nIt did not start within ${START_TIMEOUT / 1000} s.`;
      child.kill('SIGKILL');
    }, START_TIMEOUT);
    const ended = () => {
      clearTimeout(timer);
      resolve({ output });
    };
    child.once('exit', ended);
    child.once('error', (error) => {
      output += error.message;
      ended();
    });
    // It prints the addresses it has bound itself, so what answers there is ours and nobody else's.
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const bound = SERVICES.map(
        (name) =>
          new RegExp(`Azurite ${name} service is successfully listening at http://[^\\s]+:(\\d+)`).exec(output)?.[1],
      );
      if (bound.some((port) => port === undefined)) return;
      clearTimeout(timer);
      child.off('exit', ended);
      child.stdout?.off('data', read).resume();
      const [Blob, Queue, Table] = bound.map(Number) as [number, number, number];
      resolve({ child, ports: { Blob, Queue, Table } });
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', (chunk: Buffer) => {
      if (output.length < 10_000) output += chunk.toString();
    });
  });
}

function handle(options: AzuriteOptions, { child, ports }: Launched): Azurite {
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const keys = new Map(options.accounts.map(({ name, key }) => [name, key]));
  let stopping = false;
  return {
    blobPort: ports.Blob,
    queuePort: ports.Queue,
    tablePort: ports.Table,
    connectionString(account) {
      const key = keys.get(account);
      if (key === undefined)
        throw new Error(`Azurite was started without an account "${account}"; it has ${[...keys.keys()].join(', ')}.`);
      const endpoints = SERVICES.map((service) => `${service}Endpoint=http://127.0.0.1:${ports[service]}/${account};`);
      return `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};${endpoints.join('')}`;
    },
    async stop() {
      stopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT);
      await exited;
      clearTimeout(timer);
    },
    onUnexpectedExit(listener) {
      child.once('exit', (code, signal) => {
        if (!stopping) listener(`the embedded Azurite ended by itself (${signal ?? `exit code ${code}`})`);
      });
    },
  };
}

function startFailure(output: string): HostError {
  const lines = output.trim().split('\n');
  return new HostError(`The embedded Azurite did not start:\n  ${lines.slice(-8).join('\n  ')}`, 1);
}

/** Azurite reads copy sources over HTTP from itself; a proxy set for the outside world must not stand in between. */
export function withoutProxyForLoopback(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const hosts = [env.NO_PROXY ?? env.no_proxy, '127.0.0.1', 'localhost'].filter(Boolean).join(',');
  return { ...env, NO_PROXY: hosts, no_proxy: hosts };
}
