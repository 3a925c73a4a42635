import { describe, expect, it, test } from 'vitest';
import type { ListContainersInput } from '#activities/modes/list-containers.ts';
import type { ProcessTasksResult } from '#activities/modes/process-tasks.ts';
import type { ContainerPair, ListContainersResult } from '#activities/run/container-task.ts';
import type { PublishRunInput } from '#activities/run/run-findings.ts';
import { ORCHESTRATION_VERSION } from '#domain/run/orchestration-version.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';
import { patienceOf } from '#domain/run/sign-of-life.ts';
import { orchestrations } from '#orchestrations/index.ts';
import type { ProcessContainerInput, ProcessContainerResult } from '#orchestrations/process-container.ts';
import { combine, type ProcessGroupInput, processGroup } from '#orchestrations/process-group.ts';
import { processRun } from '#orchestrations/process-run.ts';
import { runJob } from '#orchestrations/run-job.ts';
import { OrchestrationHarness, type Orchestrator } from '../../support/app/orchestration-harness.ts';

const run: RunRef = {
  id: 'nightly-20261121T233000Z-k3f9q2',
  job: 'nightly',
  mode: 'incremental',
  trigger: 'timer',
  dryRun: false,
  startedAt: '2026-11-21T23:30:00.000Z',
  epoch: 3,
  orchestrations: ORCHESTRATION_VERSION,
};
const input = { run, requests: { PutBlob: 1 } };

const pairsOf = (count: number, start = 0): ContainerPair[] =>
  Array.from({ length: count }, (_, index) => ({
    container: `c${start + index}`,
    destination: `c${start + index}backup`,
  }));

/** No container is small. */
const noneBegun = (): ProcessTasksResult => ({ begun: [] });

type List = (input: ListContainersInput) => Partial<ListContainersResult> & { problem?: Problem };

/** Containers are answered for by a function, so that only the run itself is looked at. */
function harnessOf(
  list: List,
  backUp: (of: ProcessContainerInput) => ProcessContainerResult = () => ({}),
  publish: (of: PublishRunInput) => object = () => ({ status: 'succeeded' }),
) {
  const processContainer: Orchestrator = function* (context) {
    return yield context.df.callActivity('backUp', context.df.getInput());
  };
  return new OrchestrationHarness(
    { runJob, processRun, processGroup, processContainer },
    { listContainers: list, publishRun: publish, backUp, processTasks: noneBegun },
  );
}

const published = (harness: OrchestrationHarness) =>
  harness.calls('publishRun').map((task) => task.input as PublishRunInput);
const groups = (harness: OrchestrationHarness) =>
  harness.calls('processGroup').map((task) => (task.input as ProcessGroupInput).containers);

describe('a run', () => {
  it('a run lists, backs up and publishes', () => {
    const harness = harnessOf(() => ({ containers: pairsOf(2), problems: [], requests: { ListContainers: 1 } }));
    expect(harness.run('runJob', input)).toEqual({ status: 'succeeded' });
    expect(published(harness)).toEqual([
      { run, containers: 2, problems: [], cancelled: false, requests: { PutBlob: 1, ListContainers: 1 } },
    ]);
    expect(harness.generations.filter(({ name }) => name === 'processContainer').map((each) => each.input)).toEqual([
      { run, container: 'c0', destination: 'c0backup' },
      { run, container: 'c1', destination: 'c1backup' },
    ]);
  });

  it('a run that a change of its setup stopped says so, whatever the setup is when it is published', () => {
    const harness = harnessOf(
      () => ({ containers: pairsOf(2), problems: [] }),
      ({ container }) => (container === 'c1' ? { stopped: 'changed' } : {}),
    );
    harness.run('runJob', input);
    const [{ problems, cancelled }] = published(harness) as [PublishRunInput];
    expect(problems.map(({ code, container }) => [code, container])).toEqual([['setup-changed', undefined]]);
    expect(cancelled).toBe(false);
  });

  it('a retry passes on which containers must be scanned', () => {
    const [first, second] = pairsOf(2);
    const harness = harnessOf(() => ({ containers: [first!, { ...second!, scan: true }], problems: [] }));
    harness.run('runJob', { ...input, run: { ...run, mode: 'retry', retryOf: 'x' } });
    const inputs = harness.calls('processContainer').map((task) => task.input as ProcessContainerInput);
    expect(inputs.map(({ scan }) => scan)).toEqual([undefined, true]);
  });

  it('F39: a run processes 5,000 containers in groups of fifty, from any number of pages', () => {
    const harness = harnessOf(({ from }) => {
      const start = Number(from ?? 0);
      return {
        containers: pairsOf(start === 4800 ? 200 : 1200, start),
        problems: [],
        requests: { ListContainers: 1 },
        ...(start < 4800 && { next: String(start + 1200) }),
      };
    });
    expect(harness.run('runJob', input)).toEqual({ status: 'succeeded' });
    expect(groups(harness).every(({ length }) => length <= 50)).toBe(true);
    expect(groups(harness).length).toBe(100);
    const names = groups(harness)
      .flat()
      .map(({ container }) => container);
    expect(names).toEqual(pairsOf(5000).map(({ container }) => container));
    expect(published(harness)[0]).toMatchObject({ containers: 5000, requests: { ListContainers: 5 } });
    expect(harness.calls('listContainers').map((task) => (task.input as ListContainersInput).from)).toEqual([
      undefined,
      '1200',
      '2400',
      '3600',
      '4800',
    ]);
    const own = harness.generations.find(({ name }) => name === 'processRun')!;
    expect(own.yields.flat().length).toBeLessThanOrEqual(120);
  });
});

describe('F18: problems', () => {
  const unreachable = (container?: string) => problemOf('unreachable', 0, container, 'No answer');

  it('problems of containers, found in listing or backing up, are published with their number', () => {
    const invalid = problemOf('container-name-invalid', 0, 'bad');
    const harness = harnessOf(
      () => ({ containers: pairsOf(3), problems: [invalid] }),
      ({ container, gone }) => (container === 'c1' && !gone ? { problem: unreachable('c1') } : {}),
    );
    harness.run('runJob', input);
    expect(published(harness)).toMatchObject([
      { containers: 4, problems: [invalid, unreachable('c1')], cancelled: false },
    ]);
  });

  it('a container or table with a problem is compared all the same, as one of which the run holds nothing', () => {
    const missing = problemOf('container-not-found', 0, 'c2');
    const harness = harnessOf(
      () => ({ containers: pairsOf(3), problems: [] }),
      ({ container, gone }) => {
        if (gone) return container === 'c2' ? { problem: unreachable('c2') } : {};
        return container === 'c1' ? { problem: unreachable('c1') } : container === 'c2' ? { problem: missing } : {};
      },
    );
    harness.run('runJob', input);
    const inputs = harness.calls('processContainer').map((task) => task.input as ProcessContainerInput);
    expect(inputs.flatMap(({ container, gone }) => (gone ? [{ container, ...gone }] : []))).toEqual([
      { container: 'c1', code: 'failed', cause: 'unreachable' },
      { container: 'c2', code: 'deleted', cause: 'container-not-found' },
    ]);
    // Without a comparison, the run as a whole has failed.
    const whole = problemOf('unreachable', 0, undefined, 'c2: No answer');
    expect(published(harness)).toMatchObject([{ containers: 3, problems: [unreachable('c1'), missing, whole] }]);
  });

  it('containers that are gone get a task each, unless an earlier page has them', () => {
    const gone = { code: 'deleted' as const };
    const harness = harnessOf(({ from }) =>
      from === undefined
        ? { containers: pairsOf(2), problems: [], next: 'second' }
        : { containers: [...pairsOf(1, 2), ...pairsOf(5).map((pair) => ({ ...pair, gone }))], problems: [] },
    );
    harness.run('runJob', input);
    const tasks = groups(harness).flat();
    expect(tasks.filter((task) => task.gone).map(({ container }) => container)).toEqual(['c3', 'c4']);
    expect(published(harness)).toMatchObject([{ containers: 3, problems: [] }]);
  });

  it('problems of the listing concern the whole run; containers found before are still backed up', () => {
    const harness = harnessOf(({ from }) =>
      from ? { problem: unreachable() } : { containers: pairsOf(1), problems: [], next: 'x' },
    );
    harness.run('runJob', input);
    expect(published(harness)).toMatchObject([{ containers: 1, problems: [unreachable()] }]);
    expect(groups(harness).flat().length).toBe(1);
  });

  it('a run without any container is not a success, and says so', () => {
    const harness = harnessOf(() => ({ containers: [], problems: [] }));
    harness.run('runJob', input);
    expect(published(harness)).toMatchObject([{ containers: 0, problems: [{ code: 'no-containers', count: 0 }] }]);
    const failed = harnessOf(() => ({ problem: unreachable() }));
    failed.run('runJob', input);
    expect(published(failed)[0]!.problems).toEqual([unreachable()]);
  });
});

describe('F29: a run that must stop', () => {
  const list: List = () => ({ containers: pairsOf(120), problems: [] });

  it('a cancelled run is published as cancelled', () => {
    const harness = harnessOf(list, ({ container }) => (container === 'c77' ? { stopped: 'cancelled' } : {}));
    harness.run('runJob', input);
    expect(published(harness)).toMatchObject([{ containers: 120, cancelled: true, problems: [] }]);
  });

  it('a superseded run publishes nothing, even if other containers were cancelled', () => {
    const harness = harnessOf(list, ({ container }) =>
      container === 'c0' ? { stopped: 'cancelled' } : container === 'c119' ? { stopped: 'superseded' } : {},
    );
    expect(harness.run('runJob', input)).toEqual({ status: 'superseded' });
    expect(published(harness)).toEqual([]);
  });

  it.each([
    [[undefined, undefined], undefined],
    [['cancelled', undefined], 'cancelled'],
    [['cancelled', 'superseded'], 'superseded'],
    [['superseded', 'cancelled', undefined], 'superseded'],
    [[], undefined],
  ] as const)('the reasons %j stop a run as %s', (reasons, stopped) => {
    const results = reasons.map((reason) => ({ ...(reason && { stopped: reason }), problems: [] }));
    expect(combine(results).stopped).toBe(stopped);
  });
});

describe('I4: an activity that the platform ends', () => {
  const ends = (times: number, answer: object) => {
    let tries = 0;
    return () => {
      if (++tries <= times)
        throw new Error('WorkerProcessExitException: node exited with code 134\n   at Script.Worker');
      return answer;
    };
  };

  it('a listing of the containers is called again', () => {
    const harness = harnessOf(ends(4, { containers: pairsOf(1), problems: [] }) as List);
    expect(harness.run('runJob', input)).toEqual({ status: 'succeeded' });
    expect(published(harness)).toMatchObject([{ containers: 1, problems: [] }]);
    expect(harness.calls('listContainers')).toHaveLength(5);
    // They outlast a deployment, and do not fall on the waits of other steps.
    const [first, ...others] = harness.waits;
    expect(first).toBeGreaterThanOrEqual(20);
    expect(others.every((seconds) => seconds >= 40 && seconds < 120)).toBe(true);
  });

  it('a run whose listing is always ended is published as failed, with a cause and no stack trace', () => {
    const harness = harnessOf(ends(9, {}) as List);
    expect(harness.run('runJob', input)).toEqual({ status: 'succeeded' });
    const message = 'The platform ended listContainers each time before it answered (WorkerProcessExitException)';
    expect(published(harness)).toMatchObject([{ containers: 0, problems: [{ code: 'interrupted', message }] }]);
  });
});

describe('I4: an orchestration that fails', () => {
  const fail: Orchestrator = () => {
    throw new Error('Non-Deterministic workflow detected: A previous execution of this orchestration scheduled …');
  };
  const harnessWith = (broken: Record<string, Orchestrator>) =>
    new OrchestrationHarness(
      { runJob, processRun, processGroup, processContainer: function* () {}, ...broken },
      {
        listContainers: () => ({ containers: pairsOf(3), problems: [] }),
        publishRun: () => ({ status: 'failed' }),
        processTasks: noneBegun,
        // An orchestration that does not catch what its activity throws.
        work: ({ container, gone }: ProcessContainerInput) => {
          if (container === 'c1' && !gone) throw new Error('Non-Deterministic workflow detected');
          return {};
        },
      },
    );

  it('the run is published with what it did if its own orchestration fails', () => {
    const harness = harnessWith({ processRun: fail });
    expect(harness.run('runJob', input)).toEqual({ status: 'failed' });
    expect(published(harness)).toEqual([
      {
        run,
        containers: 0,
        problems: [problemOf('orchestration-failed', 0)],
        cancelled: false,
        requests: { PutBlob: 1 },
      },
    ]);
  });

  it.each([undefined, ORCHESTRATION_VERSION - 1, ORCHESTRATION_VERSION + 1])(
    'F31: a run that version %s began is published as failed at once, with what it did',
    (version) => {
      const harness = new OrchestrationHarness(orchestrations as unknown as Record<string, Orchestrator>, {
        publishRun: () => ({ status: 'failed' }),
      });
      const { orchestrations: _, ...first } = run;
      const began = version === undefined ? first : { ...run, orchestrations: version };
      expect(harness.run('runJob', { run: began, requests: {} })).toEqual({ status: 'failed' });
      expect(published(harness)).toMatchObject([{ run: began, problems: [problemOf('deployed-during-run', 0)] }]);
      for (const name of ['processRun', 'processGroup', 'processContainer', 'backUpTable']) {
        const input = { run: began, containers: pairsOf(2), ...pairsOf(1)[0] };
        expect(() => harness.run(name, input)).toThrow(/begun by version/);
      }
    },
  );

  it('a group that fails is a problem of the run', () => {
    const harness = harnessWith({ processGroup: fail });
    harness.run('runJob', input);
    expect(published(harness)).toMatchObject([{ containers: 3, problems: [problemOf('orchestration-failed', 0)] }]);
  });

  it('a container that fails is compared as one of which the run holds nothing, and costs no other its result', () => {
    const processContainer: Orchestrator = function* (context) {
      yield context.df.callActivity('work', context.df.getInput());
      return {};
    };
    const harness = harnessWith({ processContainer });
    harness.run('runJob', input);
    expect(published(harness)).toMatchObject([
      { containers: 3, problems: [problemOf('orchestration-failed', 0, 'c1')] },
    ]);
    const gone = harness.calls('processContainer').map((task) => (task.input as ProcessContainerInput).gone);
    expect(gone.filter((each) => each !== undefined)).toEqual([{ code: 'failed', cause: 'orchestration-failed' }]);
  });
});

describe('I4: a vault that is unreachable when the run is published', () => {
  const failing = (times: number) => {
    let tries = 0;
    return harnessOf(
      () => ({ containers: pairsOf(1), problems: [] }),
      undefined,
      () => {
        if (++tries <= times) throw new Error('unreachable');
        return { status: 'succeeded' };
      },
    );
  };

  it.each([
    [1, [5]],
    [3, [5, 30, 100]],
    [4, [5, 30, 100, 100]],
  ])('a run waits and publishes the same again after %i failed attempts', (times, waits) => {
    const harness = failing(times);
    expect(harness.run('runJob', input)).toEqual({ status: 'succeeded' });
    expect(harness.waits).toEqual(waits);
    for (const again of published(harness)) expect(again).toEqual(published(harness)[0]);
  });

  it('a run fails if the vault stays unreachable, and another run may take its lock over', () => {
    const harness = failing(Number.POSITIVE_INFINITY);
    expect(() => harness.run('runJob', input)).toThrow('unreachable');
    expect(published(harness).length).toBe(harness.waits.length + 1);
    const hours = harness.waits.reduce((sum, seconds) => sum + seconds, 0) / 3600;
    expect(hours).toBeGreaterThan(6);
    // Once the vault is back, a start of the job waits that long for a sign of life.
    const { signEvery } = patienceOf({ silentMs: 600_000 });
    expect(Math.max(...harness.waits)).toBeLessThan((2 * signEvery) / 1000);
  });
});

describe('I5: a prune that carries out a plan', () => {
  const prune = { ...run, mode: 'prune' as const, prune: { plan: { run: 'made', hash: 'abc' } } };

  const harnessOfPrune = (
    given: {
      list?: List;
      work?: (of: ProcessContainerInput) => ProcessContainerResult;
      remove?: () => object;
      clear?: (input: { from?: number }) => object;
    } = {},
  ) => {
    const { list = () => ({ containers: pairsOf(2), problems: [] }), work = () => ({}), remove } = given;
    const processContainer: Orchestrator = function* (context) {
      return yield context.df.callActivity('work', context.df.getInput());
    };
    return new OrchestrationHarness(
      { runJob, processRun, processGroup, processContainer },
      {
        listContainers: list,
        work,
        processTasks: noneBegun,
        removePoints: remove ?? (() => ({ removed: 1, requests: { DeleteBlob: 3 } })),
        clearOldRuns: given.clear ?? (() => ({ requests: { DeleteBlob: 2 } })),
        publishRun: () => ({ status: 'succeeded' }),
      },
    );
  };
  const order = (harness: OrchestrationHarness) =>
    harness.generations
      .filter(({ name }) => name === 'processRun' || name === 'runJob')
      .reverse()
      .flatMap(({ yields }) => yields.flat().map(({ name }) => name))
      .filter((name) => name !== 'processRun');

  it('a prune removes manifests when all containers are done, and then publishes', () => {
    const harness = harnessOfPrune();
    harness.run('runJob', { run: prune, requests: { PutBlob: 1 } });
    expect(order(harness)).toEqual(['listContainers', 'processGroup', 'removePoints', 'clearOldRuns', 'publishRun']);
    expect(published(harness)[0]).toMatchObject({ problems: [], requests: { PutBlob: 1, DeleteBlob: 5 } });
  });

  it('a prune removes restore points as long as there are more', () => {
    const left = [
      { removed: 2, next: true, requests: { DeleteBlob: 3 } },
      { removed: 1, requests: { DeleteBlob: 4 } },
    ];
    const harness = harnessOfPrune({ remove: () => left.shift()! });
    harness.run('runJob', { run: prune, requests: {} });
    expect(order(harness)).toEqual([
      ...['listContainers', 'processGroup', 'removePoints', 'removePoints', 'clearOldRuns', 'publishRun'],
    ]);
    expect(published(harness)[0]).toMatchObject({ requests: { DeleteBlob: 9 } });
  });

  it('a prune clears old runs as long as there are more, until it is stopped', () => {
    const froms: (number | undefined)[] = [];
    const clear = ({ from }: { from?: number }) => {
      froms.push(from);
      return from === 16 ? { stopped: 'cancelled' } : { next: (from ?? 0) + 8 };
    };
    const harness = harnessOfPrune({ clear });
    harness.run('runJob', { run: prune, requests: {} });
    expect(froms).toEqual([undefined, 8, 16]);
    expect(published(harness)[0]).toMatchObject({ cancelled: true });
  });

  it('a prune removes manifests even if there is no content to delete', () => {
    const harness = harnessOfPrune({ list: () => ({ containers: [], problems: [] }) });
    harness.run('runJob', { run: prune, requests: {} });
    expect(order(harness)).toEqual(['listContainers', 'removePoints', 'clearOldRuns', 'publishRun']);
    expect(published(harness)[0]!.problems).toEqual([]);
  });

  it.each<[string, Parameters<typeof harnessOfPrune>[0]]>([
    ['the plan is stale', { list: () => ({ containers: [], problems: [problemOf('plan-stale', 0)] }) }],
    ['the vault cannot be read', { list: () => ({ problem: problemOf('damaged', 0) }) }],
    ['a container has a problem', { work: ({ container }) => ({ problem: problemOf('throttled', 0, container) }) }],
    ['it is cancelled', { work: () => ({ stopped: 'cancelled' }) }],
    ['it is superseded', { work: () => ({ stopped: 'superseded' }) }],
  ])('a prune removes no manifest if %s', (_, given) => {
    const harness = harnessOfPrune(given);
    harness.run('runJob', { run: prune, requests: {} });
    expect(harness.calls('removePoints')).toEqual([]);
  });

  it('neither a planning prune nor a backup removes manifests', () => {
    for (const other of [{ ...prune, dryRun: true, prune: {} }, run]) {
      const harness = harnessOfPrune();
      harness.run('runJob', { run: other, requests: {} });
      expect(harness.calls('removePoints')).toEqual([]);
    }
  });

  it('a prune reports manifests that could not be removed', () => {
    const refused = problemOf('access-denied-prune', 0);
    const harness = harnessOfPrune({ remove: () => ({ problem: refused }) });
    harness.run('runJob', { run: prune, requests: {} });
    expect(published(harness)[0]!.problems).toEqual([refused]);
  });
});

describe('a run that is followed by another', () => {
  const first = { ...run, hasNext: true as const };
  const second = { ...run, id: 'nightly-20261121T234500Z-zzzzzz', mode: 'verify' as const, follows: run.id };

  const harnessOfTwo = (begin: (of: { run: RunRef }) => object, publish: () => object = () => ({ status: 'ended' })) =>
    new OrchestrationHarness(
      { runJob, processRun, processGroup, processContainer: function* () {} },
      { listContainers: () => ({ containers: [], problems: [] }), publishRun: publish, beginNext: begin },
    );

  it('a run starts the next one after it has published, and answers with its own end', () => {
    const harness = harnessOfTwo(() => ({ next: second }));
    expect(harness.run('runJob', { run: first, requests: {} })).toEqual({ status: 'ended' });
    expect(published(harness).map(({ run: { id } }) => id)).toEqual([first.id, second.id]);
    expect(harness.calls('beginNext')).toMatchObject([{ input: { run: first } }]);
  });

  it.each<[string, () => object]>([
    ['no run follows', () => ({})],
    [
      'the next one cannot start',
      () => {
        throw new Error('unreachable');
      },
    ],
  ])('a run ends as usual if %s', (_, begin) => {
    const harness = harnessOfTwo(begin);
    expect(harness.run('runJob', { run: first, requests: {} })).toEqual({ status: 'ended' });
    expect(published(harness)).toHaveLength(1);
  });

  it('a run keeps its own end, whatever the next one does', () => {
    let published = 0;
    const harness = harnessOfTwo(
      () => ({ next: second }),
      () => {
        if (published++ > 0) throw new Error('unreachable');
        return { status: 'ended' };
      },
    );
    expect(harness.run('runJob', { run: first, requests: {} })).toEqual({ status: 'ended' });
  });

  it('a run that none may follow starts no other', () => {
    const harness = harnessOfTwo(() => ({ next: second }));
    harness.run('runJob', { run, requests: {} });
    expect(harness.calls('beginNext')).toEqual([]);
  });
});

test('F31: equal answers give equal sequences of tasks', () => {
  const sequence = () => {
    const harness = harnessOf(() => ({ containers: pairsOf(70), problems: [] }));
    harness.run('runJob', input);
    return harness.generations;
  };
  expect(sequence()).toEqual(sequence());
});

describe('after a reconciliation', () => {
  const reconcile = { run: { ...run, mode: 'reconcile' as const }, requests: {} };
  const tidying = (answers: object[]) => {
    const processContainer: Orchestrator = function* (context) {
      return yield context.df.callActivity('backUp', context.df.getInput());
    };
    let asked = 0;
    return new OrchestrationHarness(
      { runJob, processRun, processGroup, processContainer },
      {
        listContainers: () => ({ containers: pairsOf(1), problems: [], requests: {} }),
        backUp: () => ({}),
        tidyArchive: () => answers[asked++]!,
        publishRun: () => ({ status: 'succeeded' }),
      },
    );
  };

  it('a reconciliation tidies key range by key range, and is published with those requests', () => {
    const next = { source: 'm' };
    const harness = tidying([{ next, requests: { ListBlobs: 2 } }, { requests: { ListBlobs: 1 } }]);
    harness.run('runJob', reconcile);
    expect(harness.calls('tidyArchive').map(({ input }) => input)).toEqual([
      { run: reconcile.run },
      { run: reconcile.run, from: next },
    ]);
    expect(published(harness)).toMatchObject([{ cancelled: false, problems: [], requests: { ListBlobs: 3 } }]);
  });

  it('a reconciliation can be cancelled while it tidies', () => {
    const harness = tidying([{ stopped: 'cancelled', requests: {} }]);
    harness.run('runJob', reconcile);
    expect(published(harness)).toMatchObject([{ cancelled: true }]);
  });

  it('F29: a reconciliation publishes nothing once another run has its lock', () => {
    const harness = tidying([{ stopped: 'superseded', requests: {} }]);
    expect(harness.run('runJob', reconcile)).toEqual({ status: 'superseded' });
    expect(published(harness)).toEqual([]);
  });

  it('a service that is unreachable for a moment costs nothing archived; a missing right is reported', () => {
    const away = tidying([{ problem: problemOf('throttled', 0), requests: {} }]);
    away.run('runJob', reconcile);
    expect(published(away)).toMatchObject([{ problems: [] }]);
    const denied = tidying([{ problem: problemOf('access-denied-prune', 0), requests: {} }]);
    denied.run('runJob', reconcile);
    expect(published(denied)).toMatchObject([{ problems: [{ code: 'access-denied-prune' }] }]);
  });
});
