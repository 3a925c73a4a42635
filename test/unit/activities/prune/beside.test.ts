import { beforeEach, expect, it } from 'vitest';
import type { BlobType } from '#domain/blobs/blob.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { BACKUP, jobOf, Vault } from '../../../support/builders/prune-vault.ts';
import { Random } from '../../../support/builders/random.ts';

const NAMES = ['a', 'log', 'strongroom-types/append/log', 'z'];
const TYPES: BlobType[] = ['block', 'page', 'append'];
let room: Vault;
const keeping = (keepLast: number) =>
  jobOf('nightly', { retention: { keepLast, marginHours: 0, brake: { percent: 50, blobs: 100, days: 30 } } });

beforeEach(() => {
  room = new Vault({ sliceBlobs: 2, page: () => 2 });
  room.jobs = [keeping(2)];
});

const make = (name: string, type: BlobType, text: string) => {
  room.source.remove('data', name);
  room.source.write('data', { name, type, body: Buffer.from(text) });
};

it('I5: a prune keeps what restore points have beside, in whatever slice it is listed', async () => {
  const points: RunSummary[] = [];
  for (const type of ['block', 'append', 'page'] as const) {
    for (const name of NAMES) make(name, type, `${name} as ${type}`);
    points.push(await room.backup());
  }
  expect(await room.prune()).toMatchObject({ status: 'succeeded' });
  for (const point of points.slice(1)) expect(await room.lost(point)).toEqual([]);
  // Of the first night, nothing is left: the source has those names only as blobs of another type.
  const blobs = [...room.vault.blobs()].filter(({ container }) => container === BACKUP).map(({ blob }) => blob);
  const left = blobs.flatMap(({ name }) => room.vault.all(BACKUP, name)).map(({ body }) => String(body));
  expect(left.filter((text) => text.endsWith('as block'))).toEqual([]);
  expect(left).toHaveLength(2 * NAMES.length);
});

it('I5: after random changes of types, each restore point that stays is whole, and a backup copies no blob again', async () => {
  for (let seed = 0; seed < 15; seed++) {
    const random = new Random(seed);
    room = new Vault({ sliceBlobs: random.between(2, 6), page: () => random.between(1, 4) });
    room.jobs = [keeping(random.between(1, 3))];
    let points: RunSummary[] = [];
    for (let night = 0; night < 6; night++) {
      for (const name of NAMES) {
        if (random.chance(0.5)) make(name, random.pick(TYPES), `${name} in night ${night}`);
        else if (random.chance(0.2)) room.source.remove('data', name);
      }
      points.push(await room.backup());
      const again = await room.backup();
      expect(again.counts, `seed ${seed}`).toMatchObject({ copied: 0, failed: 0 });
      points.push(again);
      if (random.chance(0.5)) await room.prune();
      const kept = await Promise.all(points.map(({ id }) => room.left(id)));
      points = points.filter((_, index) => kept[index]!.length > 0);
      for (const point of points) expect(await room.lost(point), `seed ${seed}`).toEqual([]);
    }
  }
});
