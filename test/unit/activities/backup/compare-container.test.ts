import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeActivities } from '#activities/index.ts';
import type { NoLongerHeld } from '#domain/run/outcome.ts';
import { problemOf } from '#domain/run/problems.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { refusal } from '../../../../prove/memory/memory-account.ts';
import type { Call } from '../../../../prove/memory/memory-blobs.ts';
import { type jobOf, Vault } from '../../../support/builders/prune-vault.ts';

let room: Vault;

beforeEach(() => {
  room = new Vault();
});

/** What a run says it no longer holds, as `container/name code`. */
async function said({ compared }: RunSummary): Promise<string[]> {
  const lines = await Promise.all(
    compared.map(async ({ path, container, sha256 }) => {
      const { items } = await room.control.readPart<NoLongerHeld, object>(path, sha256);
      return items.map(({ name, code, cause }) => `${container}/${name} ${code}${cause ? ` (${cause})` : ''}`);
    }),
  );
  return lines.flat().sort();
}

const reselect = (source: Partial<ReturnType<typeof jobOf>['source']>) => {
  room.jobs = [{ ...room.jobs[0]!, source: { ...room.jobs[0]!.source, ...source } }];
};

/** Makes copies of blobs whose names match fail. */
const failCopies = (names: RegExp) => {
  room.before = ({ account, operation, name = '' }: Call & { alias: string }) => {
    if (account === 'VAULT' && /^CopyBlob/.test(operation) && names.test(name)) throw refusal('leased', 412, 'Leased');
  };
};

describe('a backup says by name what it no longer holds', () => {
  it('deleted blobs, with their version, and no failure', async () => {
    for (const name of ['a', 'b', 'c']) room.put(name, name);
    const before = await room.backup();
    expect(before).toMatchObject({ counts: { held: 3 }, compared: [] });
    const was = room.source.blob('data', 'b')!;
    room.source.remove('data', 'b');
    room.put('c', 'changed');
    const after = await room.backup();
    expect(await said(after)).toEqual(['data/b deleted']);
    expect(after).toMatchObject({
      status: 'succeeded',
      counts: { held: 2 },
      noLongerHeld: { deleted: 1, skipped: 0, failed: 0, notSelected: 0 },
      containers: [{ counts: { held: 2, changed: 1 }, noLongerHeld: { deleted: 1 } }],
    });
    const { items } = await room.control.readPart<NoLongerHeld, object>(after.compared[0]!.path);
    expect(items).toEqual([
      { name: 'b', status: 'no-longer-held', etag: was.etag, modified: expect.any(String), size: 1, code: 'deleted' },
    ]);
    // The restore point before does not hold it any more.
    expect(await said(await room.backup())).toEqual([]);
  });

  it('skipped blobs, which the source still has: such a run has failures', async () => {
    for (const name of ['a', 'b']) room.put(name, name);
    await room.backup();
    room.source.write('data', { name: 'a', body: Buffer.from('new'), tier: 'Archive' });
    const after = await room.backup();
    expect(await said(after)).toEqual(['data/a skipped (source-archived)']);
    expect(after).toMatchObject({ status: 'completed-with-failures', noLongerHeld: { skipped: 1 } });
    expect(after.problems).toMatchObject([{ code: 'source-archived' }, { code: 'no-longer-held', count: 1 }]);
  });

  it('I10: skipped blobs again in each run until it holds them, or the source deletes them', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) room.put(name, name);
    const good = await room.backup();
    for (const name of ['a', 'b', 'c']) {
      room.source.write('data', { name, body: Buffer.from('x'), tier: 'Archive', tierInferred: false });
    }
    for (const _ of [1, 2, 3]) {
      const run = await room.backup();
      expect(run.status).toBe('completed-with-failures');
      expect(await said(run)).toEqual(['a', 'b', 'c'].map((name) => `data/${name} skipped (source-archived)`));
    }
    room.put('a', 'online again');
    room.source.remove('data', 'b');
    expect(await said(await room.backup())).toEqual(['data/b deleted', 'data/c skipped (source-archived)']);
    // What is owed counts as lost once, however often it is named.
    const { brake } = (await room.control.readSummary(await room.backup()))!;
    expect(brake!.data!.baselines).toMatchObject([{ run: good.id, held: 5, lost: 3 }]);
  });

  it('failed blobs, and reports them until they are held, deleted or skipped', async () => {
    for (const name of ['a', 'b', 'c', 'd']) room.put(name, name);
    await room.backup();
    for (const name of ['a', 'b', 'c', 'd']) room.put(name, `${name}2`);
    failCopies(/[abc]/);
    for (let run = 0; run < 2; run++) {
      const after = await room.backup();
      expect(await said(after)).toEqual(['a', 'b', 'c'].map((name) => `data/${name} failed (destination-leased)`));
      expect(after).toMatchObject({ status: 'completed-with-failures', counts: { held: 1 } });
    }
    failCopies(/[c]/);
    room.source.remove('data', 'b');
    const later = await room.backup();
    expect(await said(later)).toEqual(['data/b deleted', 'data/c failed (destination-leased)']);
    // `a` counts as changed now, and not when it failed.
    expect(later.containers[0]!.counts).toMatchObject({ changed: 1 });
    room.before = () => {};
    expect(await said(await room.backup())).toEqual([]);
  });

  it('a retry is compared with the run that it completes', async () => {
    for (const name of ['a', 'b', 'c']) room.put(name, name);
    await room.backup();
    for (const name of ['a', 'b']) room.put(name, `${name}2`);
    room.source.remove('data', 'c');
    failCopies(/[ab]/);
    const part = await room.backup();
    expect(await said(part)).toHaveLength(3);
    failCopies(/b/);
    const retry = await room.run({ mode: 'retry', retryOf: part.id });
    expect(await said(retry)).toEqual(['data/b failed (destination-leased)']);
    expect(retry).toMatchObject({ status: 'completed-with-failures', counts: { held: 1 } });
    room.before = () => {};
    const again = await room.run({ mode: 'retry', retryOf: retry.id });
    expect(await said(again)).toEqual([]);
    expect(again).toMatchObject({ status: 'succeeded', counts: { held: 2 } });
  });

  it('only the failures of a container that a retry could not work on: it takes over what the run before it held', async () => {
    for (const name of ['a', 'b', 'c']) room.put(name, name);
    await room.backup();
    for (const name of ['a', 'b']) room.put(name, `${name}2`);
    failCopies(/b/);
    const part = await room.backup();
    const run = await room.begin({ mode: 'retry', retryOf: part.id });
    const work = makeActivities(room.deps());
    const task = {
      run,
      container: 'data',
      destination: 'databackup',
      gone: { code: 'failed', cause: 'throttled' },
    } as const;
    await work.compareContainer({ ...task, part: 0, page: 0 });
    const [line] = room.vault.listBlobs('strongroom', { prefix: `jobs/nightly/runs/${run.id}/manifest/` }).blobs;
    const { items } = await room.control.readPart<{ name: string; code: string }, object>(line!.name);
    expect(items.map(({ name, code }) => `${name} ${code}`)).toEqual(['b failed']);
  });

  it('all blobs of a container that could not be listed', async () => {
    reselect({ containers: ['*'] });
    room.source.createContainer('more');
    room.put('x', 'x', 'more');
    for (const name of ['a', 'b']) room.put(name, name);
    await room.backup();
    room.before = ({ account, operation, container }) => {
      if (account === 'SOURCE' && operation === 'ListBlobs' && container === 'data') {
        throw refusal('throttled', 503, 'ServerBusy');
      }
    };
    const after = await room.backup();
    expect(await said(after)).toEqual(['data/a failed (throttled)', 'data/b failed (throttled)']);
    room.before = () => {};
    room.source.remove('data', 'a');
    expect(await said(await room.backup())).toEqual(['data/a deleted']);
  });

  it('containers that the source no longer lists, or that the job no longer selects', async () => {
    reselect({ containers: ['*'] });
    for (const container of ['more', 'other']) {
      room.source.createContainer(container);
      room.put('x', 'x', container);
    }
    room.put('a', 'a');
    await room.backup();
    room.source.deleteContainer('more');
    reselect({ containers: ['data', 'm*'] });
    const after = await room.backup();
    expect(await said(after)).toEqual(['more/x deleted', 'other/x not-selected']);
    expect(after).toMatchObject({ status: 'succeeded', noLongerHeld: { deleted: 1, notSelected: 1 } });
    expect(after.containers).toMatchObject([{ container: 'data' }, { gone: true }, { gone: true }]);
    expect(after.parts.map(({ container }) => container)).toEqual(['data', 'data'].slice(0, after.parts.length));
    expect(await said(await room.backup())).toEqual([]);
  });

  it('a container that is named in full, and is gone', async () => {
    reselect({ containers: ['data', 'more'] });
    room.source.createContainer('more');
    room.put('x', 'x', 'more');
    room.put('a', 'a');
    await room.backup();
    room.source.deleteContainer('more');
    const after = await room.backup();
    expect(await said(after)).toEqual(['more/x deleted (container-not-found)']);
    expect(after).toMatchObject({ status: 'completed-with-failures' });
  });

  it('blobs that the job no longer selects', async () => {
    for (const name of ['a.tmp', 'b', 'dir/c']) room.put(name, name);
    await room.backup();
    reselect({ exclude: ['*.tmp'] });
    expect(await said(await room.backup())).toEqual(['data/a.tmp not-selected']);
    reselect({ prefix: 'dir/' });
    expect(await said(await room.backup())).toEqual(['data/b not-selected']);
  });

  it('that a part of the restore point before is damaged', async () => {
    for (const name of ['a', 'b']) room.put(name, name);
    const before = await room.backup();
    room.alter(before.parts.find(({ copied }) => copied > 0)!.path, (body) => body.subarray(0, 20));
    const after = await room.backup();
    expect(after).toMatchObject({ status: 'completed-with-failures', counts: { held: 2 } });
    expect(after.problems).toMatchObject([{ code: 'damaged', count: 1, container: 'data' }]);
  });

  it('a dry run compares nothing', async () => {
    room.put('a', 'a');
    await room.backup();
    room.source.remove('data', 'a');
    expect((await room.run({ mode: 'incremental', dryRun: true })).compared).toEqual([]);
  });
});

describe('a backup says which copies the vault has lost', () => {
  /** What a run says of each container. */
  const again = ({ problems }: RunSummary) => problems.filter(({ code }) => code === 'copied-again');
  const NAMES = ['a', 'b', 'c', 'd', 'e'];

  beforeEach(() => {
    for (const name of NAMES) room.put(name, name);
  });

  it.each(['incremental', 'full'] as const)('an %s run: how many, and some of their names', async (mode) => {
    await room.backup();
    for (const name of ['a', 'b', 'c', 'd']) room.vault.remove('databackup', name);
    room.put('d', 'changed');
    room.source.remove('data', 'e');
    room.put('f', 'new');
    const after = await room.run({ mode });
    expect(after.status).toBe('succeeded');
    expect(again(after)).toMatchObject([{ container: 'data', count: 3 }]);
    expect(again(after)[0]!.message).toMatch(/^3 blobs: copied again although unchanged.*, "a", "b", "c"$/);
    expect(again(await room.run({ mode }))).toEqual([]);
  });

  it.each(['incremental', 'full'] as const)('an %s run: copies that someone else has overwritten', async (mode) => {
    await room.backup();
    Object.assign(room.vault.blob('databackup', 'b')!, { etag: '0xOTHER', size: 7, metadata: {} });
    expect(again(await room.run({ mode }))).toMatchObject([{ container: 'data', count: 1 }]);
    expect(again(await room.run({ mode }))).toEqual([]);
  });

  it('nothing of copies that cannot carry a record', async () => {
    Object.assign(room.source.blob('data', 'c')!, { metadata: { name: 'Zo\u00eb' } });
    await room.backup();
    expect(again(await room.run({ mode: 'full' }))).toEqual([]);
  });

  it('a backup container that is gone', async () => {
    await room.backup();
    room.vault.deleteContainer('databackup');
    expect(again(await room.backup())[0]!.message).toMatch(/^5 blobs: .*, such as "a", "b", "c"$/);
  });

  it('nothing of copies that are there, or that were made for another reason', async () => {
    await room.backup();
    expect(again(await room.run({ mode: 'full' }))).toEqual([]);
    // Another place: everything is new there.
    room.jobs = [{ ...room.jobs[0]!, destination: { ...room.jobs[0]!.destination, prefix: 'moved/' } }];
    const moved = await room.backup();
    expect(moved.counts.copied).toBe(5);
    expect(again(moved)).toEqual([]);
    room.jobs = [{ ...room.jobs[0]!, destination: { ...room.jobs[0]!.destination, container: '{container}two' } }];
    expect(again(await room.backup())).toEqual([]);
  });

  it('nothing again in a retry, which takes over what the run before it copied', async () => {
    await room.backup();
    room.vault.remove('databackup', 'a');
    room.put('b', 'b2');
    failCopies(/b/);
    const part = await room.backup();
    expect(again(part)).toMatchObject([{ count: 1 }]);
    room.before = () => {};
    expect(again(await room.run({ mode: 'retry', retryOf: part.id }))).toEqual([]);
  });
});

describe('a comparison', () => {
  it('leaves no restore point if it does not end', async () => {
    room.put('a', 'a');
    const before = await room.backup();
    const { path } = before.parts.find(({ copied }) => copied > 0)!;
    room.source.remove('data', 'a');
    room.before = ({ account, operation, name }) => {
      if (account === 'VAULT' && operation === 'GetBlob' && name === path)
        throw refusal('throttled', 503, 'ServerBusy');
    };
    const failed = await room.run({ mode: 'incremental' });
    expect(failed).toMatchObject({ status: 'failed', restorePoint: false, problems: [{ code: 'throttled' }] });
    room.before = () => {};
    expect(await said(await room.backup())).toEqual(['data/a deleted']);
  });

  it('that did not take place leaves no restore point either', async () => {
    room.put('a', 'a');
    await room.backup();
    const run = await room.begin({ mode: 'incremental' });
    const work = makeActivities(room.deps());
    await work.scanSlice({ run, container: 'data', destination: 'databackup', slice: 0 });
    await work.publishRun({ run, containers: 1, problems: [], cancelled: false, requests: {} });
    const summary = await room.control.readSummary(run);
    expect(summary).toMatchObject({ status: 'failed', problems: [{ code: 'inconsistent' }] });
    expect(summary!.problems[0]!.message).toMatch(/^data was not compared with restore point nightly-/);
  });

  it('writes the same part again', async () => {
    for (const name of ['a', 'b']) room.put(name, name);
    await room.backup();
    room.source.remove('data', 'a');
    const run = await room.begin({ mode: 'incremental' });
    const work = makeActivities(room.deps());
    const task = { run, container: 'data', destination: 'databackup' };
    await work.scanSlice({ ...task, slice: 0 });
    for (let execution = 0; execution < 2; execution++) {
      expect((await work.compareContainer({ ...task, part: 0, page: 0 })).next).toBeUndefined();
    }
    await work.publishRun({ run, containers: 1, problems: [], cancelled: false, requests: {} });
    expect(await said((await room.control.readSummary(run))!)).toEqual(['data/a deleted']);
  });

  it('of a container that failed in the end replaces the one that had begun', async () => {
    for (const name of ['a', 'b']) room.put(name, name);
    await room.backup();
    const run = await room.begin({ mode: 'incremental' });
    const work = makeActivities(room.deps());
    const task = { run, container: 'data', destination: 'databackup' };
    await work.scanSlice({ ...task, slice: 0 });
    await work.compareContainer({ ...task, part: 0, page: 0 });
    const problem = problemOf('throttled', 0, 'data');
    await work.compareContainer({ ...task, part: 0, page: 0, gone: { code: 'failed', cause: 'throttled' } });
    await work.publishRun({ run, containers: 1, problems: [problem], cancelled: false, requests: {} });
    const { compared } = (await room.control.readSummary(run))!;
    expect(compared.map(({ path }) => path.split('/').at(-1))).toEqual(['000000-gone-compared.ndjson.gz']);
  });

  it('reads two manifests and sends no request per blob', async () => {
    room = new Vault({ sliceBlobs: 50 });
    for (let index = 0; index < 500; index++) room.put(`blob-${1000 + index}`, 'x');
    await room.backup();
    const idle = await room.backup();
    const reads: string[] = [];
    room.before = ({ account, operation, name = '' }) => {
      if (account === 'VAULT' && operation === 'GetBlob' && name.includes('/manifest/')) reads.push(name);
    };
    const next = await room.backup();
    expect(reads).toHaveLength(idle.parts.length + next.parts.length);
    expect(new Set(reads).size).toBe(reads.length);
  });

  it('says the same whatever the sizes of slices and pages, and in however many executions', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.constantFrom('same', 'change', 'delete', 'archive', 'fail', 'new'), {
          minLength: 1,
          maxLength: 25,
        }),
        async (slice, page, chunk, fates) => {
          room = new Vault({ page: () => page, sliceBlobs: slice, chunkBlobs: chunk, scanMs: 0 });
          const nameOf = (index: number) => `b-${String.fromCharCode(97 + ((index * 7) % 26))}`;
          fates.forEach((fate, index) => {
            if (fate !== 'new') room.put(nameOf(index), 'old');
          });
          if (!fates.some((fate) => fate !== 'new')) room.put('zzz', 'old');
          await room.backup();
          const failing = fates.flatMap((fate, index) => (fate === 'fail' ? [nameOf(index)] : []));
          fates.forEach((fate, index) => {
            const name = nameOf(index);
            if (fate === 'delete') room.source.remove('data', name);
            else if (fate === 'archive') room.source.write('data', { name, body: Buffer.from('x'), tier: 'Archive' });
            else if (fate !== 'same') room.put(name, 'new');
          });
          room.before = ({ account, operation, name = '' }) => {
            if (account === 'VAULT' && /^CopyBlob/.test(operation) && failing.includes(name)) {
              throw refusal('leased', 412, 'Leased');
            }
          };
          const after = await room.backup();
          const expected = fates.flatMap((fate, index) => {
            if (fate === 'delete') return [`data/${nameOf(index)} deleted`];
            if (fate === 'archive') return [`data/${nameOf(index)} skipped (source-archived)`];
            return fate === 'fail' ? [`data/${nameOf(index)} failed (destination-leased)`] : [];
          });
          expect(await said(after)).toEqual(expected.sort());
          const changed = fates.filter((fate) => fate === 'change').length;
          expect(after.containers[0]!.counts.changed).toBe(changed);
          const lost = changed + fates.filter((fate) => fate === 'delete' || fate === 'archive').length;
          expect(after.compared.reduce((sum, part) => sum + part.lost.at(-1)!, 0)).toBe(lost);
        },
      ),
      { numRuns: 60 },
    );
  });
});
