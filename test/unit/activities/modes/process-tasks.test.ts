import { describe, expect, it } from 'vitest';
import { makeProcessTasks, type ProcessTasksInput, type SharedTask } from '#activities/modes/process-tasks.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { problemOf } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';

const run = { id: 'nightly-20261121T233000Z-k3f9q2', job: 'nightly', mode: 'full', dryRun: false } as RunRef;
const CHUNK = { slice: 0, chunk: 0, key: '0-0-aaaaaa', items: 8 };
const problem = problemOf('throttled', 0);

const taskOf = (container: string): SharedTask => ({
  container,
  destination: `${container}backup`,
  steps: { plan: 'scanSlice', work: 'copyChunk' },
  compared: true,
});

/** Each activity takes a second. Its answer depends on the container. */
async function process(
  answers: { scan?: Record<string, object>; copy?: Record<string, object> } = {},
  { tasks = ['a', 'b', 'c'].map(taskOf), of = run, tasksMs = 60_000 } = {},
) {
  let at = 0;
  const calls: string[] = [];
  const inputs: object[] = [];
  const activity = (name: string, answerOf: (container: string) => object) => async (input: { container: string }) => {
    at += 1000;
    calls.push(`${name} ${input.container}`);
    inputs.push(input);
    return answerOf(input.container);
  };
  const activities = {
    scanSlice: activity('scan', (container) => answers.scan?.[container] ?? { chunks: [CHUNK] }),
    copyChunk: activity('copy', (container) => answers.copy?.[container] ?? {}),
    compareContainer: activity('compare', () => ({})),
  };
  const deps = { now: () => new Date(at), limits: { tasksMs } } as unknown as Dependencies;
  const processTasks = makeProcessTasks(activities as unknown as Parameters<typeof makeProcessTasks>[0]);
  const { begun } = await processTasks(deps, { run: of, tasks } as ProcessTasksInput);
  return { begun, calls, inputs };
}

describe('a list of tasks', () => {
  it('plans, processes and compares one after another', async () => {
    const { begun, calls, inputs } = await process({ scan: { b: { chunks: [] } } });
    expect(calls).toEqual(['scan a', 'copy a', 'compare a', 'scan b', 'compare b', 'scan c', 'copy c', 'compare c']);
    const task = { run, container: 'a', destination: 'abackup' };
    expect(inputs.slice(0, 3)).toEqual([
      { ...task, slice: 0 },
      { ...task, chunk: CHUNK, from: 0 },
      { ...task, part: 0, page: 0 },
    ]);
    const whole = { slice: { chunks: [CHUNK] }, piece: {}, compared: {} };
    expect(begun).toEqual([whole, { slice: { chunks: [] }, compared: {} }, whole]);
  });

  it.each([
    ['a further slice', { chunks: [CHUNK], next: { source: 'x' } }],
    ['a further slice of a manifest', { chunks: [CHUNK], nextManifest: { page: 1 } }],
    ['several chunks', { chunks: [CHUNK, CHUNK] }],
    ['a problem', { chunks: [CHUNK], problem }],
  ])('of a container with %s, it only plans the first slice', async (_, slice) => {
    const { begun, calls } = await process({ scan: { a: slice } });
    expect([calls.slice(0, 2), begun[0]]).toEqual([['scan a', 'scan b'], { slice }]);
  });

  it.each([
    ['a rest', { next: 4 }],
    ['pending copies', { pendingFile: { key: 'k', attempt: 'a', round: 0, pending: 1 } }],
    ['a problem', { problem }],
  ])('a container with %s is not compared', async (_, piece) => {
    const { begun, calls } = await process({ copy: { a: piece } });
    expect([calls.slice(0, 3), begun[0]]).toEqual([
      ['scan a', 'copy a', 'scan b'],
      { slice: { chunks: [CHUNK] }, piece },
    ]);
  });

  it('no task begins after its time is over, except the first, and each that has begun comes to its end', async () => {
    const times = [1, 2500, 3500, 6500].map(async (tasksMs) => (await process({}, { tasksMs })).begun.length);
    expect(await Promise.all(times)).toEqual([1, 1, 2, 3]);
    const { calls } = await process({}, { tasksMs: 1 });
    expect(calls).toEqual(['scan a', 'copy a', 'compare a']);
  });

  it('a run that may not continue ends it', async () => {
    const { begun, calls } = await process({ copy: { b: { stopped: 'cancelled' } } });
    expect([calls.at(-1), begun.length]).toEqual(['copy b', 2]);
  });

  it('a dry run processes nothing', async () => {
    const { calls } = await process(
      {},
      { of: { ...run, dryRun: true }, tasks: [{ ...taskOf('a'), compared: undefined! }] },
    );
    expect(calls).toEqual(['scan a']);
  });

  it('a container that is gone is only compared', async () => {
    const gone = { code: 'deleted' as const };
    const { begun, inputs } = await process(
      {},
      { tasks: [{ container: 'a', destination: 'b', gone, compared: true }] },
    );
    expect(inputs).toEqual([{ run, container: 'a', destination: 'b', gone, part: 0, page: 0 }]);
    expect(begun).toEqual([{ compared: {} }]);
  });
});
