import { setTimeout as sleep } from 'node:timers/promises';
import { HostError } from './host-error.ts';
import { escapeControls } from './log.ts';

export interface OnceOptions {
  job: string;
  mode: 'full' | 'incremental';
  key: string | undefined;
}

const LOOK_EVERY = 1_000;
/** How long a cancelled run is given to end before the host does. */
const CANCEL_GRACE = 5_000;
/** What a process that ended on SIGTERM is expected to exit with. */
const TERMINATED = 143;

interface Run {
  status: string;
  [detail: string]: unknown;
}

/** Runs one job, or reconciles one archive rule, through the app's own HTTP API and returns the exit code that says how it went. */
export async function runOnce(hostUrl: string, { job, mode, key }: OnceOptions, signal: AbortSignal): Promise<number> {
  const headers = { 'content-type': 'application/json', ...(key ? { 'x-functions-key': key } : {}) };
  const post = (path: string, body: unknown) =>
    fetch(new URL(path, hostUrl), { method: 'POST', headers, body: JSON.stringify(body) });

  const asJob = await post(`/api/jobs/${encodeURIComponent(job)}/runs`, { mode });
  const asRule =
    asJob.status === 404 ? await post(`/api/archives/${encodeURIComponent(job)}/reconcile`, {}) : undefined;
  // What is neither is told as a job that there is not.
  const started = asRule && asRule.status !== 404 ? asRule : asJob;
  const location = started.headers.get('location');
  if (started.status !== 202 || location === null) {
    throw new HostError(`Job "${job}" was not started: ${await reasonOf(started)}`, 1);
  }
  // Only the path: the address it was called by may not be the one it gives.
  const path = new URL(location, hostUrl).pathname;
  await started.arrayBuffer();
  let cancelled = 0;
  for (;;) {
    const run = await look(new URL(path, hostUrl), headers);
    if (run.status !== 'running') {
      say(summary(job, path, run));
      return cancelled > 0 ? TERMINATED : run.status === 'succeeded' ? 0 : 1;
    }
    if (signal.aborted && cancelled === 0) {
      cancelled = Date.now();
      await post(`${path}/cancel`, {});
    }
    if (cancelled > 0 && Date.now() - cancelled > CANCEL_GRACE) {
      say(`${job}: cancelling; it ends at the next start`);
      return TERMINATED;
    }
    await sleep(cancelled > 0 ? 200 : LOOK_EVERY, undefined, cancelled > 0 ? {} : { signal }).catch(() => undefined);
  }
}

async function look(url: URL, headers: Record<string, string>): Promise<Run> {
  const response = await fetch(url, { headers });
  if (!response.ok)
    throw new HostError(`The run at ${url.pathname} cannot be looked at: ${await reasonOf(response)}`, 1);
  return (await response.json()) as Run;
}

async function reasonOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const { detail, title, hint } = JSON.parse(text) as { detail?: string; title?: string; hint?: string };
    const parts = [detail ?? title, hint].filter((part) => part !== undefined);
    if (parts.length > 0) return `${parts.join(' ')} (${response.status})`;
  } catch {
    // Not a problem document: its text says what there is to say.
  }
  return `${text.slice(0, 200) || response.statusText} (${response.status})`;
}

/** The status, and whatever the run counts. */
function summary(job: string, path: string, run: Run): string {
  const counts = [run, ...Object.values(run)].flatMap((value) =>
    typeof value === 'object' && value !== null ? Object.entries(value) : [],
  );
  const numbers = counts.filter(([, value]) => typeof value === 'number').map(([name, value]) => `${name} ${value}`);
  return [`${job}: ${run.status}`, path.split('/').at(-1), [...new Set(numbers)].join(', ')]
    .filter(Boolean)
    .join(' · ');
}

function say(line: string): void {
  process.stdout.write(`${escapeControls(line)}\n`);
}
