import { setTimeout as sleep } from 'node:timers/promises';
import { HostError } from './host-error.ts';
import { escapeControls } from './log.ts';

export interface OnceOptions {
  /** Name of a job or of an archive rule. */
  job: string;
  /** `configured` is the mode of the job's scheduled runs. */
  mode: 'full' | 'incremental' | 'configured';
  key: string | undefined;
}

/** Milliseconds between two status requests. */
const POLL_INTERVAL = 1_000;
const POLL_INTERVAL_CANCELLING = 200;
/** Milliseconds that a cancelled run has to end before the host stops. */
const CANCEL_GRACE = 5_000;
/** The exit code of a process that ends on SIGTERM. */
const TERMINATED = 143;

interface Run {
  status: string;
  [detail: string]: unknown;
}

/** Runs a job, or reconciles an archive rule, through the app's HTTP API. Returns the exit code for the result. */
export async function runOnce(hostUrl: string, options: OnceOptions, signal: AbortSignal): Promise<number> {
  const api = new AppApi(hostUrl, options.key);
  const { job } = options;
  const path = await start(api, options);
  let cancelledAt: number | undefined;
  for (;;) {
    const run = await api.run(path);
    if (run.status !== 'running') {
      print(summary(job, path, run));
      if (cancelledAt !== undefined) return TERMINATED;
      return run.status === 'succeeded' ? 0 : 1;
    }
    if (signal.aborted && cancelledAt === undefined) {
      cancelledAt = Date.now();
      await api.post(`${path}/cancel`, {});
    }
    if (cancelledAt === undefined) await sleep(POLL_INTERVAL, undefined, { signal }).catch(() => undefined);
    else if (Date.now() - cancelledAt <= CANCEL_GRACE) await sleep(POLL_INTERVAL_CANCELLING);
    else {
      print(`${job}: cancel requested. The run ends after the next start of the host.`);
      return TERMINATED;
    }
  }
}

/** Starts the run and returns the path of its status. */
async function start(api: AppApi, { job, mode }: OnceOptions): Promise<string> {
  const asJob = await api.post(`/api/jobs/${encodeURIComponent(job)}/runs`, { mode });
  const asRule =
    asJob.status === 404 ? await api.post(`/api/archives/${encodeURIComponent(job)}/reconcile`, {}) : undefined;
  // If the name is neither, the error is the one about the job.
  const started = asRule && asRule.status !== 404 ? asRule : asJob;
  const location = started.headers.get('location');
  if (started.status !== 202 || location === null) {
    throw new HostError(`Cannot start job "${job}": ${await reasonOf(started)}`, 1);
  }
  await started.arrayBuffer();
  // Only the path: the app may give another host name than the one we called.
  return new URL(location, api.url).pathname;
}

class AppApi {
  readonly url: string;
  readonly #headers: Record<string, string>;

  constructor(url: string, key: string | undefined) {
    this.url = url;
    this.#headers = { 'content-type': 'application/json', ...(key ? { 'x-functions-key': key } : {}) };
  }

  post(path: string, body: unknown): Promise<Response> {
    return fetch(new URL(path, this.url), { method: 'POST', headers: this.#headers, body: JSON.stringify(body) });
  }

  async run(path: string): Promise<Run> {
    const response = await fetch(new URL(path, this.url), { headers: this.#headers });
    if (!response.ok)
      throw new HostError(`Cannot get the status of the run: GET ${path}: ${await reasonOf(response)}`, 1);
    return (await response.json()) as Run;
  }
}

async function reasonOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const { detail, title, hint } = JSON.parse(text) as { detail?: string; title?: string; hint?: string };
    const parts = [detail ?? title, hint].filter((part) => part !== undefined).map(asSentence);
    if (parts.length > 0) return `${parts.join(' ')} (${response.status})`;
  } catch {
    // The body is not a problem document. Its text follows below.
  }
  return `${text.slice(0, 200) || response.statusText} (${response.status})`;
}

/** Problem documents end their texts without a period. */
function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** The status of the run and all its counts. */
function summary(job: string, path: string, run: Run): string {
  const objects = [['', run] as const, ...Object.entries(run)];
  const numbers = objects.flatMap(([about, value]) =>
    typeof value === 'object' && value !== null
      ? Object.entries(value)
          .filter(([, number]) => typeof number === 'number')
          .map(([name, number]) => labeled(about, name, number))
      : [],
  );
  return [`${job}: ${run.status}`, path.split('/').at(-1), [...new Set(numbers)].join(', ')]
    .filter(Boolean)
    .join(' · ');
}

/** Groups of numbers share names: `listed` counts blobs and bytes. */
function labeled(about: string, name: string, number: number): string {
  if (about === 'bytes') return `${name} ${number} bytes`;
  if (about === 'noLongerHeld') return `no longer held, ${name} ${number}`;
  return about === 'chain' ? `chain ${name} ${number}` : `${name} ${number}`;
}

function print(line: string): void {
  process.stdout.write(`${escapeControls(line)}\n`);
}
