import type { OrchestrationContext, Task } from 'durable-functions';
import type { PlanChunk } from '#activities/run/chunk.ts';
import type { ContainerTask } from '#activities/run/container-task.ts';
import type { OpenRange } from '#activities/tables/read-range.ts';
import { problemOf } from '#domain/run/problems.ts';
import { type Answer, call, wait } from './call.ts';
import { ACTIVITIES_PER_GENERATION, FAILURES_ALLOWED, PASSING, WAIT_AFTER_FAILURE } from './limits.ts';
import type { ProcessContainerInput, ProcessContainerResult } from './process-container.ts';

interface State {
  chunks: SegmentsToUpdate[];
  ranges: (OpenRange & { failures?: number })[];
  /** Pieces of work that have been given a number: each tells its executions by it, for good. */
  pieces: number;
}

interface SegmentsToUpdate {
  chunk: PlanChunk;
  from: number;
  piece: number;
  requests?: Record<string, number>;
  giveUp?: NonNullable<OpenRange['giveUp']>;
  failures?: number;
}

export interface BackUpTableInput extends ProcessContainerInput {
  /** Carried from one generation of the orchestration to the next. */
  table?: State;
}

/** Stretches of one table that are read at once. */
const AT_ONCE = 8;

/**
 * Backs up one table: looks through the segments of the restore point before, and reads other stretches of its keys as a whole. What a
 * piece leaves over is the next piece; where few are left, the longest are cut, so that a large table is read by many at once however its
 * entities are spread over its keys.
 */
export function* backUpTable(
  context: OrchestrationContext,
): Generator<Task, ProcessContainerResult | undefined, unknown> {
  const input = context.df.getInput() as BackUpTableInput;
  const { run, container, destination } = input;
  const about: ContainerTask = { run, container, destination };
  let activities = 0;
  let state = input.table;
  try {
    for (let failures = 0; state === undefined; ) {
      const plan = (yield call(context, 'planTable', {
        ...about,
        ...(input.scan && { scan: true }),
      })) as Answer<'planTable'>;
      activities++;
      if (plan.stopped) return { stopped: plan.stopped };
      if (plan.problem) {
        failures++;
        if (!PASSING.has(plan.problem.code) || failures > FAILURES_ALLOWED) return { problem: plan.problem };
        yield wait(context, WAIT_AFTER_FAILURE);
        continue;
      }
      const { chunks = [], ranges = [], requests } = plan;
      const works = { chunks: chunks.map((chunk, piece) => ({ chunk, from: 0, piece })) as SegmentsToUpdate[] };
      state = { ...works, ranges: [], pieces: chunks.length };
      for (const range of ranges) state.ranges.push({ range, piece: state.pieces++, first: true });
      const firstPiece = state.chunks[0] ?? state.ranges[0];
      if (firstPiece && requests) firstPiece.requests = requests;
    }

    while (state.chunks.length + state.ranges.length > 0) {
      if (activities >= ACTIVITIES_PER_GENERATION) {
        const next: BackUpTableInput = { ...input, table: state };
        context.df.continueAsNew(next);
        return undefined;
      }
      const { chunks, ranges }: State = state;
      const reading = ranges.splice(0, AT_ONCE);
      const updating = chunks.splice(0, AT_ONCE - reading.length);
      activities += reading.length + updating.length;
      const answers = (yield context.df.Task.all([
        ...reading.map(({ failures: _, ...open }) => call(context, 'readRange', { ...about, ...open })),
        ...updating.map(({ failures: _, ...segments }) =>
          call(context, 'updateSegments', { ...about, ...segments, ...(input.scan && { scan: true }) }),
        ),
      ])) as (Answer<'readRange'> & Answer<'updateSegments'>)[];

      const reasons = answers.map(({ stopped }) => stopped);
      const stopped = reasons.find((reason) => reason === 'superseded') ?? reasons.find((reason) => reason);
      if (stopped) return { stopped };
      // What concerns the whole table, or nobody can wait out, costs it its place in the restore point.
      const lasting = answers.find(({ problem }) => problem && !PASSING.has(problem.code))?.problem;
      if (lasting) return { problem: lasting };
      let failed = false;
      const rests: OpenRange[] = [];
      for (const [index, answer] of answers.entries()) {
        const open = reading[index];
        const segments = updating[index - reading.length];
        const failures = ((open ?? segments)?.failures ?? 0) + 1;
        if (answer.problem) {
          const { code, message } = answer.problem;
          // It is named as failed, and everything else is kept.
          if (failures > FAILURES_ALLOWED + 1) return { problem: answer.problem };
          const giveUp = failures > FAILURES_ALLOWED ? { giveUp: { code, message } } : {};
          if (open) ranges.push({ ...open, ...giveUp, failures });
          else if (segments) chunks.push({ ...segments, ...giveUp, failures });
          failed = true;
          continue;
        }
        if (open && answer.rest) {
          const { old } = open;
          rests.push({ range: answer.rest, piece: state.pieces++, ...(old && { old }) });
        }
        if (segments && answer.read) ranges.push({ ...answer.read, piece: state.pieces++ });
        if (segments && answer.next !== undefined) {
          chunks.push({ chunk: segments.chunk, from: answer.next, piece: state.pieces++ });
        }
      }
      if (failed) yield wait(context, WAIT_AFTER_FAILURE);
      const waiting = chunks.length + ranges.length + rests.length;
      const wanted = rests.length === 0 || waiting > AT_ONCE / 2 ? 1 : Math.floor(AT_ONCE / waiting);
      if (wanted > 1) {
        activities += rests.length;
        const cuts = (yield context.df.Task.all(
          rests.map(({ range }) => call(context, 'splitRange', { run, container, range, pieces: wanted })),
        )) as Answer<'splitRange'>[];
        for (const [index, { ranges: pieces, requests }] of cuts.entries()) {
          const rest = rests[index]!;
          // Where it could not be cut, it is read by one.
          const [first, ...others] = pieces ?? [rest.range];
          ranges.push({ ...rest, range: first!, ...(requests && { requests }) });
          const { old } = rest;
          for (const range of others) ranges.push({ range, piece: state.pieces++, ...(old && { old }) });
        }
      } else {
        ranges.push(...rests);
      }
    }
    return {};
  } catch (error) {
    // Activities answer with their problems; one that throws was ended from outside, by a time limit or a crash.
    return { problem: problemOf('internal', 0, container, `An activity was ended: ${(error as Error).message}`) };
  }
}
