import { expect, test } from 'vitest';
import { CONTROL_CONTAINER, summaryPath } from '#domain/run/control-paths.ts';
import { scratchContainer } from '#domain/verify/scratch-container.ts';
import { StorageError } from '#storage/storage-error.ts';
import { BACKUP, type GivenBlob, HeldPoint } from '../../../support/builders/held-point.ts';

const some = (blobs: number) =>
  Object.fromEntries(
    Array.from({ length: blobs }, (_, i): [string, GivenBlob] => [
      `b${String(i).padStart(3, '0')}`,
      { body: Buffer.from(`content ${i}`), ...(i % 5 === 0 && { newer: Buffer.from(`newer ${i}`) }) },
    ]),
  );

const containers = ({ vault }: HeldPoint) => vault.listContainers(undefined).names;

async function heldPoint(limits: object = {}): Promise<HeldPoint> {
  const point = new HeldPoint(limits);
  for (let slice = 0; slice < 4; slice++) {
    await point.hold(Object.fromEntries(Object.entries(some(50)).map(([name, blob]) => [`${slice}-${name}`, blob])));
  }
  return point;
}

test('a drill restores a sample, compares it, and leaves nothing behind', async () => {
  const point = await heldPoint({ chunkBlobs: 7 });
  const restored = new Set<string>();
  const { copySync } = point.vault;
  point.vault.copySync = (request) => {
    restored.add(request.name);
    return copySync.call(point.vault, request);
  };
  const before = containers(point);
  const outcomes = await point.verify({ kind: 'drill', sample: 30 });
  expect(outcomes.map(({ status }) => status)).toEqual(Array(30).fill('unchanged'));
  expect([...restored].sort()).toEqual(outcomes.map(({ name }) => name).sort());
  expect(containers(point)).toEqual(before);
  // Another drill takes another sample.
  const other = await point.verify({ kind: 'drill', sample: 30 }, 'nightly-20260503T000000Z-wwwwww');
  expect(other.map(({ name }) => name).sort()).not.toEqual([...restored].sort());
});

test('the access of a drill outlives copies that begin after others took long', async () => {
  const point = new HeldPoint({ copyDeadlineMs: 60_000 });
  await point.hold({ a: { body: Buffer.from('right') } });
  const { copySync } = point.vault;
  let lasts = 0;
  point.vault.copySync = (request) => {
    lasts = Number(new URL(request.sourceUrl).searchParams.get('until')) - point.deps.now().getTime();
    return copySync.call(point.vault, request);
  };
  await point.verify({ kind: 'drill', sample: 1 });
  expect(lasts).toBeGreaterThan(10 * 60_000);
});

test('a drill of everything finds every damage', async () => {
  const point = await heldPoint();
  point.vault.remove(BACKUP, '1-b001');
  point.vault.blob(BACKUP, '2-b007')!.body[0]! ^= 1;
  const outcomes = await point.verify({ kind: 'drill', sample: 1000 });
  expect(outcomes).toHaveLength(200);
  const failed = outcomes.filter(({ status }) => status === 'failed').map(({ name, code }) => [name, code]);
  expect(failed.sort()).toEqual([
    ['1-b001', 'content-missing'],
    ['2-b007', 'content-mismatch'],
  ]);
});

test.each([
  ['other bytes', { body: Buffer.from('wrong') }, 'has other bytes than the vault'],
  ['a lost header', { headers: { contentType: 'text/html' } }, 'has another contentType'],
  ['lost metadata', { metadata: {} }, 'has other metadata'],
  ['a record that remains', { metadata: { Owner: 'x', strongroom_run: 'y' } }, 'has other metadata'],
])('a drill finds a restore that leaves something out: %s', async (_what, wrong, message) => {
  const point = new HeldPoint();
  await point.hold({ a: { body: Buffer.from('right') } });
  const { copySync } = point.vault;
  point.vault.copySync = (request) => {
    copySync.call(point.vault, request);
    const made = point.vault.blob(request.container, request.name)!;
    return point.vault.write(request.container, {
      ...made,
      size: (wrong as { body?: Buffer }).body?.length ?? 5,
      ...wrong,
    });
  };
  const outcomes = await point.verify({ kind: 'drill' });
  expect(outcomes).toMatchObject([{ name: 'a', status: 'failed', code: 'content-mismatch' }]);
  expect(outcomes[0]!.message).toContain(message);
});

test('a drill without the right to delete says where its container is left', async () => {
  const point = await heldPoint();
  const refuse = () => {
    throw new StorageError('access-denied', 'Not allowed', 403, 'AuthorizationPermissionMismatch');
  };
  point.vault.deleteBlob = refuse;
  point.vault.deleteContainer = refuse;
  const outcomes = await point.verify({ kind: 'drill', sample: 3 });
  const [left] = containers(point).filter((name) => name.startsWith('strongroom-drill-vvvvvv-'));
  expect(outcomes).toMatchObject(Array(3).fill({ status: 'unchanged', code: 'access-denied-prune' }));
  expect(outcomes[0]!.message).toContain(`left in container ${left} of VAULT`);
});

test('a drill deletes the containers of earlier drills, and no other container with a similar name', async () => {
  const point = await heldPoint();
  const drill = { job: 'nightly', id: 'nightly-20260501T020000Z-dddddd' };
  const backup = { job: 'nightly', id: 'nightly-20260501T030000Z-bbbbbb' };
  const summary = {
    format: 3,
    status: 'failed',
    counts: {},
    bytes: {},
    containers: [],
    problems: [],
    parts: [],
    compared: [],
  };
  for (const [run, more] of [
    [drill, { verify: { kind: 'drill' } }],
    [backup, {}],
  ] as const) {
    const body = Buffer.from(JSON.stringify({ ...summary, ...run, ...more }));
    point.vault.putObject(CONTROL_CONTAINER, summaryPath(run), body, { contentType: 'application/json' });
  }
  const names = ['dddddd', 'bbbbbb', 'nnnnnn'].map((run) => scratchContainer(run, 'data/x'));
  for (const name of names) point.vault.createContainer(name);
  await point.verify({ kind: 'drill' });
  expect(
    containers(point)
      .filter((name) => names.includes(name))
      .sort(),
  ).toEqual(names.slice(1).sort());
});

test('a second execution that deletes the restored blobs causes no false alarm in the first', async () => {
  const point = await heldPoint();
  const { listBlobs } = point.vault;
  let taken = 0;
  point.vault.listBlobs = (container, options) => {
    // Just when it is about to be compared.
    if (container.startsWith('strongroom-drill-') && options.tags && taken < 5) {
      taken++;
      point.vault.remove(container, options.prefix!);
    }
    return listBlobs.call(point.vault, container, options);
  };
  const outcomes = await point.verify({ kind: 'drill', sample: 10 });
  expect(taken).toBe(5);
  expect(outcomes.map(({ status }) => status)).toEqual(Array(10).fill('unchanged'));
});

test.each([
  [2, 'unchanged', undefined],
  [Number.POSITIVE_INFINITY, 'failed', expect.stringContaining('it has other metadata')],
])('a blob that a second execution is about to finish is compared again: %d times', async (times, status, message) => {
  const point = new HeldPoint();
  await point.hold({ a: { body: Buffer.from('right') } });
  const { listBlobs } = point.vault;
  let seen = 0;
  point.vault.listBlobs = (container, options) => {
    const page = listBlobs.call(point.vault, container, options);
    if (!container.startsWith('strongroom-drill-') || !options.tags || seen++ >= times) return page;
    // It has copied the blob with our record, and removes that next.
    return { ...page, blobs: page.blobs.map((blob) => ({ ...blob, metadata: { strongroom_etag: '0x1' } })) };
  };
  const [outcome] = await point.verify({ kind: 'drill', sample: 1 });
  expect(outcome).toMatchObject({ status, ...(message && { code: 'content-mismatch', message }) });
  expect(seen).toBeGreaterThan(1);
});
