import { beforeEach, describe, expect, it, test } from 'vitest';
import { CONTROL_CONTAINER } from '#domain/run/control-paths.ts';
import { heldByPlan } from '#domain/run/held-by-plan.ts';
import { tallyToMetadata } from '#domain/run/tally.ts';
import { catalogRowOf } from '#storage/catalog.ts';
import { StorageError } from '#storage/storage-error.ts';
import { BACKUP, jobOf, Vault } from '../../../support/builders/prune-vault.ts';

let room: Vault;

beforeEach(() => {
  room = new Vault({ sliceBlobs: 3, page: () => 2 });
});

/** Everything in a container of the vault, page by page. */
function listed(container: string, prefix = '') {
  const options = { prefix, metadata: true, snapshotsAndVersions: container === BACKUP };
  let page = room.vault.listBlobs(container, options);
  const { blobs } = page;
  while (page.next !== undefined) {
    page = room.vault.listBlobs(container, { ...options, marker: page.next });
    blobs.push(...page.blobs);
  }
  return blobs;
}

/** What the vault has under a prefix, counted one by one. */
function counted(prefix = '') {
  const blobs = listed(BACKUP, prefix);
  const kept = blobs.filter(({ snapshotOrVersion }) => snapshotOrVersion !== undefined).length;
  return { blobs: blobs.length - kept, kept, bytes: blobs.reduce((sum, { size }) => sum + size, 0) };
}

const isSliceOf = (run: string, name: string) => name.includes(run) && name.endsWith('-slice.ndjson.gz');

async function fill(days = 3): Promise<void> {
  for (let day = 0; day < days; day++) {
    for (let index = 0; index < 7; index++) room.put(`blob-${index}`, index % 2 ? `day ${day}, ${index}` : 'always');
    await room.backup();
  }
}

test('a plan counts what its job holds, over several slices, and its row has it', async () => {
  await fill();
  const plan = await room.plan();
  expect(counted()).toMatchObject({ blobs: 7, kept: 14 });
  expect(heldByPlan(plan)).toEqual(counted());
  expect(catalogRowOf(plan).held).toEqual(counted());
  expect(listed(CONTROL_CONTAINER).filter(({ name }) => isSliceOf(plan.id, name)).length).toBeGreaterThan(2);
});

test('a slice that is planned twice counts once', async () => {
  await fill();
  const run = await room.begin({ mode: 'prune', dryRun: true, prune: {} });
  let written = 0;
  let isLost = true;
  room.before = ({ writes, name = '' }) => {
    if (writes && isSliceOf(run.id, name)) written++;
    if (writes && name.endsWith('/run.json') && isLost) throw new Error('the process ended');
  };
  await expect(room.work(run)).rejects.toThrow('the process ended');
  const slices = written;
  isLost = false;
  expect(heldByPlan(await room.work(run))).toEqual(counted());
  expect([slices > 2, written]).toEqual([true, 2 * slices]);
});

test('of a container that jobs share, each object counts for the job whose prefix it has', async () => {
  const destination = (prefix: string) => ({ account: 'VAULT', container: '{container}backup', prefix });
  room.jobs = [
    jobOf('nightly', { destination: destination('n/') }),
    jobOf('weekly', { destination: destination('w/') }),
  ];
  await fill(2);
  await room.backup('incremental', 'weekly');
  room.vault.write(BACKUP, { name: 'foreign', body: Buffer.from('of someone else') });
  expect(heldByPlan(await room.plan())).toEqual(counted('n/'));
  expect(heldByPlan(await room.plan('weekly'))).toEqual(counted('w/'));
});

describe('a plan says nothing', () => {
  it('if a container cannot be listed', async () => {
    await fill();
    room.before = ({ operation, container }) => {
      if (operation === 'ListBlobs' && container === BACKUP) throw new StorageError('access-denied', 'no right');
    };
    const plan = await room.plan();
    expect(plan.containers).toMatchObject([{ problems: [{ code: 'access-denied-destination' }] }]);
    expect(heldByPlan(plan)).toBeUndefined();
  });

  it('if an earlier version planned a slice of it', async () => {
    await fill();
    const run = await room.begin({ mode: 'prune', dryRun: true, prune: {} });
    let isAltered = false;
    room.before = () => {
      if (isAltered) return;
      const part = listed(CONTROL_CONTAINER).find(({ name }) => isSliceOf(run.id, name));
      if (!part) return;
      isAltered = true;
      const { body, metadata, headers } = room.vault.blob(CONTROL_CONTAINER, part.name)!;
      const { held: _, ...tally } = JSON.parse(metadata.strongroom_tally!);
      room.vault.write(CONTROL_CONTAINER, { name: part.name, body, headers, metadata: tallyToMetadata(tally) });
    };
    const plan = await room.work(run);
    expect(plan.status).toBe('succeeded');
    expect(isAltered).toBe(true);
    expect(heldByPlan(plan)).toBeUndefined();
    expect(catalogRowOf(plan)).not.toHaveProperty('held');
  });
});
