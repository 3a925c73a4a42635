import { CliError } from '../cli-error.ts';
import { grouped, money, sizeOf } from '../print/amounts.ts';
import type { Session } from '../session.ts';

/** Says what a full run costs before it starts. At a terminal it asks, and returns whether the run may start. */
export async function asksForFull(
  session: Session,
  { job, mode, isYes }: { job: string; mode: 'incremental' | 'full' | 'configured'; isYes: boolean },
): Promise<boolean> {
  if (!(await isFull(session, job, mode))) return true;
  session.out.note(`A full run copies everything of ${job} again. ${await costWords(session, job)}`);
  if (isYes || !session.canAsk) return true;
  return session.confirms('Start it?');
}

async function isFull({ api }: Session, job: string, mode: string): Promise<boolean> {
  if (mode !== 'configured') return mode === 'full';
  const answer = await unlessRefused(api.call<'getJob'>('GET', 'jobs/{job}', { params: { job } }));
  return answer?.body.mode === 'full';
}

/** From the last full run, or from what the newest restore point holds. */
async function costWords({ api }: Session, job: string): Promise<string> {
  const query = { job, mode: 'full', status: 'succeeded', dryRun: 'false', limit: 1 } as const;
  const last = (await unlessRefused(api.call<'listRuns'>('GET', 'runs', { query })))?.body.runs[0];
  const params = { id: last?.id ?? '' };
  const of = { params, query: { containers: 'none' } } as const;
  const report = last && (await unlessRefused(api.call<'getRun'>('GET', 'runs/{id}', of)))?.body;
  if (!report)
    return 'What it costs is not known: there is no full run yet to go by. A dry run estimates it: --dry-run.';
  const { cost, counts, bytes } = report;
  const stored = cost.stored ? `, and ${money(cost.stored.total, cost.currency)} a month to keep new copies` : '';
  return (
    `The last one, ${report.id}, copied ${grouped(counts.copied)} (${sizeOf(bytes.copied)}) for ` +
    `${money(cost.total, cost.currency)} at the prices of ${cost.asOf}${stored}.`
  );
}

/** The estimate must not keep a run from its start: a caller who may start runs may lack the right to read. */
async function unlessRefused<Body>(answer: Promise<Body>): Promise<Body | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CliError) return undefined;
    throw error;
  }
}
