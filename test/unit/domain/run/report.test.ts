import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { incompleteness } from '#domain/run/completeness.ts';
import { chunkKey, laterKey, partPath, pendingKey, planKey, sliceKey } from '#domain/run/control-paths.ts';
import type { ListedPart } from '#domain/run/placed-part.ts';
import { problemOf } from '#domain/run/problems.ts';
import { partEntries, reportOf } from '#domain/run/report.ts';
import type { RunRef } from '#domain/run/run.ts';
import { emptyTally, type Tally } from '#domain/run/tally.ts';
import { Random } from '../../../support/builders/random.ts';

const run: RunRef = {
  id: 'nightly-20261121T233000Z-k3f9q2',
  job: 'nightly',
  mode: 'incremental',
  trigger: 'http',
  dryRun: false,
  startedAt: '2026-11-21T23:30:00.000Z',
  epoch: 1,
};
const now = new Date('2026-11-21T23:31:40.000Z');
const ended = { status: 'succeeded' as const, now, finishedAt: now, problems: [], requests: {} };
const running = { status: 'running' as const, now, problems: [], requests: {} };

const tallyOf = (container: string, more: Partial<Tally> = {}): Tally => ({
  ...emptyTally(container, `${container}backup`),
  requests: { PutBlob: 1 },
  ...more,
});
const slicePart = (container: string, slice: number, tally: Partial<Tally>): ListedPart => ({
  path: partPath(run, 'slice', container, sliceKey(slice)),
  tally: tallyOf(container, tally),
});
const chunkPart = (container: string, [slice, chunk, from]: number[], tally: Partial<Tally>): ListedPart => ({
  path: partPath(run, 'chunk', container, chunkKey(slice!, chunk!, from!)),
  tally: tallyOf(container, tally),
});
const notePart = (kind: 'pending' | 'progress', container: string, key: string, tally: Partial<Tally>): ListedPart => ({
  path: partPath(run, kind, container, key),
  tally: tallyOf(container, tally),
});

const small = fc.nat({ max: 5 });
/** One piece of copying: its outcomes, and whether it went through a progress note and rounds of pending copies. */
const anyPiece = fc
  .record({
    copied: small,
    unchanged: small,
    skipped: small,
    failed: small,
    noted: fc.boolean(),
    /** How many of the copied were pending when the part was written, and how often they were looked at. */
    pending: small,
    rounds: fc.nat({ max: 3 }),
    lost: fc.boolean(),
  })
  .filter(({ copied, unchanged, skipped, failed }) => copied + unchanged + skipped + failed > 0);
const anySlice = fc.record({
  unchanged: small,
  skipped: small,
  failed: small,
  chunks: fc.array(fc.array(anyPiece, { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
  orphans: fc.boolean(),
});
const anyContainers = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('images', 'chunk', 'slice', 'plan', 'pending', '$root'),
    slices: fc.array(anySlice, { minLength: 1, maxLength: 3 }),
  }),
  { selector: ({ name }) => name, minLength: 1, maxLength: 3 },
);
type Containers = typeof anyContainers extends fc.Arbitrary<infer T> ? T : never;

/** What a run of these containers leaves in storage: the manifest, and everything that was written on the way to it. */
function partsOf(containers: Containers): { manifest: ListedPart[]; others: ListedPart[] } {
  const manifest: ListedPart[] = [];
  const others: ListedPart[] = [];
  for (const { name, slices } of containers) {
    for (const [slice, { unchanged, skipped, failed, chunks, orphans }] of slices.entries()) {
      let planned = 0;
      for (const [chunk, pieces] of chunks.entries()) {
        let from = 0;
        for (const { noted, rounds, lost, ...counts } of pieces) {
          const settles = counts.copied + counts.unchanged + counts.skipped + counts.failed;
          const items = Math.min(counts.pending, counts.copied);
          const key = chunkKey(slice, chunk, from);
          const whole = { ...counts, planned: settles, copiedBytes: counts.copied * 10 };
          const copied = counts.copied - items;
          const later = { copied: items, planned: items, copiedBytes: items * 10 };
          const atOnce = { ...whole, copied, copiedBytes: copied * 10, later: { items, attempt: 'aaaaaa' } };
          manifest.push(chunkPart(name, [slice, chunk, from], items > 0 ? atOnce : whole));
          if (items > 0) {
            manifest.push({
              path: partPath(run, 'chunk', name, laterKey(key)),
              tally: tallyOf(name, later),
            });
          }
          if (noted) others.push(notePart('progress', name, key, { ...whole, copied, copiedBytes: copied * 10 }));
          for (let round = 0; round < rounds && items > 0; round++) {
            others.push(notePart('pending', name, pendingKey({ key, attempt: 'aaaaaa', round }), later));
          }
          if (lost) others.push(notePart('pending', name, pendingKey({ key, attempt: 'zzzzzz', round: 0 }), whole));
          from += settles;
        }
        planned += from;
        others.push({
          path: partPath(run, 'plan', name, planKey(slice, chunk, 'aaaaaa')),
          tally: tallyOf(name, { planned: from, destination: '' }),
        });
      }
      if (orphans) {
        others.push({
          path: partPath(run, 'plan', name, planKey(slice, 9, 'bbbbbb')),
          tally: tallyOf(name, { planned: 3 }),
        });
      }
      const listed = unchanged + skipped + failed + planned;
      const last = slice === slices.length - 1 && { last: true };
      manifest.push(
        slicePart(name, slice, {
          ...{ listed, unchanged, skipped, failed, planned, listedBytes: listed * 10, plannedBytes: planned * 10 },
          ...last,
        }),
      );
    }
  }
  return { manifest, others };
}

/** A listing gives parts by name. */
const byPath = (parts: ListedPart[]) => [...parts].sort((a, b) => (a.path < b.path ? -1 : 1));
const sumOf = (parts: ListedPart[], key: 'listed' | 'copied' | 'unchanged' | 'skipped' | 'failed') =>
  parts.reduce((sum, { tally }) => sum + tally[key], 0);

describe('F18: whether the parts make a restore point', () => {
  it('they do when each slice is there and every planned copy has an outcome, whatever else was left behind', () => {
    fc.assert(
      fc.property(anyContainers, fc.integer(), (containers, seed) => {
        const { manifest, others } = partsOf(containers);
        expect(incompleteness(manifest, false)).toBeUndefined();
        expect(incompleteness(byPath([...others, ...manifest]), false)).toBeUndefined();
        expect(incompleteness(new Random(seed).shuffled([...others, ...manifest]), false)).toBeUndefined();
      }),
    );
  });

  it('I5: they do not when any one of them is missing', () => {
    fc.assert(
      fc.property(anyContainers, fc.nat(), (containers, pick) => {
        const { manifest, others } = partsOf(containers);
        const index = pick % manifest.length;
        const { container } = manifest[index]!.tally;
        const left = manifest.filter((_, at) => at !== index);
        // Of a container that left one part only nothing is left; that the run lacks a container its publisher counts.
        fc.pre(left.some(({ tally }) => tally.container === container));
        expect(incompleteness([...left, ...others], false)).toContain(`container ${container}: `);
      }),
    );
  });

  it('they do not when any one count of any of them is another', () => {
    fc.assert(
      fc.property(anyContainers, fc.nat(), fc.nat(), fc.constantFrom(-1, 1, 7), (containers, pick, which, by) => {
        const { manifest } = partsOf(containers);
        const part = manifest[pick % manifest.length]!;
        const keys = part.path.includes('-chunk-')
          ? (['copied', 'unchanged', 'skipped', 'failed', 'planned'] as const)
          : (['listed', 'unchanged', 'skipped', 'failed', 'planned'] as const);
        part.tally[keys[which % keys.length]!] += by;
        expect(incompleteness(manifest, false)).toContain(`container ${part.tally.container}: `);
      }),
    );
  });

  it('they do not when one is there that does not belong', () => {
    fc.assert(
      fc.property(anyContainers, fc.nat(), anyPiece, (containers, pick, piece) => {
        const { manifest } = partsOf(containers);
        const { name, slices } = containers[pick % containers.length]!;
        const settles = piece.copied + piece.unchanged + piece.skipped + piece.failed;
        const { noted: _noted, rounds: _rounds, ...counts } = piece;
        const stray = { ...counts, planned: settles };
        for (const place of [
          [pick % slices.length, 8, 0],
          [slices.length, 0, 0],
          [slices.length + 3, 1, 0],
        ]) {
          expect(incompleteness([...manifest, chunkPart(name, place, stray)], false)).toBeDefined();
        }
        expect(incompleteness([...manifest, slicePart(name, slices.length, { last: true })], false)).toBeDefined();
      }),
    );
  });

  const whole = { listed: 2, planned: 2 };
  it.each<[string, ListedPart[], string]>([
    [
      'only notes on its copies',
      [notePart('progress', 'images', chunkKey(0, 0, 0), { copied: 1 })],
      'the scan left no part',
    ],
    [
      'no slice between two others',
      [slicePart('images', 0, {}), slicePart('images', 2, { last: true })],
      'slice part 1 is missing',
    ],
    ['no last slice', [slicePart('images', 0, {})], 'slice part 0 is not the last'],
    [
      'a slice after the last',
      [slicePart('images', 0, { last: true }), slicePart('images', 1, { last: true })],
      'slice part 0 is followed by others',
    ],
    [
      'a slice with fewer blobs than it listed',
      [slicePart('images', 0, { listed: 2, unchanged: 1, last: true })],
      'slice part 0 does not add up',
    ],
    [
      'a planned copy without an outcome',
      [slicePart('images', 0, { ...whole, last: true }), chunkPart('images', [0, 0, 0], { copied: 1, planned: 1 })],
      'slice part 0 has 2 blobs to copy, and 1 of them have an outcome',
    ],
    [
      'a piece with fewer outcomes than items',
      [slicePart('images', 0, { ...whole, last: true }), chunkPart('images', [0, 0, 0], { copied: 1, planned: 2 })],
      'part 000000-chunk-00-000000 does not add up',
    ],
    [
      'outcomes of a slice that is not there',
      [slicePart('images', 0, { last: true }), chunkPart('images', [1, 0, 0], { copied: 2, planned: 2 })],
      'slice part 1 is missing',
    ],
  ])('a container has %s: the reason says where', (_, parts, reason) => {
    expect(incompleteness(parts, false)).toBe(`container images: ${reason}`);
  });

  it.each<[string, Partial<Tally>]>([
    ['was deleted by a prune', { copied: 1, removed: 1 }],
    ['is in a segment, but not among the keys to restore', { copied: 1, unwanted: 1 }],
  ])('an item that %s has its outcome', (_, outcomes) => {
    const parts = [
      slicePart('images', 0, { ...whole, last: true }),
      chunkPart('images', [0, 0, 0], { planned: 2, ...outcomes }),
    ];
    expect(incompleteness(parts, false)).toBeUndefined();
  });

  it('F28: a piece that overlaps another does not make up for one that is missing', () => {
    const parts = [
      slicePart('images', 0, { listed: 20, planned: 20, last: true }),
      // Chunk 0 has ten items, of which the last four are missing; four of chunk 1 are there twice.
      chunkPart('images', [0, 0, 0], { copied: 6, planned: 6 }),
      chunkPart('images', [0, 1, 0], { copied: 7, planned: 7 }),
      chunkPart('images', [0, 1, 3], { copied: 7, planned: 7 }),
    ];
    expect(incompleteness(parts, false)).toContain('000000-chunk-01-000003 does not follow');
  });

  it('a dry run needs its scans only', () => {
    fc.assert(
      fc.property(anyContainers, fc.nat(), (containers, pick) => {
        const scans = partsOf(containers).manifest.filter(({ path }) => path.includes('-slice'));
        expect(incompleteness(scans, true)).toBeUndefined();
        const without = scans.filter((_, index) => index !== pick % scans.length);
        fc.pre(without.some(({ tally }) => tally.container === scans[pick % scans.length]!.tally.container));
        expect(incompleteness(without, true)).toBeDefined();
      }),
    );
  });

  it('the manifest lists its own parts and no others, scans and copies alike', () => {
    fc.assert(
      fc.property(anyContainers, (containers) => {
        const { manifest, others } = partsOf(containers);
        const listed = partEntries([...others, ...manifest]).map(({ path }) => path);
        expect(listed.sort()).toEqual(manifest.map(({ path }) => path).sort());
      }),
    );
  });
});

describe('the report', () => {
  it('F18: counts every blob once: copied + unchanged + skipped + failed = listed', () => {
    fc.assert(
      fc.property(anyContainers, (containers) => {
        const { manifest, others } = partsOf(containers);
        const report = reportOf(run, byPath([...manifest, ...others]), ended);
        const { listed, copied, unchanged, skipped, failed } = report.counts;
        expect(copied + unchanged + skipped + failed).toBe(listed);
        for (const key of ['listed', 'copied', 'unchanged', 'skipped', 'failed'] as const) {
          expect(report.counts[key]).toBe(sumOf(manifest, key));
          expect(report.containers.reduce((sum, { counts }) => sum + counts[key], 0)).toBe(report.counts[key]);
        }
        expect(report.bytes).toEqual({ listed: listed * 10, copied: copied * 10 });
        for (const container of report.containers) {
          expect(container.status).toBe(container.counts.failed > 0 ? 'completed-with-failures' : 'succeeded');
        }
        expect(report.progress).toMatchObject({ fraction: 1, secondsLeft: 0 });
      }),
    );
  });

  it('while it is under way, never counts a blob twice, and what is done never shrinks', () => {
    // Every piece goes through its notes before its part; cut that history anywhere.
    fc.assert(
      fc.property(anyContainers, fc.nat(), fc.nat({ max: 200 }), (containers, cut, expected) => {
        const { manifest, others } = partsOf(containers);
        const order = ['-slice', '/progress/', '-r000', '-chunk-', '-r00', '-later'];
        const kindOf = (path: string) =>
          ['-slice', '/progress/', '-r000', '-r00', '-later'].find((mark) => path.includes(mark)) ?? '-chunk-';
        const history = [...manifest, ...others]
          .filter(({ path }) => !path.includes('/plan/images/') && !/\/runs\/[^/]+\/plan\//.test(path))
          .sort((a, b) => order.indexOf(kindOf(a.path)) - order.indexOf(kindOf(b.path)) || (a.path < b.path ? -1 : 1));
        let before = 0;
        for (let length = cut % history.length; length <= history.length; length++) {
          const { counts, progress } = reportOf(run, byPath(history.slice(0, length)), { ...running, expected });
          const done = counts.copied + counts.unchanged + counts.skipped + counts.failed;
          expect(done).toBeLessThanOrEqual(counts.listed);
          expect(done).toBeGreaterThanOrEqual(before);
          before = done;
          expect(progress.fraction).toBeGreaterThanOrEqual(0);
          expect(progress.fraction).toBeLessThanOrEqual(1);
          if (progress.secondsLeft !== null) expect(progress.secondsLeft).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  it('of the notes about a piece takes the latest round, beyond a thousand of them too', () => {
    const scan = slicePart('images', 0, { listed: 9, planned: 9, last: true });
    const key = chunkKey(0, 0, 0);
    const piece = chunkPart('images', [0, 0, 0], { copied: 1, planned: 9, later: { items: 8, attempt: 'aaaaaa' } });
    const progress = (copied: number) => notePart('progress', 'images', key, { copied });
    const work = (round: number, copied: number, attempt = 'aaaaaa') =>
      notePart('pending', 'images', pendingKey({ key, attempt, round }), { copied });
    const later = {
      path: partPath(run, 'chunk', 'images', laterKey(key)),
      tally: tallyOf('images', { copied: 8, planned: 8 }),
    };
    const copiedOf = (...notes: ListedPart[]) => reportOf(run, [scan, ...notes], running).counts.copied;
    expect(copiedOf(progress(2))).toBe(2);
    expect(copiedOf(progress(2), piece)).toBe(1);
    expect(copiedOf(piece, progress(2), work(0, 3), work(1, 4))).toBe(5);
    expect(copiedOf(piece, work(1000, 6), work(999, 5))).toBe(7);
    expect(copiedOf(piece, work(999, 5), work(1000, 6))).toBe(7);
    expect(copiedOf(piece, work(1000, 6), later)).toBe(9);
    // Another execution of the piece, whose part was not the first.
    expect(copiedOf(piece, work(0, 3), work(5, 6, 'zzzzzz'))).toBe(4);
    expect(copiedOf(work(0, 3))).toBe(0);
  });

  it.each([
    ['have none', [], 'part 000000-chunk-00-000000 has 8 pending copies, and they have no outcome'],
    ['are fewer', [{ copied: 7 }], 'part 000000-chunk-00-000000-later does not add up'],
  ])('no restore point when the copies that were pending %s', (_, tallies, reason) => {
    const scan = slicePart('images', 0, { listed: 9, planned: 9, last: true });
    const piece = chunkPart('images', [0, 0, 0], { copied: 1, planned: 9, later: { items: 8, attempt: 'aaaaaa' } });
    const path = partPath(run, 'chunk', 'images', laterKey(chunkKey(0, 0, 0)));
    const parts = [scan, piece, ...tallies.map((tally) => ({ path, tally: tallyOf('images', tally) }))];
    expect(incompleteness(parts, false)).toContain(reason);
  });

  it('no restore point when outcomes come from a piece that was none', () => {
    const parts = [
      slicePart('images', 0, { listed: 0, last: true }),
      { path: partPath(run, 'chunk', 'images', laterKey(chunkKey(0, 0, 0))), tally: tallyOf('images', { copied: 1 }) },
    ];
    expect(incompleteness(parts, false)).toContain('belongs to no other');
  });

  it('counts the requests of every round, and those of a progress note only until its part is there', () => {
    const key = chunkKey(0, 0, 0);
    const parts = [
      slicePart('images', 0, { listed: 1, planned: 1, last: true, requests: { ListBlobs: 2 } }),
      notePart('progress', 'images', key, { requests: { CopyBlob: 4 } }),
    ];
    const requestsOf = (of: ListedPart[]) => reportOf(run, of, { ...running, requests: { GetBlob: 1 } }).requests;
    expect(requestsOf(parts)).toEqual({ GetBlob: 1, ListBlobs: 2, CopyBlob: 4 });
    const later = { items: 1, attempt: 'aaaaaa' };
    const work = (round: number) => pendingKey({ key, attempt: 'aaaaaa', round });
    parts.push(chunkPart('images', [0, 0, 0], { planned: 1, later, requests: { CopyBlob: 5 } }));
    parts.push(notePart('pending', 'images', work(0), { requests: { PutBlob: 1 } }));
    parts.push(notePart('pending', 'images', work(1), { requests: { GetBlobProperties: 1 } }));
    expect(requestsOf(parts)).toEqual({ GetBlob: 1, ListBlobs: 2, CopyBlob: 5, PutBlob: 1, GetBlobProperties: 1 });
  });

  it('of an empty run has no fraction and no time left', () => {
    expect(reportOf(run, [], running)).toMatchObject({
      counts: { listed: 0 },
      progress: { fraction: null, secondsLeft: null, blobsPerSecond: 0 },
      containers: [],
    });
  });

  it('reports rates and the time left', () => {
    const parts = [
      slicePart('images', 0, { listed: 300, unchanged: 100, planned: 200, last: true, listedBytes: 3000 }),
      chunkPart('images', [0, 0, 0], { copied: 100, planned: 100, copiedBytes: 1000 }),
    ];
    expect(reportOf(run, parts, running).progress).toEqual({
      fraction: 0.6667,
      blobsPerSecond: 2,
      bytesPerSecond: 10,
      secondsLeft: 50,
    });
  });

  it('judges progress by the last run during the scan, and reports none without one', () => {
    const parts = [slicePart('images', 0, { listed: 100, unchanged: 100 })];
    expect(reportOf(run, parts, running).progress).toMatchObject({ fraction: null, secondsLeft: null });
    expect(reportOf(run, parts, { ...running, expected: 400 }).progress).toMatchObject({
      fraction: 0.25,
      secondsLeft: 300,
    });
  });

  it('I1: a container is complete only with every slice, even if the other slices add up', () => {
    const parts = [
      slicePart('images', 0, { listed: 3, unchanged: 3 }),
      slicePart('images', 2, { listed: 3, unchanged: 3, last: true }),
    ];
    expect(reportOf(run, parts, { ...ended, status: 'failed' }).containers[0]!.status).toBe('failed');
    expect(reportOf(run, parts.slice(0, 1), running).containers[0]!.status).toBe('running');
  });

  it('shows the problems of containers and of the run, and a container with one of its own has failed', () => {
    const parts = [
      slicePart('docs', 0, { listed: 1, unchanged: 1, last: true, problems: { 'tags-not-read': 1 } }),
      slicePart('images', 0, { listed: 2, unchanged: 2 }),
    ];
    const problems = [problemOf('unreachable', 0, 'images', 'No answer'), problemOf('inconsistent', 0)];
    const report = reportOf(run, parts, { ...ended, status: 'completed-with-failures', problems });
    expect(report.containers.map(({ container, status }) => [container, status])).toEqual([
      ['docs', 'succeeded'],
      ['images', 'failed'],
    ]);
    expect(report.problems.map(({ code, container, count }) => [code, container, count])).toEqual([
      ['inconsistent', undefined, 0],
      ['tags-not-read', 'docs', 1],
      ['unreachable', 'images', 0],
    ]);
    for (const { hint } of report.problems) expect(hint.length).toBeGreaterThan(10);
  });

  it('of a dry run reports what would be copied', () => {
    const parts = [slicePart('images', 0, { listed: 5, unchanged: 2, planned: 3, plannedBytes: 30, last: true })];
    const report = reportOf({ ...run, dryRun: true }, parts, ended);
    expect(report.counts).toEqual({ listed: 5, copied: 0, unchanged: 2, skipped: 0, failed: 0, planned: 3 });
    expect(report.bytes).toMatchObject({ copied: 0, planned: 30 });
    expect(report.containers[0]!.status).toBe('succeeded');
  });

  it('has what the slices of a container planned by tier, once', () => {
    const parts = [
      slicePart('images', 0, { listed: 4, planned: 4, transfers: { 'Cool/': [1, 5], 'Hot/': [3, 30] } }),
      slicePart('images', 1, { listed: 1, planned: 1, transfers: { 'Cool/': [1, 6] }, last: true }),
      chunkPart('images', [0, 0, 0], { copied: 4, planned: 4, transfers: { 'Hot/': [9, 9] } }),
      slicePart('empty', 0, { last: true }),
    ];
    const transfers = () => reportOf(run, parts, ended).containers.map((each) => each.transfers);
    expect(transfers()).toEqual([{ 'Cool/': [2, 11], 'Hot/': [3, 30] }, undefined]);
    expect(transfers()).toEqual(transfers());
  });

  it('of a cancelled run shows how far it came', () => {
    const parts = [
      slicePart('images', 0, { listed: 4, planned: 4, last: true }),
      chunkPart('images', [0, 0, 0], { copied: 1, planned: 1 }),
    ];
    const report = reportOf(run, parts, { ...ended, status: 'cancelled' });
    expect(report.progress).toMatchObject({ fraction: 0.25, secondsLeft: 0 });
    expect(report.containers[0]!.status).toBe('cancelled');
  });

  it('survives a clock that stands before the start', () => {
    const parts = [slicePart('images', 0, { listed: 4, unchanged: 4, last: true })];
    const report = reportOf(run, parts, { ...running, now: new Date('2026-11-21T23:29:00Z') });
    expect(Number.isFinite(report.progress.blobsPerSecond)).toBe(true);
    expect(report.progress.secondsLeft).toBe(0);
  });
});
