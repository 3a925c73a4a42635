import prettyBytes from 'pretty-bytes';
import prettyMilliseconds from 'pretty-ms';
import type { Api, Run } from './api.ts';
import type { ExpectedCounts } from './ledger.ts';
import { progressLine } from './progress.ts';
import { count, fact, say, showProgress } from './screen.ts';

/** Follows a run with a line of progress, prints its summary, and returns every difference from the expected counts. */
export async function watchRun(api: Api, id: string, expected: ExpectedCounts): Promise<string[]> {
  const run = await api.follow(id, (now) => showProgress(runLine(now)));
  summarize(run);
  return unexpected(run, expected);
}

function runLine({ counts, progress }: Run): string {
  const done = counts.copied + counts.unchanged + counts.skipped + counts.failed;
  const { fraction, blobsPerSecond, bytesPerSecond, secondsLeft } = progress;
  const total = fraction === null ? undefined : Math.max(counts.listed, done);
  // The first few blobs say little about the remaining time.
  const isEarly = fraction === null || fraction < 0.05;
  return progressLine({ done, total, blobsPerSecond, bytesPerSecond, ...(!isEarly && { secondsLeft }) });
}

function summarize({ mode, trigger, status, counts, bytes, requests, problems, startedAt, finishedAt }: Run): void {
  const took = Date.parse(finishedAt ?? startedAt) - Date.parse(startedAt);
  const sent = Object.entries(requests).sort(([, a], [, b]) => b - a);
  const total = sent.reduce((sum, [, number]) => sum + number, 0);
  const rate =
    counts.listed > 0 ? ` (${(total / counts.listed).toFixed(total < counts.listed / 10 ? 3 : 2)} per blob)` : '';
  const most = sent.slice(0, 3).map(([name, number]) => `${count(number)} ${name}`);
  fact('Run', `${mode}, started by ${trigger === 'http' ? 'HTTP' : trigger}: ${status} in ${prettyMilliseconds(took)}`);
  fact(
    'Blobs',
    `${count(counts.listed)} listed = ${count(counts.copied)} copied + ${count(counts.unchanged)} unchanged + ${count(counts.skipped)} skipped + ${count(counts.failed)} failed`,
  );
  fact('Bytes', `${prettyBytes(bytes.listed)} listed, ${prettyBytes(bytes.copied)} copied`);
  fact('Requests', `${count(total)}${rate}: ${most.join(', ')}${sent.length > 3 ? ', …' : ''}`);
  for (const { code, container, count: blobs, hint } of problems) {
    const where = container === undefined ? '' : ` in ${container}`;
    fact('Note', `${code}: ${blobs === 1 ? '1 blob' : `${count(blobs)} blobs`}${where}`);
    say(`${' '.repeat(13)}${hint}`);
  }
}

function unexpected({ id, status, counts }: Run, expected: ExpectedCounts): string[] {
  const found: string[] = [];
  if (status !== 'succeeded') found.push(`run ${id}: status ${status}, expected succeeded`);
  for (const key of ['listed', 'copied', 'unchanged', 'skipped', 'failed'] as const) {
    if (counts[key] !== expected[key]) found.push(`run ${id}: ${counts[key]} blobs ${key}, expected ${expected[key]}`);
  }
  return found;
}
