import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isAlive, readOwner } from '../data/process-identity.ts';
import { EXIT } from '../exit-codes.ts';
import { HostError } from '../host-error.ts';

export interface AzuriteAccount {
  name: string;
  /** Base64, in the form of Azure's keys; see `newAccountKey`. */
  key: string;
}

export interface AzuriteOptions {
  accounts: AzuriteAccount[];
  /** Directory of its data. Absent: Azurite keeps the data in memory. */
  location?: string;
  /** Ports to try first. By default, and if one of them is in use, Azurite takes any free ports. */
  blobPort?: number;
  queuePort?: number;
  tablePort?: number;
}

export interface Azurite {
  connectionString(account: string): string;
  readonly blobPort: number;
  readonly queuePort: number;
  readonly tablePort: number;
  /** Saves its data and stops. */
  stop(): Promise<void>;
  /** Calls the listener if Azurite exits without `stop`. */
  onUnexpectedExit(listener: (reason: string) => void): void;
}

const START_TIMEOUT = 60_000;
const STOP_TIMEOUT = 15_000;
const SERVICES = ['Blob', 'Queue', 'Table'] as const;
type Ports = Record<(typeof SERVICES)[number], number>;

export function newAccountKey(): string {
  return randomBytes(64).toString('base64');
}

/** Starts an Azurite on loopback. It ends with this process, even if this process is killed. */
export async function startAzurite(options: AzuriteOptions): Promise<Azurite> {
  if (options.location !== undefined) {
    mkdirSync(options.location, { recursive: true });
    await waitForPreviousOwner(join(options.location, OWNER_FILE));
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

/** An Azurite whose host was killed may still be saving its data. Two of them on one directory would damage it. */
async function waitForPreviousOwner(ownerFile: string): Promise<void> {
  for (const deadline = Date.now() + STOP_TIMEOUT; ; await sleep(50)) {
    const owner = readOwner(ownerFile);
    if (owner === undefined || owner.pid === process.pid || !isAlive(owner)) return;
    if (Date.now() > deadline) {
      throw new HostError(
        `An Azurite (process ${owner.pid}) is still using this data. Stop it. If that process is not an Azurite, ` +
          `delete ${ownerFile}.`,
      );
    }
  }
}

interface Launched {
  child: ChildProcess;
  ports: Ports;
}

function launch(options: AzuriteOptions, ports: Ports): Promise<Launched | { output: string }> {
  return untilListening(spawnAzurite(options, ports));
}

function spawnAzurite({ location, accounts }: AzuriteOptions, ports: Ports): ChildProcess {
  const args = [
    ...SERVICES.flatMap((service) => [`--${service.toLowerCase()}Port`, String(ports[service])]),
    ...['--skipApiVersionCheck', '--disableTelemetry', '--silent', '--loose'],
    ...(location === undefined ? ['--inMemoryPersistence'] : ['--location', location]),
  ];
  return spawn(process.execPath, [fileURLToPath(new URL('azurite-process.ts', import.meta.url)), ...args], {
    // A writable directory: Azurite uses its working directory even if it keeps its data in memory.
    cwd: location ?? tmpdir(),
    env: {
      ...withoutProxyForLoopback(process.env),
      AZURITE_ACCOUNTS: accounts.map(({ name, key }) => `${name}:${key}`).join(';'),
      AZURITE_OWNER_FILE: location === undefined ? '' : join(location, OWNER_FILE),
      NODE_OPTIONS: '',
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // In a process group of its own: Ctrl-C in the terminal must stop the host first, then Azurite.
    detached: true,
    windowsHide: true,
  });
}

/** Waits until the process listens on all ports. Returns its output if it exits first. */
function untilListening(child: ChildProcess): Promise<Launched | { output: string }> {
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
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const ports = portsIn(output);
      if (ports === undefined) return;
      clearTimeout(timer);
      child.off('exit', ended);
      child.stdout?.off('data', read).resume();
      resolve({ child, ports });
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', (chunk: Buffer) => {
      if (output.length < 10_000) output += chunk.toString();
    });
  });
}

/** The ports that Azurite says it has bound. So the process that answers there is ours. */
function portsIn(output: string): Ports | undefined {
  const ports = SERVICES.map((service) => {
    const line = new RegExp(`Azurite ${service} service is successfully listening at http://[^\\s]+:(\\d+)`);
    return line.exec(output)?.[1];
  });
  if (ports.some((port) => port === undefined)) return undefined;
  const [Blob, Queue, Table] = ports.map(Number) as [number, number, number];
  return { Blob, Queue, Table };
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
        throw new Error(`Azurite was started without an account "${account}". It has ${[...keys.keys()].join(', ')}.`);
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
        if (!stopping) listener(`the embedded Azurite exited unexpectedly (${signal ?? `exit code ${code}`})`);
      });
    },
  };
}

function startFailure(output: string): HostError {
  const lines = output.trim().split('\n');
  const code = /\b(?:ENOSPC|EDQUOT|EFBIG|EROFS)\b/.test(output) ? EXIT.disk : EXIT.unexpected;
  return new HostError(`The embedded Azurite did not start:\n  ${lines.slice(-8).join('\n  ')}`, code);
}

/** Azurite reads copy sources from itself over HTTP. These requests must not go through a proxy. */
export function withoutProxyForLoopback(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const hosts = [env.NO_PROXY ?? env.no_proxy, '127.0.0.1', 'localhost'].filter(Boolean).join(',');
  return { ...env, NO_PROXY: hosts, no_proxy: hosts };
}
