import { setTimeout as sleep } from 'node:timers/promises';
import { DemoError } from './demo-error.ts';

/** The part of a run's report that the demo reads. */
export interface Run {
  id: string;
  mode: string;
  trigger: string;
  status: 'running' | 'succeeded' | 'completed-with-failures' | 'failed' | 'cancelled';
  startedAt: string;
  finishedAt: string | null;
  counts: { listed: number; copied: number; unchanged: number; skipped: number; failed: number };
  bytes: { listed: number; copied: number };
  progress: { fraction: number | null; blobsPerSecond: number; bytesPerSecond: number; secondsLeft: number | null };
  requests: Record<string, number>;
  problems: { code: string; container?: string; count: number; message: string; hint: string }[];
}

/** The part of a receipt that the demo reads. */
export interface ArchiveReceipt {
  source: { etag: string };
  state: string;
  archived?: { container: string; name: string; method?: string };
}

const LOOK_EVERY_MS = 400;
const PATIENCE_MS = 30_000;

/** The app's HTTP API, as a user calls it. */
export class Api {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async startRun(job: string, mode: 'full' | 'incremental'): Promise<string> {
    return (await this.#call<{ id: string }>('POST', `/api/jobs/${job}/runs`, { mode })).id;
  }

  /** Starts a restore and returns its run. */
  async restore(body: object): Promise<string> {
    return (await this.#call<{ id: string }>('POST', '/api/restores', body)).id;
  }

  async verify(body: object): Promise<string> {
    return (await this.#call<{ id: string }>('POST', '/api/verifications', body)).id;
  }

  /** Starts a reconciliation of an archive rule and returns its run. */
  async reconcile(rule: string): Promise<string> {
    return (await this.#call<{ id: string }>('POST', `/api/archives/${rule}/reconcile`)).id;
  }

  /** The receipts of one blob, version by version. */
  async receipts(rule: string, name: string): Promise<ArchiveReceipt[]> {
    const path = `/api/archives/${rule}/receipts?name=${encodeURIComponent(name)}`;
    return (await this.#call<{ receipts: ArchiveReceipt[] }>('GET', path)).receipts;
  }

  /** Fires the timer of a job, and finds the run that the timer started. */
  async fireTimer(job: string): Promise<string> {
    const known = new Set((await this.#runs(job)).map(({ id }) => id));
    await this.#call('POST', `/admin/functions/backup_${job.replaceAll('-', '_')}`, {});
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(50)) {
      const started = (await this.#runs(job)).find(({ id, trigger }) => trigger === 'timer' && !known.has(id));
      if (started) return started.id;
    }
    throw new DemoError(`The timer of job "${job}" fired, but started no run.`);
  }

  /** Follows a run until it ends. */
  async follow(id: string, watch: (run: Run) => void = () => {}, every = LOOK_EVERY_MS): Promise<Run> {
    for (;;) {
      const run = await this.#call<Run>('GET', `/api/runs/${id}`);
      if (run.status !== 'running') return run;
      watch(run);
      await sleep(every);
    }
  }

  async #runs(job: string): Promise<{ id: string; trigger: string }[]> {
    return (await this.#call<{ runs: { id: string; trigger: string }[] }>('GET', `/api/runs?job=${job}&limit=10`)).runs;
  }

  async #call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(this.#url + path, { method, ...(body && { body: JSON.stringify(body) }) });
    const text = await response.text();
    if (!response.ok) throw new DemoError(`${method} ${path} returned ${response.status}: ${text}`);
    return (text === '' ? {} : JSON.parse(text)) as Answer;
  }
}
