import type { OrchestrationContext, Task } from 'durable-functions';
import type { PublishRunInput } from '#activities/run/publish-run.ts';
import type { WalkPosition } from '#domain/blobs/merge-walk.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import { isArchiving, isBackup, type RunRef } from '#domain/run/run.ts';
import { type Answer, call, wait } from './call.ts';
import { PASSING } from './process-container.ts';
import { combine, type ProcessGroupInput, type ProcessGroupResult } from './process-group.ts';

export interface RunJobInput {
  run: RunRef;
  /** Requests sent before the orchestration began. */
  requests: Record<string, number>;
}

const GROUP = 50;
/** Waits between the tries to publish, in seconds: the vault may be out of reach for a while. */
const PUBLISH_DELAYS = [5, 30, 120, ...Array<number>(36).fill(600)];

/** One run of a job, of whatever mode: find the containers, work on them group by group at once, publish what came of it. */
export function* runJob(context: OrchestrationContext): Generator<Task, { status: string }, unknown> {
  const { run, requests: before } = context.df.getInput() as RunJobInput;
  const requests = { ...before };
  const problems: Problem[] = [];
  const groups: Task[] = [];
  let containers = 0;
  let from: string | undefined;
  do {
    const page = (yield call(context, 'listContainers', { run, ...(from && { from }) })) as Answer<'listContainers'>;
    for (const [name, count] of Object.entries(page.requests ?? {})) requests[name] = (requests[name] ?? 0) + count;
    problems.push(...(page.problems ?? []), ...(page.problem ? [page.problem] : []));
    const found = page.containers ?? [];
    containers += found.length + (page.problems ?? []).filter(({ container }) => container !== undefined).length;
    for (let start = 0; start < found.length; start += GROUP) {
      const input: ProcessGroupInput = { run, containers: found.slice(start, start + GROUP) };
      groups.push(context.df.callSubOrchestrator('processGroup', input));
    }
    from = page.next;
  } while (from !== undefined);

  // Told to those who watch, so that progress is not judged by the containers that happen to be listed first.
  context.df.setCustomStatus({ containers });
  const done = groups.length > 0 ? ((yield context.df.Task.all(groups)) as ProcessGroupResult[]) : [];
  const { stopped, problems: found } = combine(done);
  if (stopped === 'superseded') return { status: 'superseded' };
  problems.push(...found);
  if (containers === 0 && problems.length === 0 && isBackup(run.mode)) {
    problems.push(problemOf('no-containers', 0));
  }
  if (run.prune?.plan && stopped === undefined && problems.length === 0) {
    const answer = (yield call(context, 'removePoints', { run })) as Answer<'removePoints'>;
    for (const [name, count] of Object.entries(answer.requests ?? {})) requests[name] = (requests[name] ?? 0) + count;
    if (answer.problem) problems.push(answer.problem);
  }
  let cancelled = stopped === 'cancelled';
  if (isArchiving(run.mode) && stopped === undefined && problems.length === 0) {
    let next: WalkPosition | undefined;
    do {
      const answer = (yield call(context, 'tidyArchive', {
        run,
        ...(next && { from: next }),
      })) as Answer<'tidyArchive'>;
      for (const [name, count] of Object.entries(answer.requests ?? {})) requests[name] = (requests[name] ?? 0) + count;
      if (answer.stopped === 'superseded') return { status: 'superseded' };
      cancelled ||= answer.stopped === 'cancelled';
      // Everything has been archived; what was left lying about is seen to by the next run.
      if (answer.problem && !PASSING.has(answer.problem.code)) problems.push(answer.problem);
      next = answer.next;
    } while (next !== undefined);
  }

  const input: PublishRunInput = { run, containers, problems, cancelled, requests };
  const ended = yield* publish(context, input);
  if (run.hasNext) yield* follow(context, run);
  return ended;
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

/** What comes of the next run is told by that run. */
function* follow(context: OrchestrationContext, run: RunRef): Generator<Task, void, unknown> {
  try {
    const { next } = (yield call(context, 'beginNext', { run })) as Answer<'beginNext'>;
    if (!next) return;
    const input: RunJobInput = { run: next, requests: {} };
    yield context.df.callSubOrchestrator('runJob', input, next.id);
  } catch {}
}
