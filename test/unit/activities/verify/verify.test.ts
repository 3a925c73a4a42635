import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '#domain/run/outcome.ts';
import { StorageError } from '#storage/storage-error.ts';
import type { MemoryBlob } from '../../../../prove/memory/memory-account.ts';
import { BACKUP, type GivenBlob, HeldPoint, md5Of } from '../../../support/builders/held-point.ts';
import { Random } from '../../../support/builders/random.ts';

const failed = (outcomes: Outcome[]) =>
  outcomes.filter(({ status }) => status === 'failed').map(({ name, code }) => [name, code]);
/** What a deep verification names: damage, or bytes with another MD5 than their source had, and no source any more. */
const suspect = (outcomes: Outcome[]) =>
  outcomes.filter(({ status, message }) => status === 'failed' || /Content-MD5 was another/.test(message ?? ''));
const count = (outcomes: Outcome[], status: string) => outcomes.filter((outcome) => outcome.status === status).length;

/** Some thousand blobs; of some the backup container has newer content, or the source nothing any more. */
async function manyBlobs(seed: number, blobs = 2_000): Promise<HeldPoint> {
  const random = new Random(seed);
  const point = new HeldPoint({ sliceBlobs: 300, chunkBlobs: 120, sliceChunks: 3 });
  for (let from = 0; from < blobs; from += 500) {
    const slice: Record<string, GivenBlob> = {};
    for (let i = from; i < Math.min(from + 500, blobs); i++) {
      const body = Buffer.from(`content of ${i} ${random.letters(random.between(0, 60))}`);
      const kind = random.below(10);
      slice[`folder-${String(i).padStart(6, '0')}/blob`] = {
        body,
        ...(kind === 0 && { newer: Buffer.from(`newer ${i}`) }),
        ...(kind === 1 && { gone: true }),
        // Known by its source alone.
        ...(kind === 2 && { md5: null }),
      };
    }
    await point.hold(slice);
  }
  return point;
}

/** What holds the content of an entry: the backup blob, or the snapshot under a newer one. */
function holderOf({ vault }: HeldPoint, { name, etag }: Outcome): MemoryBlob {
  return vault.all(BACKUP, name).find(({ metadata }) => metadata.strongroom_etag === etag)!;
}

const sha256Of = (text: string) => createHash('sha256').update(text).digest('hex');

type Damage = (point: HeldPoint, entry: Outcome, other: Outcome, random: Random) => Outcome[];

const lost = (point: HeldPoint, entry: Outcome) => {
  const holder = holderOf(point, entry);
  const { blobs } = point.vault.listBlobs(BACKUP, { prefix: entry.name, snapshotsAndVersions: true, metadata: true });
  const kept = blobs.find(
    (blob) => blob.snapshotOrVersion && blob.metadata?.strongroom_etag === entry.etag,
  )?.snapshotOrVersion;
  if (kept) point.vault.deleteBlob(BACKUP, entry.name, { ifMatch: holder.etag, snapshotOrVersion: kept });
  else point.vault.remove(BACKUP, entry.name);
};

/** No listing shows these. */
const SILENT: Record<string, Damage> = {
  'a flipped bit': (point, entry, _other, random) => {
    const { body } = holderOf(point, entry);
    body[random.below(body.length)]! ^= 1 << random.below(8);
    return [entry];
  },
  'a swap of two contents': (point, entry, other) => {
    const [one, two] = [holderOf(point, entry), holderOf(point, other)];
    const length = Math.min(one.body.length, two.body.length);
    // Of different lengths it is the beginnings that are swapped.
    const before = Buffer.from(one.body.subarray(0, length));
    two.body.copy(one.body, 0, 0, length);
    before.copy(two.body);
    return [entry, other];
  },
  'other bytes, written with the same metadata': (point, entry) => {
    const holder = holderOf(point, entry);
    const body = Buffer.from(holder.body.map((byte) => byte ^ 0x55));
    Object.assign(holder, { body, headers: { ...holder.headers, contentMd5: md5Of(body) } });
    return [entry];
  },
};

const VISIBLE: Record<string, Damage> = {
  'a deletion': (point, entry) => {
    lost(point, entry);
    return [entry];
  },
  'a truncation': (point, entry) => {
    const holder = holderOf(point, entry);
    Object.assign(holder, { body: holder.body.subarray(1), size: holder.size - 1 });
    return [entry];
  },
};

const sorted = (entries: Outcome[]) => entries.map(({ name }) => name).sort();

describe('I6: one damage among thousands of blobs', () => {
  it.each(Object.keys({ ...SILENT, ...VISIBLE }))('%s is found and named, and nothing else', async (what) => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const random = new Random(seed);
        const point = await manyBlobs(seed, 1_000);
        const [entry, other] = random.take([...point.entries], 2) as [Outcome, Outcome];
        const damaged = { ...SILENT, ...VISIBLE }[what]!(point, entry, other, random);
        const deep = await point.verify({ kind: 'deep' });
        expect(deep).toHaveLength(1_000);
        expect(sorted(suspect(deep))).toEqual(sorted(damaged));
      }),
      { numRuns: 6 },
    );
  });

  it.each(Object.keys(VISIBLE))('%s is found by a quick verification already', async (what) => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const random = new Random(seed);
        const point = await manyBlobs(seed, 1_000);
        const [entry, other] = random.take([...point.entries], 2) as [Outcome, Outcome];
        const damaged = VISIBLE[what]!(point, entry, other, random);
        expect(failed(await point.verify()).map(([name]) => name)).toEqual(sorted(damaged));
      }),
      { numRuns: 6 },
    );
  });

  it('a sound vault is flagged by neither a quick nor a deep verification, and what was read is reported', async () => {
    for (const seed of [1, 2, 3]) {
      const point = await manyBlobs(seed);
      const quick = await point.verify({}, 'nightly-20260502T000000Z-aaaaaa');
      expect([quick.length, count(quick, 'unchanged')]).toEqual([2_000, 2_000]);
      const deep = await point.verify({ kind: 'deep' });
      expect([deep.length, count(deep, 'unchanged')]).toEqual([2_000, 2_000]);
    }
  });
});

describe('quick', () => {
  it('a quick verification sends a request per 5,000 blobs, and none per blob', async () => {
    const point = new HeldPoint();
    for (let from = 0; from < 20_000; from += 5_000) {
      const slice: Record<string, GivenBlob> = {};
      for (let i = from; i < from + 5_000; i++) slice[`b${String(i).padStart(6, '0')}`] = { body: Buffer.from(`${i}`) };
      await point.hold(slice);
    }
    const asked: string[] = [];
    const { listBlobs } = point.vault;
    point.vault.listBlobs = (container, options) => {
      asked.push(container);
      return listBlobs.call(point.vault, container, options);
    };
    const outcomes = await point.verify();
    expect(count(outcomes, 'unchanged')).toBe(20_000);
    expect(asked.filter((container) => container === BACKUP)).toHaveLength(4);
  });

  it('a quick verification of a retry lists the names once more, and still sends no request per blob', async () => {
    const point = new HeldPoint({ sliceBlobs: 200 }, { page: (limit) => Math.min(limit, 50) });
    const some = (from: number) =>
      Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`b${from + 2 * i}`, { body: Buffer.from(`${i}`) }]));
    await point.hold(some(1000));
    await point.hold(some(1001), 'nightly-20260501T010000Z-rrrrrr');
    let asked = 0;
    const { listBlobs } = point.vault;
    point.vault.listBlobs = (container, options) => {
      if (container === BACKUP) asked++;
      return listBlobs.call(point.vault, container, options);
    };
    expect(count(await point.verify(), 'unchanged')).toBe(400);
    // Two passes over eight pages, and the page that each slice ends in.
    expect(asked).toBeLessThanOrEqual(18);
  });
});

describe('deep', () => {
  const read = (outcomes: Outcome[]) =>
    outcomes.map(({ name, status, code }) => [name, status, ...(code === undefined ? [] : [code])]).sort();

  it('a blob without an MD5 is compared with the source at the same version; otherwise it is reported as unproved', async () => {
    const point = new HeldPoint();
    await point.hold({
      here: { body: Buffer.from('here'), md5: null },
      left: { body: Buffer.from('left'), md5: null, gone: true },
      rotten: { body: Buffer.from('rotten'), md5: null },
    });
    holderOf(point, point.entries[2]!).body[0]! ^= 1;
    const outcomes = await point.verify({ kind: 'deep' });
    expect(read(outcomes)).toEqual([
      ['here', 'unchanged'],
      ['left', 'skipped', 'content-unproved'],
      ['rotten', 'failed', 'content-mismatch'],
    ]);
  });

  it('I10: another Content-MD5 than that of the bytes is never damage, and the source proves the bytes', async () => {
    const point = new HeldPoint();
    const stale = md5Of(Buffer.from('before the append'));
    await point.hold({
      here: { body: Buffer.from('here'), md5: stale },
      overwritten: { body: Buffer.from('overwritten'), md5: stale, newer: Buffer.from('since') },
      deleted: { body: Buffer.from('deleted'), md5: stale, gone: true },
      rotten: { body: Buffer.from('rotten'), md5: md5Of(Buffer.from('rotten')) },
    });
    holderOf(point, point.entries[3]!).body[0]! ^= 1;
    const outcomes = await point.verify({ kind: 'deep' });
    expect(read(outcomes)).toEqual([
      ['deleted', 'skipped', 'content-unproved'],
      ['here', 'unchanged'],
      ['overwritten', 'skipped', 'content-unproved'],
      ['rotten', 'failed', 'content-mismatch'],
    ]);
    const { message } = outcomes.find(({ name }) => name === 'deleted')!;
    expect(message).toContain(
      `its Content-MD5 was another one: ${stale}, while the content has ${md5Of(Buffer.from('deleted'))}`,
    );
  });

  it('the outcome of every blob that was read has the SHA-256 of its bytes', async () => {
    const point = new HeldPoint();
    await point.hold({
      proved: { body: Buffer.from('proved') },
      bare: { body: Buffer.from('bare'), md5: null },
      lying: { body: Buffer.from('lying'), md5: md5Of(Buffer.from('y')), gone: true },
    });
    const outcomes = await point.verify({ kind: 'deep' });
    expect(Object.fromEntries(outcomes.map(({ name, sha256 }) => [name, sha256]))).toEqual(
      Object.fromEntries(['proved', 'bare', 'lying'].map((name) => [name, sha256Of(name)])),
    );
    const quick = await point.verify({}, 'nightly-20260502T000000Z-aaaaaa');
    expect(quick.some((outcome) => 'sha256' in outcome)).toBe(false);
  });

  it('archived content is reported as present, and not read', async () => {
    const point = new HeldPoint();
    await point.hold({ cold: { body: Buffer.from('x') }, warm: { body: Buffer.from('y') } });
    point.vault.setTier(BACKUP, 'cold', 'Archive');
    const { content } = point.vault;
    const asked: string[] = [];
    point.vault.content = (container, name, options) => {
      asked.push(name);
      return content.call(point.vault, container, name, options);
    };
    expect(read(await point.verify({}, 'nightly-20260502T000000Z-aaaaaa'))).toEqual([
      ['cold', 'unchanged'],
      ['warm', 'unchanged'],
    ]);
    expect(read(await point.verify({ kind: 'deep' }))).toEqual([
      ['cold', 'skipped', 'content-archived'],
      ['warm', 'unchanged'],
    ]);
    expect(asked).toEqual(['warm']);
    const drill = await point.verify({ kind: 'drill' }, 'nightly-20260502T000000Z-bbbbbb');
    expect(read(drill)[0]).toEqual(['cold', 'skipped', 'content-archived']);
  });

  it('content that moves into a snapshot before it is read is found there', async () => {
    const point = new HeldPoint();
    await point.hold({ moving: { body: Buffer.from('old') } });
    const { content } = point.vault;
    let moved = false;
    point.vault.content = (container, name, options) => {
      if (!moved) {
        moved = true;
        const { etag } = holderOf(point, point.entries[0]!);
        point.vault.snapshot(BACKUP, name, etag);
        point.vault.write(BACKUP, { name, body: Buffer.from('new') });
      }
      return content.call(point.vault, container, name, options);
    };
    expect(read(await point.verify({ kind: 'deep' }))).toEqual([['moving', 'unchanged']]);
    expect(moved).toBe(true);
  });

  it('content that cannot be read is read from the next blob that has it', async () => {
    const point = new HeldPoint();
    await point.hold({ twice: { body: Buffer.from('twice') }, once: { body: Buffer.from('once') } });
    for (const { name, etag } of point.entries) {
      const base = point.vault.blob(BACKUP, name)!;
      if (name === 'twice') point.vault.snapshot(BACKUP, name, base.etag);
      point.vault.write(BACKUP, { name, body: Buffer.from(base.body), metadata: { ...base.metadata } });
      expect(base.metadata.strongroom_etag).toBe(etag);
    }
    const { content } = point.vault;
    const asked: [name: string, isSnapshot: boolean][] = [];
    point.vault.content = (container, name, options) => {
      asked.push([name, options.snapshotOrVersion !== undefined]);
      if (options.snapshotOrVersion || name === 'once') throw new StorageError('server', 'It cannot be read', 500);
      return content.call(point.vault, container, name, options);
    };
    expect(read(await point.verify({ kind: 'deep' }))).toEqual([
      ['once', 'failed', 'server-error'],
      ['twice', 'unchanged'],
    ]);
    expect(asked.filter(([name]) => name === 'twice').map(([, isSnapshot]) => isSnapshot)).toEqual([true, false]);
    expect(asked).toContainEqual(['once', false]);
  });

  it('a portion reads each blob once in all turns, and lists all of them each time', async () => {
    const point = await manyBlobs(5, 500);
    const seen: string[] = [];
    const { content } = point.vault;
    point.vault.content = (container, name, options) => {
      seen.push(name);
      return content.call(point.vault, container, name, options);
    };
    for (let turn = 0; turn < 3; turn++) {
      const outcomes = await point.verify(
        { kind: 'deep', portion: '1/3', turn },
        `nightly-20260502T00000${turn}Z-aaaaaa`,
      );
      expect(count(outcomes, 'unchanged')).toBe(500);
    }
    expect(seen.sort()).toEqual(point.entries.map(({ name }) => name).sort());
  });
});
