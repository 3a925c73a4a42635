import type { OrchestrationContext, Task } from 'durable-functions';
import type { PublishRunInput } from '#activities/run/run-findings.ts';
import { isOfThisVersion } from '#domain/run/orchestration-version.ts';
import { problemOf } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';
import { workId } from '#domain/run/run-id.ts';
import { call, insist, wait } from './call.ts';
import type { ProcessRunInput, ProcessRunResult } from './process-run.ts';

export type RunJobInput = ProcessRunInput;

/**
 * Seconds to wait between the tries to publish: the vault may be out of reach for hours. Once it is back, a start waits
 * two minutes for a sign of life before it ends a run that was silent for so long, and each try gives one.
 */
const PUBLISH_DELAYS = [5, 30, ...Array<number>(216).fill(100)];

/**
 * One run of any mode: has the work done, and publishes the result. If the orchestration that does the work fails, for
 * example because a deployment changed its code, this one publishes what was done. So it must change as rarely as
 * possible.
 */
export function* runJob(context: OrchestrationContext): Generator<Task, { status: string }, unknown> {
  const input = context.df.getInput() as RunJobInput;
  const worked = yield* work(context, input);
  if (worked.superseded) return { status: 'superseded' };
  const ended = yield* publish(context, worked.findings);
  if (input.run.hasNext) yield* follow(context, input.run);
  return ended;
}

function* work(context: OrchestrationContext, input: RunJobInput): Generator<Task, ProcessRunResult, unknown> {
  const { run, requests } = input;
  try {
    return (yield context.df.callSubOrchestrator('processRun', input, workId(run.id))) as ProcessRunResult;
  } catch {
    const problems = [problemOf(isOfThisVersion(run) ? 'orchestration-failed' : 'deployed-during-run', 0)];
    return { findings: { run, containers: 0, problems, cancelled: false, requests } };
  }
}

function* publish(context: OrchestrationContext, input: PublishRunInput): Generator<Task, { status: string }, unknown> {
  for (const delay of PUBLISH_DELAYS) {
    try {
      return (yield call(context, 'publishRun', input)) as { status: string };
    } catch {
      yield wait(context, delay);
    }
  }
  return (yield call(context, 'publishRun', input)) as { status: string };
}

/** The next run reports its own result. */
function* follow(context: OrchestrationContext, run: RunRef): Generator<Task, void, unknown> {
  const { next } = yield* insist(context, 'beginNext', { run });
  if (!next) return;
  const input: RunJobInput = { run: next, requests: {} };
  try {
    yield context.df.callSubOrchestrator('runJob', input, next.id);
  } catch {}
}
