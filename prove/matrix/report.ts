import type { Strongroom } from '../../test/support/app/strongroom.ts';

type Counts = Record<string, number>;

/** Compares the app's report of a run with the summary in the vault, and with itself. */
export async function judgeReport(app: Strongroom, run: string, summary: Record<string, unknown>): Promise<string[]> {
  const found: string[] = [];
  const say = (what: string) => found.push(`the report of run ${run} ${what}`);
  const answer = await app.call('GET', `/api/runs/${run}`);
  if (answer.status !== 200) return [`the report of run ${run} is not given: ${answer.status}`];
  const report = answer.body as Record<string, unknown>;
  const differs = ['status', 'counts', 'problems', 'containers'].filter(
    // A report names the run in hints.
    (key) => JSON.stringify(report[key]) !== JSON.stringify(summary[key])?.replaceAll('{id}', run),
  );
  if (differs.length > 0) say(`differs from its summary in ${differs.join(', ')}`);
  const counts = report.counts as Counts;
  const outcomes = await app.outcomes(run);
  if (summary.restorePoint && !summary.retryOf) {
    for (const status of ['copied', 'unchanged', 'skipped', 'failed']) {
      const named = outcomes.filter((outcome) => outcome.status === status).length;
      if (named !== counts[status]) say(`counts ${counts[status]} ${status}, and names ${named}`);
    }
  }
  for (const { name, status, code, hint } of outcomes) {
    if (status === 'failed' && (code === undefined || hint === undefined))
      say(`gives no reason for the failure of ${name}`);
  }
  const problems = report.problems as { code: string; message: string; count: number }[];
  if (report.status === 'failed' && problems.length === 0) say('does not say why the run failed');
  if ((counts.failed ?? 0) > 0 && problems.length === 0) say('names no problem in spite of failures');
  const text = JSON.stringify(report) + JSON.stringify(outcomes);
  if (/[?&]sig=|AccountKey=|SharedKey /.test(text)) say('holds a secret');
  if (/\\n\s+at |\bat [\w.<>]+ \((?:file|node|\/)/.test(text)) say('holds a stack trace');
  return found;
}
