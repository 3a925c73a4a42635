import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { CompareInput, CompareResult } from '#activities/backup/compare-container.ts';
import type { AbortCopiesInput } from '#activities/modes/abort-copies.ts';
import type { ConfirmCopiesInput } from '#activities/modes/confirm-copies.ts';
import type { ChunkInput, ChunkResult } from '#activities/run/chunk.ts';
import type { SliceInput, SliceResult } from '#activities/run/slice.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';
import { processContainer } from '#orchestrations/process-container.ts';
import { OrchestrationHarness } from '../../support/app/orchestration-harness.ts';

const run: RunRef = {
  id: 'nightly-20261121T233000Z-k3f9q2',
  job: 'nightly',
  mode: 'incremental',
  trigger: 'http',
  dryRun: false,
  startedAt: '2026-11-21T23:30:00.000Z',
  epoch: 3,
};
const about = { run, container: 'images', destination: 'imagesbackup' };

type Scan = (input: SliceInput) => SliceResult;
type Copy = (input: ChunkInput) => ChunkResult & { problem?: Problem };
type Compare = (input: CompareInput) => CompareResult & { problem?: Problem };
type Confirm = (input: ConfirmCopiesInput) => ChunkResult & { problem?: Problem };

function chunksOf(slice: number, count: number) {
  return Array.from({ length: count }, (_, chunk) => ({ slice, chunk, key: `${slice}-${chunk}`, items: 10 }));
}

/** So many slices, each with so many chunks. */
function scanOf(slices: number, chunks: number): Scan {
  return ({ slice }) => ({
    chunks: chunksOf(slice, chunks),
    ...(slice < slices - 1 && { next: { source: `s${slice + 1}`, beside: `m${slice + 1}` } }),
  });
}

function harnessOf(activities: {
  scan?: Scan;
  retry?: Scan;
  copy?: Copy;
  confirm?: Confirm;
  compare?: Compare;
  abort?: () => object;
}) {
  const { scan = scanOf(1, 1), retry = scanOf(1, 1), copy = () => ({}), confirm = () => ({}) } = activities;
  return new OrchestrationHarness(
    { processContainer },
    {
      scanSlice: scan,
      planRetry: retry,
      copyChunk: copy,
      confirmCopies: confirm,
      compareContainer: activities.compare ?? (() => ({})),
      abortCopies: activities.abort ?? (() => ({ aborted: 0 })),
    },
  );
}

const namesOf = (harness: OrchestrationHarness) =>
  harness.generations.flatMap(({ yields }) => yields.map((tasks) => tasks.map(({ name }) => name)));
const pieces = (harness: OrchestrationHarness) =>
  harness.calls('copyChunk').map(({ input }) => {
    const { chunk, from } = input as ChunkInput;
    return `${chunk.key}@${from}`;
  });

describe('one container', () => {
  it('a container is scanned and copied', () => {
    const harness = harnessOf({});
    expect(harness.run('processContainer', about)).toEqual({});
    expect(namesOf(harness)).toEqual([['scanSlice'], ['copyChunk'], ['compareContainer']]);
    expect(harness.calls('scanSlice')[0]!.input).toEqual({ ...about, slice: 0 });
    expect(harness.calls('copyChunk')[0]!.input).toEqual({ ...about, chunk: chunksOf(0, 1)[0], from: 0 });
  });

  it('a container with nothing to copy is only scanned', () => {
    const harness = harnessOf({ scan: scanOf(1, 0) });
    expect(harness.run('processContainer', about)).toEqual({});
    expect(namesOf(harness)).toEqual([['scanSlice'], ['compareContainer']]);
  });

  it('one slice is copied while the next is scanned, each from where the one before ended', () => {
    const harness = harnessOf({ scan: scanOf(3, 2) });
    harness.run('processContainer', about);
    expect(namesOf(harness)).toEqual([
      ['scanSlice'],
      ['scanSlice', 'copyChunk', 'copyChunk'],
      ['scanSlice', 'copyChunk', 'copyChunk'],
      ['copyChunk', 'copyChunk'],
      ['compareContainer'],
    ]);
    expect(harness.calls('scanSlice').map(({ input }) => input)).toEqual([
      { ...about, slice: 0 },
      { ...about, slice: 1, from: { source: 's1', beside: 'm1' } },
      { ...about, slice: 2, from: { source: 's2', beside: 'm2' } },
    ]);
  });

  it('a chunk continues where the last execution left it', () => {
    const harness = harnessOf({ copy: ({ from }) => (from < 9 ? { next: from + 3 } : {}) });
    expect(harness.run('processContainer', about)).toEqual({});
    expect(pieces(harness)).toEqual(['0-0@0', '0-0@3', '0-0@6', '0-0@9']);
  });

  it('a dry run copies nothing', () => {
    const harness = harnessOf({ scan: scanOf(3, 2) });
    expect(harness.run('processContainer', { ...about, run: { ...run, dryRun: true } })).toEqual({});
    expect(harness.calls('scanSlice').length).toBe(3);
  });

  it('a retry plans from the failures of the earlier run, unless the container must be scanned', () => {
    const retry = { ...about, run: { ...run, mode: 'retry', retryOf: 'x' } };
    const planned = harnessOf({});
    planned.run('processContainer', retry);
    expect(namesOf(planned)).toEqual([['planRetry'], ['copyChunk'], ['compareContainer']]);
    const scanned = harnessOf({});
    scanned.run('processContainer', { ...retry, scan: true });
    expect(namesOf(scanned)).toEqual([['scanSlice'], ['copyChunk'], ['compareContainer']]);
  });
});

describe('F39: a container of any size', () => {
  it('an orchestration continues as new before its history gets long, and carries its state over', () => {
    const harness = harnessOf({
      scan: scanOf(120, 3),
      copy: ({ from }) => (from === 0 ? { next: 5 } : {}),
    });
    expect(harness.run('processContainer', about)).toEqual({});
    expect(harness.generations.length).toBeGreaterThan(5);
    for (const { yields } of harness.generations) expect(yields.flat().length).toBeLessThanOrEqual(100);
    const scans = harness.calls('scanSlice').map(({ input }) => input as SliceInput);
    expect(scans.map(({ slice }) => slice)).toEqual(Array.from({ length: 120 }, (_, slice) => slice));
    for (const { slice, from } of scans.slice(1)) expect(from).toEqual({ source: `s${slice}`, beside: `m${slice}` });
    const wanted = scans.flatMap(({ slice }) =>
      [0, 1, 2].flatMap((chunk) => [`${slice}-${chunk}@0`, `${slice}-${chunk}@5`]),
    );
    expect(pieces(harness).sort()).toEqual(wanted.sort());
    for (const { input } of harness.generations) expect(JSON.stringify(input).length).toBeLessThan(10_000);
  });

  it('a page of huge blobs, each in a chunk of its own, is copied step by step', () => {
    const harness = harnessOf({ scan: scanOf(2, 1000) });
    expect(harness.run('processContainer', about)).toEqual({});
    for (const { yields } of harness.generations) expect(yields.flat().length).toBeLessThanOrEqual(100);
    expect(new Set(pieces(harness)).size).toBe(2000);
    expect(pieces(harness).length).toBe(2000);
  });

  it('a container whose copies all stay pending opens a limited number of pending files', () => {
    let time = 0;
    const harness = harnessOf({
      scan: scanOf(60, 8),
      copy: ({ chunk }) => ({ pendingFile: { key: chunk.key, attempt: 'aaaaaa', round: 0, pending: 10 } }),
      confirm: ({ pendingFile: work }) => {
        time++;
        return work.round < 3 ? { pendingFile: { ...work, round: work.round + 1 } } : {};
      },
    });
    expect(harness.run('processContainer', about)).toEqual({});
    expect(time).toBe(60 * 8 * 4);
    expect(pieces(harness).length).toBe(480);
    for (const { yields } of harness.generations) {
      for (const tasks of yields) expect(tasks.length).toBeLessThanOrEqual(120);
      expect(yields.flat().length).toBeLessThanOrEqual(120);
    }
  });

  it('every chunk is copied to its end and every pending copy is confirmed, whatever the activities answer', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 5 }),
        fc.nat({ max: 3 }),
        (slices, chunks, steps, rounds) => {
          const done = new Map<string, number>();
          const open = new Set<string>();
          const harness = harnessOf({
            scan: ({ slice }) => ({
              chunks: chunksOf(slice, chunks[slice % chunks.length]!),
              ...(slice < slices - 1 && { next: { source: `s${slice + 1}` } }),
            }),
            copy: ({ chunk, from }) => {
              expect(done.get(chunk.key) ?? 0).toBe(from);
              const next = Math.min(10, from + 3 + steps[(chunk.chunk + from) % steps.length]!);
              done.set(chunk.key, next);
              const key = `${chunk.key}@${from}`;
              if (rounds > 0) open.add(`${key}-0`);
              return {
                ...(next < 10 && { next }),
                ...(rounds > 0 && { pendingFile: { key, attempt: 'aaaaaa', round: 0, pending: 1 } }),
              };
            },
            confirm: ({ pendingFile: work }) => {
              expect(open.delete(`${work.key}-${work.round}`)).toBe(true);
              if (work.round + 1 >= rounds) return {};
              open.add(`${work.key}-${work.round + 1}`);
              return { pendingFile: { ...work, round: work.round + 1 } };
            },
          });
          expect(harness.run('processContainer', about)).toEqual({});
          expect(open.size).toBe(0);
          const wanted = Array.from({ length: slices }, (_, slice) => chunks[slice % chunks.length]!);
          expect(done.size).toBe(wanted.reduce((sum, count) => sum + count, 0));
          expect([...done.values()].every((end) => end === 10)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('pending copies', () => {
  const pendingOnce: Copy = ({ chunk }) => ({
    pendingFile: { key: chunk.key, attempt: 'aaaaaa', round: 0, pending: 2 },
  });

  it('pending copies are checked after growing delays, half a minute at most', () => {
    let round = 0;
    const harness = harnessOf({
      copy: pendingOnce,
      confirm: ({ pendingFile: work }) => (++round < 9 ? { pendingFile: { ...work, round } } : {}),
    });
    expect(harness.run('processContainer', about)).toEqual({});
    expect(harness.waits).toEqual([1, 2, 4, 8, 16, 30, 30, 30, 30]);
    expect(harness.calls('confirmCopies').map(({ input }) => (input as ConfirmCopiesInput).pendingFile.round)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8,
    ]);
  });

  it('content that is being rehydrated is checked every five minutes, and its copy every half minute', () => {
    let round = 0;
    const harness = harnessOf({
      copy: ({ chunk }) => ({
        pendingFile: { ...pendingOnce({ chunk } as ChunkInput).pendingFile!, rehydrating: true },
      }),
      confirm: ({ pendingFile: { rehydrating: _, ...work } }) => {
        if (++round === 14) return {};
        return { pendingFile: { ...work, round, ...(round < 11 && { rehydrating: true as const }) } };
      },
    });
    expect(harness.run('processContainer', about)).toEqual({});
    expect(harness.waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 30, 30, 30]);
  });

  it('content that is being rehydrated delays no copy that is pending', () => {
    let round = 0;
    const harness = harnessOf({
      scan: scanOf(1, 2),
      copy: ({ chunk }) => ({
        pendingFile: {
          ...pendingOnce({ chunk } as ChunkInput).pendingFile!,
          ...(chunk.chunk === 0 && { rehydrating: true as const }),
        },
      }),
      confirm: ({ pendingFile: work }) =>
        ++round < (work.rehydrating ? 20 : 40) ? { pendingFile: { ...work, round } } : {},
    });
    expect(harness.run('processContainer', about)).toEqual({});
    expect(Math.max(...harness.waits)).toBe(30);
  });

  it('the delay of pending copies survives a new generation', () => {
    let round = 0;
    const harness = harnessOf({
      copy: pendingOnce,
      confirm: ({ pendingFile: work }) => (++round < 250 ? { pendingFile: { ...work, round } } : {}),
    });
    expect(harness.run('processContainer', about)).toEqual({});
    expect(harness.generations.length).toBeGreaterThan(2);
    expect(harness.waits.slice(10).every((seconds) => seconds === 30)).toBe(true);
    expect(harness.calls('confirmCopies').length).toBe(250);
  });

  it('pending copies are checked without a delay while there is something to copy', () => {
    const harness = harnessOf({
      scan: scanOf(2, 1),
      copy: ({ chunk }) => (chunk.slice === 0 ? pendingOnce({ chunk } as ChunkInput) : {}),
    });
    harness.run('processContainer', about);
    expect(namesOf(harness)).toEqual([
      ['scanSlice'],
      ['scanSlice', 'copyChunk'],
      ['copyChunk', 'confirmCopies'],
      ['compareContainer'],
    ]);
  });
});

describe('F18: problems', () => {
  const unreachable = problemOf('unreachable', 0, 'images', 'No answer');

  it('a problem of a scan ends the listing; planned chunks are still copied, and the problem is reported', () => {
    const harness = harnessOf({
      scan: (input) => (input.slice < 2 ? scanOf(9, 2)(input) : { problem: unreachable }),
    });
    expect(harness.run('processContainer', about)).toEqual({ problem: unreachable });
    // The third slice is tried three times.
    expect(harness.calls('scanSlice').length).toBe(2 + 3);
    expect(pieces(harness)).toEqual(['0-0@0', '0-1@0', '1-0@0', '1-1@0']);
  });

  it('a problem of the first scan leaves nothing to do', () => {
    const harness = harnessOf({ scan: () => ({ problem: unreachable }) });
    expect(harness.run('processContainer', about)).toEqual({ problem: unreachable });
    expect(harness.calls('scanSlice').length).toBe(3);
    expect(harness.waits).toEqual([20, 20]);
  });

  it('the first problem of copying or confirming is reported, and everything else continues', () => {
    const other = problemOf('internal', 0, 'images', 'later');
    const harness = harnessOf({
      scan: scanOf(3, 2),
      copy: ({ chunk }) =>
        chunk.key === '0-1'
          ? { problem: unreachable }
          : { pendingFile: { key: chunk.key, attempt: 'aaaaaa', round: 0, pending: 1 } },
      confirm: () => ({ problem: other }),
    });
    expect(harness.run('processContainer', about)).toEqual({ problem: unreachable });
    // One piece and five work files come to nothing: each is tried three times.
    expect(pieces(harness).length).toBe(5 + 3);
    expect(harness.calls('confirmCopies').length).toBe(5 * 3);
  });

  it('a single problem of copying or confirming is retried after a wait, and not reported', () => {
    const seen = new Set<string>();
    const once = <T>(key: string, then: T) => {
      if (seen.has(key)) return then;
      seen.add(key);
      return { problem: unreachable };
    };
    const harness = harnessOf({
      scan: scanOf(1, 2),
      copy: ({ chunk }) =>
        once(`copy ${chunk.key}`, { pendingFile: { key: chunk.key, attempt: 'aaaaaa', round: 0, pending: 1 } }),
      confirm: ({ pendingFile: work }) => once(`confirm ${work.key}`, {}),
    });
    expect(harness.run('processContainer', about)).toEqual({});
    expect(pieces(harness)).toEqual(['0-0@0', '0-1@0', '0-0@0', '0-1@0']);
    expect(harness.calls('confirmCopies').length).toBe(4);
    expect(harness.waits.filter((seconds) => seconds === 20).length).toBe(2);
  });

  it('problems survive a new generation', () => {
    const harness = harnessOf({
      scan: scanOf(150, 1),
      copy: ({ chunk }) => (chunk.slice === 0 ? { problem: unreachable } : {}),
    });
    expect(harness.run('processContainer', about)).toEqual({ problem: unreachable });
    expect(harness.generations.length).toBeGreaterThan(1);
  });
});

describe('I4: activities that the platform ends', () => {
  const death = () =>
    new Error('WorkerProcessExitException: node exited with code 134\n   at C:\\home\\site\\Worker.cs');

  it.each([1, 2, 4])(
    'after %i deaths of the process, everything is processed again, and nothing is reported',
    (deaths) => {
      const seen = new Map<string, number>();
      const dies = <T>(key: string, answer: T) => {
        const before = seen.get(key) ?? 0;
        seen.set(key, before + 1);
        if (before < deaths) throw death();
        return answer;
      };
      const pendingFile = { attempt: 'aaaaaa', round: 0, pending: 1 };
      const harness = harnessOf({
        scan: (given) => dies(`scan ${given.slice}`, scanOf(3, 4)(given)),
        copy: ({ chunk }) => dies(chunk.key, { pendingFile: { key: chunk.key, ...pendingFile } }),
        confirm: ({ pendingFile: { key } }) => dies(`confirm ${key}`, {}),
        compare: () => dies('compare', {}),
      });
      expect(harness.run('processContainer', about)).toEqual({});
      expect(pieces(harness)).toHaveLength(12 * (deaths + 1));
      expect(harness.calls('confirmCopies')).toHaveLength(12 * (deaths + 1));
    },
  );

  it('one that is ended each time costs its container the place in the restore point, and the others their answer', () => {
    const harness = harnessOf({
      scan: scanOf(1, 3),
      copy: ({ chunk, from }) => {
        if (chunk.chunk === 1) throw death();
        return from === 0 ? { next: 5 } : {};
      },
    });
    const message = 'The platform ended copyChunk each time before it answered (WorkerProcessExitException)';
    expect(harness.run('processContainer', about)).toEqual({ problem: problemOf('interrupted', 0, 'images', message) });
    // The answers of the other pieces count: none is processed twice.
    expect(pieces(harness).filter((piece) => !piece.startsWith('0-1'))).toEqual(['0-0@0', '0-2@0', '0-0@5', '0-2@5']);
    expect(pieces(harness).filter((piece) => piece.startsWith('0-1'))).toHaveLength(5);
  });

  it('a piece that ends the process each time costs only itself, and none of those in progress with it', () => {
    const copied: string[] = [];
    const harness: OrchestrationHarness = harnessOf({
      scan: scanOf(1, 6),
      copy: ({ chunk }) => {
        // All that are in progress with it end with it.
        const round = harness.generations.at(-1)!.yields.at(-1)!;
        if (round.some(({ input }) => (input as ChunkInput).chunk.key === '0-3')) throw death();
        copied.push(chunk.key);
        return {};
      },
    });
    expect(harness.run('processContainer', about)).toMatchObject({ problem: { code: 'interrupted' } });
    expect(copied.sort()).toEqual(['0-0', '0-1', '0-2', '0-4', '0-5']);
  });

  it('a pending file and a plan that end the process each time are tried without the rest', () => {
    const confirmed: string[] = [];
    const harness: OrchestrationHarness = harnessOf({
      scan: scanOf(1, 3),
      copy: ({ chunk }) => ({ pendingFile: { key: chunk.key, attempt: 'aaaaaa', round: 0, pending: 1 } }),
      confirm: ({ pendingFile: { key } }) => {
        const round = harness.generations.at(-1)!.yields.at(-1)!;
        if (round.some(({ input }) => (input as ConfirmCopiesInput).pendingFile.key === '0-1')) throw death();
        confirmed.push(key);
        return {};
      },
    });
    expect(harness.run('processContainer', about)).toMatchObject({ problem: { code: 'interrupted' } });
    expect(confirmed.sort()).toEqual(['0-0', '0-2']);

    const planned: OrchestrationHarness = harnessOf({
      scan: (given) => {
        if (given.slice === 1) throw death();
        return scanOf(3, 2)(given);
      },
      copy: () => {
        const round = planned.generations.at(-1)!.yields.at(-1)!;
        if (round.some(({ name }) => name === 'scanSlice')) throw death();
        return {};
      },
    });
    expect(planned.run('processContainer', about)).toMatchObject({ problem: { code: 'interrupted' } });
    expect(planned.calls('copyChunk').length).toBeLessThan(2 * 5);
  });

  it('the waits of containers differ, so that one does not end the others each time', () => {
    const waitsOf = (container: string) => {
      const harness = harnessOf({
        scan: () => {
          throw death();
        },
      });
      harness.run('processContainer', { ...about, container });
      return harness.waits.slice(0, 4).join();
    };
    const all = new Set(Array.from({ length: 50 }, (_, index) => waitsOf(`container-${index}`)));
    expect(all.size).toBeGreaterThan(20);
  });
});

describe('what is no longer held', () => {
  const compared = (harness: OrchestrationHarness) =>
    harness.calls('compareContainer').map(({ input }) => {
      const { part, page } = input as CompareInput;
      return [part, page];
    });

  it('a container is compared part by part, each from the page where the one before ended', () => {
    const harness = harnessOf({ compare: ({ page }) => (page < 6 ? { next: page + 3 } : {}) });
    expect(harness.run('processContainer', about)).toEqual({});
    expect(compared(harness)).toEqual([
      [0, 0],
      [1, 3],
      [2, 6],
    ]);
  });

  it('a long comparison continues in a new generation', () => {
    const harness = harnessOf({ compare: ({ page }) => (page < 250 ? { next: page + 1 } : {}) });
    expect(harness.run('processContainer', about)).toEqual({});
    expect(compared(harness)).toHaveLength(251);
    expect(harness.generations.length).toBeGreaterThan(2);
    for (const { yields } of harness.generations) expect(yields.length).toBeLessThanOrEqual(101);
  });

  it('a container with a problem is left to its group, and a run that stops compares nothing', () => {
    const problem = problemOf('unreachable', 0, 'images', 'No answer');
    const failed = harnessOf({ scan: () => ({ problem }) });
    failed.run('processContainer', about);
    const stopped = harnessOf({ scan: () => ({ stopped: 'cancelled' }) });
    stopped.run('processContainer', about);
    for (const harness of [failed, stopped]) expect(compared(harness)).toEqual([]);
  });

  it('a container that is gone is only compared', () => {
    const harness = harnessOf({});
    const gone = { code: 'deleted' as const };
    expect(harness.run('processContainer', { ...about, gone })).toEqual({});
    expect(namesOf(harness)).toEqual([['compareContainer']]);
    expect(harness.calls('compareContainer')[0]!.input).toEqual({ ...about, gone, part: 0, page: 0 });
  });

  it.each(['plan', 'copy'])('F81: a container that is being deleted is waited for, for ten minutes: %s', (which) => {
    const problem = problemOf('container-being-deleted', 0, 'images');
    const refusing = (times: number) => {
      let left = times;
      const refused = () => (left-- > 0 ? { problem } : undefined);
      return which === 'plan'
        ? harnessOf({ scan: (input) => refused() ?? scanOf(1, 1)(input) })
        : harnessOf({ copy: () => refused() ?? {} });
    };
    const patient = refusing(100);
    expect(patient.run('processContainer', about)).toEqual({});
    expect(patient.waits).toHaveLength(100);
    const endless = refusing(Number.POSITIVE_INFINITY);
    expect(endless.run('processContainer', about)).toMatchObject({ problem });
    expect(endless.waits.reduce((sum, seconds) => sum + seconds, 0)).toBe(600);
  });

  it.each(['plan', 'copy', 'confirm', 'compare'])('each cause of failures has its own allowance: %s', (which) => {
    const codes = [
      ...Array(30).fill('container-being-deleted'),
      ...Array(4).fill('interrupted'),
      'throttled',
      'throttled',
    ];
    const left = [...codes];
    const refused = (step: string) => {
      const code = step === which ? left.shift() : undefined;
      return code && { problem: problemOf(code, 0, 'images') };
    };
    const pendingFile = { key: '0-0', attempt: 'aaaaaa', round: 0, pending: 1 };
    const harness = harnessOf({
      scan: (input) => refused('plan') ?? scanOf(1, 1)(input),
      copy: () => refused('copy') ?? { pendingFile },
      confirm: () => refused('confirm') ?? {},
      compare: () => refused('compare') ?? {},
    });
    expect(harness.run('processContainer', about)).toEqual({});
    expect(left).toEqual([]);
  });

  it('a comparison is tried again, and its problem reported in the end', () => {
    const problem = problemOf('throttled', 0, 'images');
    const harness = harnessOf({ compare: () => ({ problem }) });
    expect(harness.run('processContainer', about)).toEqual({ problem });
    expect(compared(harness)).toHaveLength(3);
  });

  it('a restore, a verification and a prune compare nothing', () => {
    for (const other of [{ mode: 'prune', prune: {} }, { dryRun: true }]) {
      const harness = new OrchestrationHarness(
        { processContainer },
        { planPrune: scanOf(1, 0), scanSlice: scanOf(1, 0), compareContainer: () => ({}) },
      );
      expect(harness.run('processContainer', { ...about, run: { ...run, ...other } })).toEqual({});
      expect(compared(harness)).toEqual([]);
    }
  });
});

describe('F29: a run that must stop', () => {
  const stopIn = (reason: 'cancelled' | 'superseded'): Copy => {
    return ({ chunk }) =>
      chunk.slice === 0
        ? { pendingFile: { key: chunk.key, attempt: 'aaaaaa', round: 0, pending: 1 } }
        : chunk.chunk === 0
          ? { stopped: reason }
          : { pendingFile: { key: chunk.key, attempt: 'aaaaaa', round: 0, pending: 1 } };
  };
  const stillPending: Confirm = ({ pendingFile: work }) => ({ pendingFile: { ...work, round: work.round + 1 } });

  it('a cancelled run aborts every copy that may be pending, then ends', () => {
    const harness = harnessOf({ scan: scanOf(3, 2), copy: stopIn('cancelled'), confirm: stillPending });
    expect(harness.run('processContainer', about)).toEqual({ stopped: 'cancelled' });
    const [abort, ...more] = harness.calls('abortCopies').map(({ input }) => input as AbortCopiesInput);
    expect(more).toEqual([]);
    const files = abort!.pendingFiles.map(({ key, round }) => `${key}-r${round}`);
    // Of the first slice, as they were and as they are; and what the round that was stopped has begun.
    expect(files.sort()).toEqual(['0-0-r0', '0-0-r1', '0-1-r0', '0-1-r1', '1-1-r0']);
    expect(abort).toMatchObject(about);
    expect(harness.calls('scanSlice').length).toBe(3);
  });

  it('a run that is cancelled while it waits notices with the next check, and aborts its copies', () => {
    const harness = harnessOf({
      copy: ({ chunk }) => ({ pendingFile: { key: chunk.key, attempt: 'aaaaaa', round: 0, pending: 1 } }),
      confirm: () => ({ stopped: 'cancelled' }),
    });
    expect(harness.run('processContainer', about)).toEqual({ stopped: 'cancelled' });
    expect((harness.calls('abortCopies')[0]!.input as AbortCopiesInput).pendingFiles).toEqual([
      { key: '0-0', attempt: 'aaaaaa', round: 0, pending: 1 },
    ]);
  });

  it('a cancelled run ends as cancelled even if its copies cannot be aborted', () => {
    const harness = harnessOf({
      scan: () => ({ stopped: 'cancelled' }),
      abort: () => {
        throw new Error('ended from outside');
      },
    });
    expect(harness.run('processContainer', about)).toEqual({ stopped: 'cancelled' });
  });

  it('a superseded run ends at once and touches nothing, as the copies may belong to another run', () => {
    const harness = harnessOf({ scan: scanOf(3, 2), copy: stopIn('superseded'), confirm: stillPending });
    expect(harness.run('processContainer', about)).toEqual({ stopped: 'superseded' });
    expect(harness.calls('abortCopies')).toEqual([]);
  });

  it('a run that is cancelled and superseded in one round counts as superseded', () => {
    const harness = harnessOf({
      scan: (input) => (input.slice === 0 ? scanOf(2, 1)(input) : { stopped: 'cancelled' }),
      copy: () => ({ stopped: 'superseded' }),
    });
    expect(harness.run('processContainer', about)).toEqual({ stopped: 'superseded' });
    expect(harness.calls('abortCopies')).toEqual([]);
  });
});

test('F31: equal answers give equal sequences of tasks', () => {
  const sequence = () => {
    const harness = harnessOf({
      scan: scanOf(40, 3),
      copy: ({ chunk, from }) => ({
        ...(from === 0 && { next: 5 }),
        ...(chunk.chunk === 1 && {
          pendingFile: { key: `${chunk.key}-${from}`, attempt: 'aaaaaa', round: 0, pending: 1 },
        }),
      }),
      confirm: ({ pendingFile: work }) => (work.round < 2 ? { pendingFile: { ...work, round: work.round + 1 } } : {}),
    });
    harness.run('processContainer', about);
    return harness.generations;
  };
  expect(sequence()).toEqual(sequence());
});

describe('restoring a table', () => {
  const restore = {
    ...about,
    run: { ...run, mode: 'restore' as const },
    container: 'table.orders',
    destination: 'orders',
  };
  const harnessOf = (scan: (input: SliceInput) => SliceResult) =>
    new OrchestrationHarness({ processContainer }, { planTableRestore: scan, writeEntities: () => ({}) });

  it('a restore writes nothing before all files are found to be sound, however many there are', () => {
    const harness = harnessOf(scanOf(30, 3));
    expect(harness.run('processContainer', restore)).toEqual({});
    const names = namesOf(harness).flat();
    expect(names.indexOf('writeEntities')).toBe(30);
    expect(names.filter((name) => name === 'writeEntities')).toHaveLength(90);
  });

  it('a restore with an unsound file writes nothing', () => {
    const problem = problemOf('damaged', 0, 'table.orders', 'it is cut off');
    const harness = harnessOf((input) => (input.slice === 2 ? { problem } : scanOf(3, 1)(input)));
    expect(harness.run('processContainer', restore)).toEqual({ problem });
    expect(harness.calls('writeEntities')).toEqual([]);
  });
});
