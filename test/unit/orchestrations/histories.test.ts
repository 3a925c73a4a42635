import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { CompareInput } from '#activities/backup/compare-container.ts';
import type { ConfirmCopiesInput } from '#activities/modes/confirm-copies.ts';
import type { ProcessTasksInput } from '#activities/modes/process-tasks.ts';
import type { ChunkInput } from '#activities/run/chunk.ts';
import type { SliceInput } from '#activities/run/slice.ts';
import { ORCHESTRATION_VERSION } from '#domain/run/orchestration-version.ts';
import { problemOf } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';
import { orchestrations } from '#orchestrations/index.ts';
import { type Generation, OrchestrationHarness, type Orchestrator } from '../../support/app/orchestration-harness.ts';

/**
 * A deploy meets orchestrations that are under way: what today's code schedules, given the history that an earlier
 * release recorded, must be what that release scheduled. Where a change cannot keep to that, `ORCHESTRATION_VERSION`
 * is raised: the runs of earlier versions end as failed, and their histories say no more than that.
 * `RECORD_HISTORIES=0.1 npm test -- test/unit/orchestrations` adds the histories of a release.
 */
const FOLDER = new URL('../../histories/', import.meta.url);
const orchestrators = orchestrations as unknown as Record<string, Orchestrator>;

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

/**
 * A run with everything in it: pages of containers, slices, pieces, pending copies, failures that pass, a lost
 * activity.
 */
function eventfulRun(cancelled: boolean): Generation[] {
  const failures = new Map<string, number>();
  const fails = (key: string, times: number) => {
    const before = failures.get(key) ?? 0;
    failures.set(key, before + 1);
    return before < times;
  };
  const harness = new OrchestrationHarness(orchestrators, {
    listContainers: ({ from }: { from?: string }) => {
      const name = from ?? 'a';
      const containers = ['small', 'one', 'two'].map((each) => ({
        container: name + each,
        destination: `${name}${each}backup`,
      }));
      return { containers, problems: [], requests: { ListContainers: 1 }, ...(from === undefined && { next: 'b' }) };
    },
    // Of the containers of a list, one is finished, and the others are not begun.
    processTasks: ({ tasks }: ProcessTasksInput) => ({
      begun: tasks[0]!.container === 'asmall' ? [{ slice: {}, compared: {} }] : [],
    }),
    scanSlice: ({ container, slice }: SliceInput) => {
      if (container === 'bone') return { problem: problemOf('access-denied-source', 0, container) };
      if (fails(`${container} ${slice}`, slice)) return { problem: problemOf('throttled', 0, container) };
      const chunks = [0, 1, 2].map((chunk) => ({ slice, chunk, key: `${slice}-${chunk}-aaaaaa`, items: 10 }));
      return { chunks, ...(slice < 2 && { next: { source: `s${slice}`, beside: `m${slice}` } }) };
    },
    copyChunk: ({ container, chunk, from }: ChunkInput) => {
      if (cancelled && chunk.slice === 2) return { stopped: 'cancelled' };
      if (container === 'btwo' && chunk.slice === 1) throw new Error('The activity took too long');
      if (fails(`${container} ${chunk.key}`, chunk.chunk === 1 ? 1 : 0))
        return { problem: problemOf('unreachable', 0) };
      if (from === 0 && chunk.chunk === 2) return { next: 6 };
      const work = { key: `${chunk.slice}-chunk-${chunk.chunk}-${from}`, attempt: 'bbbbbb', round: 0, pending: 2 };
      return chunk.chunk === 0 ? { pendingFile: work } : {};
    },
    confirmCopies: ({ pendingFile: work }: ConfirmCopiesInput) =>
      work.round < 40 ? { pendingFile: { ...work, round: work.round + 1 } } : {},
    compareContainer: ({ page }: CompareInput) => (page < 2 ? { next: page + 1 } : {}),
    abortCopies: () => ({ aborted: 2 }),
    publishRun: () => {
      if (fails('publish', 2)) throw new Error('The vault cannot be reached');
      return { status: cancelled ? 'cancelled' : 'completed-with-failures' };
    },
  });
  harness.run('runJob', { run, requests: { PutBlob: 1 } });
  return harness.generations;
}

const version = process.env.RECORD_HISTORIES;
if (version) {
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, cancelled] of [
    ['finished', false],
    ['cancelled', true],
  ] as const) {
    writeFileSync(new URL(`${version}-${name}.json`, FOLDER), `${JSON.stringify(eventfulRun(cancelled))}\n`);
  }
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

test('the histories hold everything that an orchestration can meet', () => {
  expect(files.length).toBeGreaterThan(0);
  const all = files.map((name) => readFileSync(new URL(name, FOLDER), 'utf8')).join('');
  for (const word of [
    'scanSlice',
    'confirmCopies',
    'abortCopies',
    'compareContainer',
    'timer',
    '"next\\":{',
    'took too long',
    'listContainers',
    'processTasks',
  ])
    expect(all).toContain(word);
});

const versionOf = ({ input }: Generation) => (input as { run: RunRef }).run.orchestrations;

test.each(files)('F31: the version of the orchestrations is raised if they do not continue those in %s', (name) => {
  const recorded = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as Generation[];
  expect(recorded.map(versionOf)).toEqual(recorded.map(() => ORCHESTRATION_VERSION));
});

test.each(files)('F31: orchestrations in progress from %s continue as they were started', (name) => {
  const recorded = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as Generation[];
  const harness = new OrchestrationHarness(orchestrators, {});
  for (const generation of recorded) expect(harness.replay(generation)).toEqual(generation);
});
