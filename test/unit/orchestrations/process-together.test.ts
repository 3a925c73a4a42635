import { describe, expect, it } from 'vitest';
import type { ProcessTasksInput, ProcessTasksResult, TaskProgress } from '#activities/modes/process-tasks.ts';
import type { ContainerPair } from '#activities/run/container-task.ts';
import { problemOf } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';
import type { ProcessContainerInput, ProcessContainerResult } from '#orchestrations/process-container.ts';
import { processGroup } from '#orchestrations/process-group.ts';
import { OrchestrationHarness, type Orchestrator } from '../../support/app/orchestration-harness.ts';

const run: RunRef = {
  id: 'nightly-20261121T233000Z-k3f9q2',
  job: 'nightly',
  mode: 'incremental',
  trigger: 'http',
  dryRun: false,
  startedAt: '2026-11-21T23:30:00.000Z',
  epoch: 3,
};
const CHUNK = { slice: 0, chunk: 0, key: '0-0-aaaaaa', items: 8 };
const COPIED: TaskProgress = { slice: { chunks: [CHUNK] }, piece: {}, compared: {} };
const throttled = problemOf('throttled', 0, 'c0');
const denied = problemOf('access-denied-source', 0, 'c0');

const pairsOf = (count: number, start = 0): ContainerPair[] =>
  Array.from({ length: count }, (_, index) => `c${start + index}`).map((container) => ({
    container,
    destination: `${container}backup`,
  }));

/** `progressOf` answers for at most so many tasks of a list; undefined ends the list before it. */
function groupOf(
  progressOf: (container: string, gone: boolean) => TaskProgress | undefined,
  { containers = pairsOf(3), of = run, alone = () => ({}) as ProcessContainerResult, most = 25 } = {},
) {
  const processContainer: Orchestrator = function* (context) {
    return yield context.df.callActivity('alone', context.df.getInput());
  };
  const processTasks = ({ tasks }: ProcessTasksInput): ProcessTasksResult => {
    const all = tasks.slice(0, most).map(({ container, gone }) => progressOf(container, gone !== undefined));
    const end = all.indexOf(undefined);
    return { begun: (end < 0 ? all : all.slice(0, end)) as TaskProgress[] };
  };
  const orchestrators = { processGroup, processContainer, backUpTable: processContainer };
  const harness = new OrchestrationHarness(orchestrators, { processTasks, alone });
  const result = harness.run('processGroup', { run: of, containers });
  const lists = harness.calls('processTasks').map((task) => (task.input as ProcessTasksInput).tasks);
  const others = ['processContainer', 'backUpTable'].flatMap((name) => harness.calls(name));
  return { result, lists, alone: others.map((task) => task.input as ProcessContainerInput), harness };
}

const namesOf = (inputs: readonly { container: string }[]) => inputs.map(({ container }) => container);
const first = (progress: TaskProgress, options?: Parameters<typeof groupOf>[1]) =>
  groupOf((container) => (container === 'c0' ? progress : COPIED), options);

describe('small containers share an activity', () => {
  it('fifty finished containers take two activities and no orchestration of their own', () => {
    const { result, lists, alone, harness } = groupOf(() => COPIED, { containers: pairsOf(50) });
    expect(result).toEqual({ problems: [] });
    expect(lists.map(({ length }) => length)).toEqual([25, 25]);
    expect(namesOf(lists.flat())).toEqual(namesOf(pairsOf(50)));
    expect(lists[0]![0]).toEqual({
      container: 'c0',
      destination: 'c0backup',
      steps: { plan: 'scanSlice', work: 'copyChunk' },
      compared: true,
    });
    expect(alone).toEqual([]);
    expect(harness.generations[0]!.yields.length).toBe(1);
  });

  it('a single container has an orchestration of its own', () => {
    const { lists, alone } = groupOf(() => COPIED, { containers: pairsOf(1) });
    expect([lists.length, namesOf(alone)]).toEqual([0, ['c0']]);
  });

  it('tables that a backup reads by key ranges have orchestrations of their own', () => {
    const containers = [...pairsOf(2), { container: 'table.orders', destination: 'table.orders' }];
    const { lists, alone } = groupOf(() => COPIED, { containers });
    expect([namesOf(lists.flat()), namesOf(alone)]).toEqual([['c0', 'c1'], ['table.orders']]);
  });

  it('a dry run compares nothing', () => {
    const of = { ...run, dryRun: true };
    const { result, lists, alone } = groupOf(() => ({ slice: { chunks: [CHUNK] } }), { of });
    expect(lists.flat().some(({ compared }) => compared)).toBe(false);
    expect([result, alone]).toEqual([{ problems: [] }, []]);
  });

  it('the rest of a list goes into shorter lists, so that more activities process it', () => {
    const { result, lists, alone } = groupOf(() => COPIED, { containers: pairsOf(24), most: 6 });
    expect(lists.map(({ length }) => length)).toEqual([24, 9, 9, 3, 3]);
    expect([result, alone]).toEqual([{ problems: [] }, []]);
  });

  it('a group has at most four lists at a time, however long its containers take', () => {
    for (const most of [1, 2, 3]) {
      const { result, lists, alone, harness } = groupOf(() => COPIED, { containers: pairsOf(50), most });
      const atOnce = harness.generations[0]!.yields.length;
      expect(result).toEqual({ problems: [] });
      expect(lists.length).toBeLessThanOrEqual(2 + 4 * (atOnce - 1));
      expect(lists.length).toBeGreaterThan(4);
      expect(alone.length).toBeLessThanOrEqual(1);
    }
  });

  it('the rest of a list in which most are large is processed at once', () => {
    const large: TaskProgress = { slice: { chunks: [CHUNK, CHUNK] } };
    const answers: Record<string, TaskProgress | undefined> = { c0: COPIED, c1: large, c2: large };
    const { lists, alone } = groupOf((container) => answers[container], { containers: pairsOf(20) });
    expect([lists.length, namesOf(alone)]).toEqual([1, namesOf(pairsOf(19, 1))]);
    expect(alone.slice(2).every(({ state }) => state === undefined)).toBe(true);
  });
});

describe('what is left of a container continues in an orchestration of its own', () => {
  const next = { source: 's1', beside: 'm1' };
  const file = { key: '0-chunk-0-0', attempt: 'bbbbbb', round: 0, pending: 2 };

  it.each<[string, TaskProgress, object]>([
    ['a further slice', { slice: { chunks: [CHUNK], next } }, { slice: 1, from: next, listed: false }],
    [
      'chunks',
      { slice: { chunks: [CHUNK, CHUNK] } },
      { listed: true, chunks: Array(2).fill({ chunk: CHUNK, from: 0 }) },
    ],
    ['a chunk that was not processed', { slice: { chunks: [CHUNK] } }, { chunks: [{ chunk: CHUNK, from: 0 }] }],
    ['a rest', { slice: { chunks: [CHUNK] }, piece: { next: 6 } }, { chunks: [{ chunk: CHUNK, from: 6 }] }],
    ['pending copies', { slice: { chunks: [CHUNK] }, piece: { pendingFile: file } }, { pendingFiles: [file] }],
    ['the comparison', { slice: { chunks: [] } }, { chunks: [], comparison: { part: 0, page: 0 } }],
    ['its rest', { ...COPIED, compared: { next: 3 } }, { comparison: { part: 1, page: 3 } }],
  ])('with %s', (_, progress, state) => {
    const { alone, result } = first(progress);
    expect(alone).toMatchObject([{ container: 'c0', state }]);
    expect(alone[0]!.after).toBeUndefined();
    expect(result).toEqual({ problems: [] });
  });

  it.each<[string, TaskProgress, object]>([
    ['a slice', { slice: { problem: throttled } }, { sliceFailures: { other: 1 }, listed: false }],
    [
      'a chunk',
      { slice: { chunks: [CHUNK] }, piece: { problem: throttled } },
      { chunks: [{ failures: { other: 1 } }] },
    ],
    ['a part', { ...COPIED, compared: { problem: throttled } }, { comparison: { page: 0, failures: { other: 1 } } }],
  ])('%s that failed is tried again after a wait', (_, progress, state) => {
    expect(first(progress).alone).toMatchObject([{ container: 'c0', state, after: 20 }]);
  });

  it('the problem of one container costs the others nothing, and it is compared as one that is not held', () => {
    const { result, lists, alone } = groupOf((container, gone) =>
      gone ? { compared: {} } : container === 'c0' ? { slice: { problem: denied } } : COPIED,
    );
    expect(result).toEqual({ problems: [denied] });
    expect(lists.length).toBe(1);
    expect(alone).toMatchObject([{ container: 'c0', gone: { code: 'failed', cause: 'access-denied-source' } }]);
  });

  it('after a problem, what was planned is still processed, and nothing is compared', () => {
    const { alone } = first({ slice: { problem: denied, chunks: [CHUNK] } });
    expect(alone[0]).toMatchObject({ state: { problem: denied, listed: true, chunks: [{ chunk: CHUNK }] } });
    expect(alone[0]!.state!.comparison).toBeUndefined();
  });

  it('a restore of tables writes nothing after a plan that failed', () => {
    const of = { ...run, mode: 'restore' } as unknown as RunRef;
    const containers = ['table.a', 'table.b'].map((container) => ({ container, destination: container }));
    const problem = problemOf('damaged', 0, 'table.a');
    const progressOf = (container: string): TaskProgress =>
      container === 'table.a' ? { slice: { problem, chunks: [CHUNK] } } : { slice: { chunks: [CHUNK] }, piece: {} };
    const { result, lists, alone } = groupOf(progressOf, { of, containers });
    expect(lists[0]![0]!.steps).toEqual({ plan: 'planTableRestore', work: 'writeEntities' });
    expect([result, alone]).toEqual([{ problems: [problem] }, []]);
  });
});

describe('containers that are gone', () => {
  const gone = { code: 'deleted' as const };

  it('are compared in lists', () => {
    const containers = pairsOf(3).map((pair) => ({ ...pair, gone }));
    const { result, lists, alone } = groupOf(() => ({ compared: {} }), { containers });
    expect(lists[0]![0]).toEqual({ container: 'c0', destination: 'c0backup', gone, compared: true });
    expect([result, alone]).toEqual([{ problems: [] }, []]);
  });

  it('continue on their own if they are large or fail', () => {
    const containers = pairsOf(3).map((pair) => ({ ...pair, gone }));
    const answers: Record<string, TaskProgress['compared']> = {
      c0: { next: 4 },
      c1: { problem: throttled },
    };
    const { alone } = groupOf((container) => ({ compared: answers[container] ?? {} }), { containers });
    expect(alone).toMatchObject([
      { container: 'c0', gone, state: { comparison: { part: 1, page: 4 } } },
      { container: 'c1', gone, state: { comparison: { part: 0, page: 0, failures: { other: 1 } } }, after: 20 },
    ]);
  });
});

describe('a list that does not come to its end', () => {
  it('every container of a list that the platform ended begins on its own, at a time of its own', () => {
    const { alone, lists } = groupOf(
      () => {
        throw new Error('WorkerProcessExitException');
      },
      { containers: pairsOf(10) },
    );
    expect(lists.length).toBe(1);
    expect(namesOf(alone)).toEqual(namesOf(pairsOf(10)));
    expect(alone.every(({ state }) => state?.sliceFailures?.interrupted === 1)).toBe(true);
    expect(new Set(alone.map(({ after }) => after)).size).toBeGreaterThan(5);
  });

  it('a run that is superseded or cancelled begins no further container', () => {
    for (const stopped of ['superseded', 'cancelled'] as const) {
      const { result, alone } = groupOf((container) =>
        container === 'c0' ? COPIED : container === 'c1' ? { slice: { stopped } } : undefined,
      );
      expect([result, alone]).toEqual([{ stopped, problems: [] }, []]);
    }
  });

  it('the pending copies of a cancelled run are aborted by the orchestration of their container', () => {
    const pendingFile = { key: '0-chunk-0-0', attempt: 'bbbbbb', round: 0, pending: 2 };
    const { result, alone } = groupOf(
      (container) =>
        container === 'c0'
          ? { slice: { chunks: [CHUNK] }, piece: { pendingFile } }
          : { slice: { stopped: 'cancelled' } },
      { alone: () => ({ stopped: 'cancelled' }) },
    );
    expect(alone).toMatchObject([{ container: 'c0', state: { pendingFiles: [pendingFile] } }]);
    expect(result).toEqual({ stopped: 'cancelled', problems: [] });
  });
});
