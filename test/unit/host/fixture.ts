import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import { type HostOptions, type HostProcess, startHost } from '../../support/app/host-process.ts';

const APP = fileURLToPath(new URL('../../support/app/fixture-app', import.meta.url));
const cleanUps: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-test-'));
  cleanUps.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface Status {
  runtimeStatus: string;
  output: unknown;
  customStatus: unknown;
  input: unknown;
  error?: string;
}

/** A running host with the fixture app in a directory of its own. */
export class Fixture {
  readonly directory: string;
  readonly host: HostProcess;

  private constructor(directory: string, host: HostProcess) {
    this.directory = directory;
    this.host = host;
  }

  static async start(options: HostOptions = {}, directory = temporaryDirectory()): Promise<Fixture> {
    const host = await startHost({
      cwd: directory,
      dataDir: join(directory, 'data'),
      ...options,
      args: ['--app', APP, ...(options.args ?? [])],
      env: {
        NIGHTLY: '0 0 0 1 1 *',
        STRONGROOM_KEY: undefined,
        EFFECTS_FILE: join(directory, 'effects'),
        ...options.env,
      },
    });
    cleanUps.push(() => host.kill());
    return new Fixture(directory, host);
  }

  /** Starts the same app on the same data after this host has ended. */
  restart(options: HostOptions = {}): Promise<Fixture> {
    return Fixture.start(options, this.directory);
  }

  /** The lines that the functions of the app have written, in order. */
  effects(start = ''): string[] {
    const file = join(this.directory, 'effects');
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && line.startsWith(start));
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(this.host.url + path, init);
  }

  async post(path: string, body?: unknown): Promise<Response> {
    return this.fetch(path, { method: 'POST', ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  }

  async begin(name: string, input: unknown, id = ''): Promise<string> {
    const response = await this.post(`/api/start/${name}?id=${id}`, input);
    const { id: given, error } = (await response.json()) as { id?: string; error?: string };
    if (given === undefined) throw new Error(error);
    return given;
  }

  async status(id: string): Promise<Status> {
    return (await (await this.fetch(`/api/instances/${id}`)).json()) as Status;
  }

  async ended(id: string, timeout = 15_000): Promise<Status> {
    const finals = ['Completed', 'Failed', 'Terminated'];
    return until(
      `instance ${id} to end`,
      async () => {
        const status = await this.status(id);
        return finals.includes(status.runtimeStatus) ? status : undefined;
      },
      timeout,
    );
  }

  /** Runs an orchestration to its end and returns its output. */
  async run(name: string, input: unknown): Promise<unknown> {
    const { runtimeStatus, output } = await this.ended(await this.begin(name, input));
    return runtimeStatus === 'Completed' ? output : `${runtimeStatus}: ${output}`;
  }
}

export async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  timeout = 10_000,
): Promise<T> {
  for (const deadline = Date.now() + timeout; ; await sleep(20)) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not seen within ${timeout / 1000} s.`);
  }
}
