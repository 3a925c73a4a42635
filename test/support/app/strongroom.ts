import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RunReport } from '#domain/run/run.ts';
import { expectAsContracted } from './contract.ts';
import { type HostProcess, startHost } from './host-process.ts';

export interface StrongroomOptions {
  /** Connection strings. */
  source: string;
  vault: string;
  /** Changes to the job `nightly`: SOURCE "*" to VAULT "{container}backup", without a schedule. */
  job?: object;
  /** Instead of that one job. */
  jobs?: object[];
  /** Other options than the jobs. */
  more?: object;
  limits?: object;
  env?: Record<string, string | undefined>;
  dataDir?: string;
  /** Executes every activity twice, and answers with one of the results; see `rough-app`. */
  twice?: string;
  /** Starts the `rough-app` with these settings. */
  rough?: Record<string, string>;
  /** The key that calls send, for an app that checks keys of its own. */
  key?: string;
}

const ROUGH_APP = fileURLToPath(new URL('rough-app', import.meta.url));

export interface Answer {
  status: number;
  body: Record<string, never> & { id: string; code: string; [key: string]: unknown };
  headers: Headers;
}

/** The real app in the real host. Tests call it over HTTP, as a user does. */
export class Strongroom {
  readonly host: HostProcess;
  readonly #headers: Record<string, string>;

  constructor(host: HostProcess, key?: string) {
    this.host = host;
    this.#headers = key === undefined ? {} : { 'x-functions-key': key };
  }

  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(this.host.url + path, {
      method,
      headers: this.#headers,
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    expectReady(text);
    const answer = text === '' ? {} : JSON.parse(text);
    // Without its key, the host says nothing.
    if (text !== '' || response.status !== 401) expectAsContracted(method, path, response.status, answer);
    return { status: response.status, body: answer, headers: response.headers };
  }

  /** Sends a request that starts a run of any mode, and returns the run's id. */
  async begin(path: string, body: object = {}): Promise<string> {
    const answer = await this.call('POST', path, body);
    if (answer.status !== 202) throw new Error(`Not started: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body.id;
  }

  /** Starts a backup and returns its id. */
  start(body: object = {}, job = 'nightly'): Promise<string> {
    return this.begin(`/api/jobs/${job}/runs`, body);
  }

  /** Each of these starts a run and waits until it has ended. */
  async run(body: object = {}, job = 'nightly'): Promise<RunReport> {
    return this.ended(await this.start(body, job));
  }

  async retry(id: string): Promise<RunReport> {
    return this.ended(await this.begin(`/api/runs/${id}/retry`));
  }

  async restore(body: object = {}): Promise<RunReport> {
    return this.ended(await this.begin('/api/restores', body));
  }

  async verify(body: object = {}): Promise<RunReport> {
    return this.ended(await this.begin('/api/verifications', body));
  }

  async report(id: string): Promise<RunReport> {
    return (await this.call('GET', `/api/runs/${id}`)).body as unknown as RunReport;
  }

  /**
   * Waits until a run has ended and its lock is free: the host prints that. It asks for the report only now and then,
   * in case another process ends the run, since each report of a running run costs up to ten requests to storage.
   */
  async ended(id: string, seconds = 60): Promise<RunReport> {
    const finished = new RegExp(`run-finished\\b.*\\b${id}\\b`);
    const deadline = Date.now() + seconds * 1000;
    for (let pause = 1000; ; pause = 2000) {
      await this.host.printed(finished, pause);
      const report = await this.report(id);
      if (report.status !== 'running') {
        // The summary comes before the release. A run that another process ended prints nothing here.
        await this.host.printed(finished, 1000);
        return report;
      }
      if (Date.now() > deadline) throw noFurther(id, report);
    }
  }

  async until(id: string, holds: (report: RunReport) => boolean, seconds = 60): Promise<RunReport> {
    for (const deadline = Date.now() + seconds * 1000; ; await sleep(50)) {
      const report = await this.report(id);
      if (holds(report)) return report;
      if (Date.now() > deadline) throw noFurther(id, report);
    }
  }

  async outcomes(id: string, query = ''): Promise<Record<string, string>[]> {
    const items: Record<string, string>[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { body } = await this.call('GET', `/api/runs/${id}/outcomes?${query}${more}`);
      items.push(...(body.items as unknown as Record<string, string>[]));
      cursor = body.next as unknown as string | null;
    }
    return items;
  }
}

/** A person sends the calls that a text names as they are. */
function expectReady(text: string): void {
  const unready = /\/api\/[^\s"]*\{\w+\}/.exec(text)?.[0];
  if (unready !== undefined) throw new Error(`The answer has a call that nobody can send: ${unready}`);
}

function noFurther(id: string, report: RunReport): Error {
  return new Error(`Run ${id} got no further than ${JSON.stringify(report, undefined, 1)}`);
}

export async function startStrongroom(options: StrongroomOptions): Promise<Strongroom> {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-test-'));
  const file = join(folder, 'strongroom.json');
  const job = {
    name: 'nightly',
    source: { account: 'SOURCE', containers: ['*'] },
    destination: { account: 'VAULT', container: '{container}backup' },
    ...options.job,
  };
  writeFileSync(file, JSON.stringify({ ...options.more, jobs: options.jobs ?? [job] }));
  const host = await startHost({
    ...(options.dataDir !== undefined && { dataDir: options.dataDir }),
    ...((options.twice ?? options.rough) !== undefined && { args: ['--app', ROUGH_APP] }),
    env: {
      SOURCE: options.source,
      VAULT: options.vault,
      STRONGROOM_CONFIG: file,
      // A test looks again at once.
      STRONGROOM_LIMITS: JSON.stringify({ sharedMs: 1, ...options.limits }),
      ...(options.twice !== undefined && { ACTIVITIES_TWICE: options.twice }),
      ...options.rough,
      ...options.env,
    },
  });
  // The host reads it at the start only.
  rmSync(folder, { recursive: true, force: true });
  return new Strongroom(host, options.key);
}
