import pLimit from 'p-limit';
import { expect, test } from 'vitest';
import { copyChunk } from '#activities/modes/copy-chunk.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { lockPath, planKey } from '#domain/run/control-paths.ts';
import type { PlannedItem } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { emptyTally } from '#domain/run/tally.ts';
import type { BlobAccount, StoredObject } from '#storage/blob-account.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import { blobState } from '../../../support/builders/blob-state.ts';
import { held } from '../../../support/builders/held-run.ts';
import { RUN } from '../../../support/builders/run-ref.ts';
import { storedObject } from '../../../support/builders/stored-object.ts';

test('F28: a piece that one execution leaves because of a cancel is not finished for another execution', async () => {
  const objects = new Map<string, StoredObject>();
  let now = Date.parse('2026-05-02T00:00:00.000Z');
  let copies = 0;
  const lock = { job: RUN.job, epoch: RUN.epoch, run: RUN, since: RUN.startedAt, cancel: false };
  const setLock = (cancel: boolean) =>
    objects.set(lockPath(RUN.job), storedObject(JSON.stringify({ ...lock, cancel }), { etag: '0xL' }));
  const vault = {
    alias: 'VAULT',
    getObject: async (_container: string, name: string) => objects.get(name),
    appendObject: async () => {},
    putObject: async (_container: string, name: string, body: Uint8Array) => {
      if (objects.has(name)) throw new StorageError('precondition', 'It is there');
      objects.set(name, storedObject(body));
      return { etag: '0x1' };
    },
    copySync: async () => {
      copies++;
      if (copies === 1) setLock(true);
      return { etag: `0x${copies}` };
    },
  } as unknown as BlobAccount;
  const source = { readAccess: async () => ({ urlOf: (name: string) => `https://source/${name}` }) };
  const job = {
    name: RUN.job,
    method: 'sync',
    source: { account: 'SOURCE' },
    destination: { account: 'VAULT', prefix: '' },
  };
  const deps = {
    configuration: { jobs: [job], archives: [] },
    limits: { copyMs: 3_600_000, copiesAtOnce: 1, copyDeadlineMs: 3_600_000, silentMs: 600_000 },
    copySlots: pLimit(1),
    blobs: (alias: string) => (alias === 'VAULT' ? vault : source),
    catalog: () => undefined,
    // Each look at the lock is a fresh one.
    now: () => {
      now += 6_000;
      return new Date(now);
    },
    random: () => 'aaaaaa',
  } as unknown as Dependencies;
  const plan = new PartWriter<PlannedItem>();
  for (const name of ['a', 'b', 'c', 'd']) plan.add({ from: blobState({ name }), reason: 'new' });
  const key = planKey(0, 0, 'aaaaaa');
  await new ControlStore(vault).writePart(held(RUN), 'plan', key, plan, emptyTally('images', ''), {});
  const chunk = { slice: 0, chunk: 0, key, items: 4 };
  const input = { run: RUN, container: 'images', destination: 'imagesbackup', chunk, from: 0 };

  setLock(false);
  expect(await copyChunk(deps, input)).toEqual({ stopped: 'cancelled' });
  expect(copies).toBeLessThan(4);
  // The other one has not seen the request to cancel, and ends its work after the first has left its part.
  setLock(false);
  expect(await copyChunk({ ...deps }, input)).toMatchObject({ stopped: 'cancelled' });
});
