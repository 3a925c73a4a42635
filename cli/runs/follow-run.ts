import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '../../host/exit-codes.ts';
import { CliError } from '../cli-error.ts';
import type { Answer } from '../connect/api.ts';
import { isPassing, isRestart } from '../connect/refusal.ts';
import type { Session } from '../session.ts';
import { progressWords, type Report } from './describe-run.ts';

/** Milliseconds: between two looks, at first and in the long run; and how long a run may be out of sight. */
const PACE = { first: 300, slowest: 5_000, patience: 600_000 };

/** Milliseconds to wait, and the clock. */
export interface FollowOptions {
  /** After this long, the wait is over and the run continues. */
  timeout?: number | undefined;
  pace?: typeof PACE;
}

/** Waits until a run has ended, and shows how far it is. Throws CliError if the wait ends first. */
export async function followRun(session: Session, id: string, options: FollowOptions = {}): Promise<Answer<Report>> {
  const { world, progress, out } = session;
  const { timeout, pace = PACE } = options;
  const begin = world.now().getTime();
  let unseenSince: number | undefined;
  let isSeen = false;
  for (let wait = pace.first; ; wait = Math.min(wait * 1.5, pace.slowest)) {
    const answer = await look(session, id, isSeen ? isRestart : isPassing);
    if ('body' in answer) {
      unseenSince = undefined;
      isSeen = true;
      if (answer.body.status !== 'running') {
        progress.clear();
        return answer;
      }
      progress.show(progressWords(answer.body));
      if (out.format === 'jsonl') out.json({ type: 'progress', run: answer.body });
    } else {
      unseenSince ??= world.now().getTime();
      if (world.now().getTime() - unseenSince > pace.patience) throw answer.why;
      progress.show(`${answer.why.message.split('\n')[0]}; asking again`);
    }
    if (out.isClosed && out.format === 'jsonl') throw stillRunning(id, 'Nothing reads the output', EXIT.waitOver);
    const left = timeout === undefined ? wait : begin + timeout - world.now().getTime();
    if (left <= 0) throw stillRunning(id, 'The wait is over', EXIT.waitOver);
    await sleep(Math.min(wait, left), undefined, { signal: world.interrupted }).catch(() => undefined);
    if (world.interrupted.aborted) throw stillRunning(id, 'Interrupted', EXIT.interrupted);
  }
}

/** Nothing, or trouble on the way, says nothing about the run. */
async function look(
  session: Session,
  id: string,
  passes: typeof isPassing,
): Promise<Answer<Report> | { why: CliError }> {
  // A report of thousands of containers would be sent for each look.
  const query =
    session.out.format === 'text' || session.out.format === 'quiet' ? ({ containers: 'none' } as const) : {};
  try {
    return await session.api.call<'getRun'>('GET', 'runs/{id}', { params: { id }, query });
  } catch (error) {
    if (session.world.interrupted.aborted) throw stillRunning(id, 'Interrupted', EXIT.interrupted);
    if (passes(error)) return { why: error };
    throw error;
  }
}

function stillRunning(id: string, why: string, exitCode: 75 | 130): CliError {
  return new CliError(`${why}. The run continues. To watch it: strongroom runs watch ${id}`, exitCode);
}
