import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { beforeEach, expect, test } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import { previewRestoreHandler } from '#functions/restore/preview-restore.ts';
import { StorageError } from '#storage/storage-error.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';
import { Vault } from '../../../support/builders/prune-vault.ts';

const TARGET = { container: '{container}-restored' };

let vault: Vault;
/** Milliseconds that pass with each look at the clock. */
let slowness = 0;

beforeEach(async () => {
  slowness = 0;
  vault = new Vault({ sliceBlobs: 2, page: (limit) => Math.min(limit, 2) });
  vault.source.createContainer('more');
  vault.jobs[0]!.source.containers = ['data', 'more'];
  for (const name of ['a', 'b', 'c', 'd', 'e']) vault.put(name, `text of ${name}`);
  for (const name of ['f', 'g', 'h']) vault.put(name, name, 'more');
  await vault.run({ mode: 'full' });
});

async function ask(body: object, cursor = '') {
  const given = vault.deps();
  let now = given.now().getTime();
  const deps = {
    ...given,
    configuration: { ...given.configuration, accounts: new Map(['SOURCE', 'VAULT'].map((alias) => [alias, {}])) },
    now: () => {
      now += slowness;
      return new Date(now);
    },
  } as unknown as Dependencies;
  const request = httpRequest({ method: 'POST', body, query: { cursor } });
  const answer = await previewRestoreHandler(deps)(request, {} as DurableClient, {} as InvocationContext);
  return { status: answer.status, body: JSON.parse(String(answer.body)) };
}

test('a preview that takes long continues with a cursor, and the answers add up', async () => {
  const whole = (await ask({ target: TARGET })).body;
  expect(whole).toMatchObject({ totals: { items: 8, new: 8 }, next: null });

  slowness = 5_000;
  const sum = { items: 0, new: 0, bytes: 0 };
  const pages: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { body } = await ask({ target: TARGET }, cursor);
    for (const name of ['items', 'new', 'bytes'] as const) sum[name] += body.totals[name];
    pages.push(body.containers.map(({ container }: { container: string }) => container).join());
    cursor = body.next;
  }
  expect(sum).toEqual({ items: 8, new: 8, bytes: whole.totals.bytes });
  // Each page of the manifest has a slice of two blobs.
  expect(pages).toEqual(['data', 'data', 'data', 'more', 'more']);
});

test('a page that selects nothing ends in time, too', async () => {
  slowness = 5_000;
  const { body } = await ask({ target: TARGET, containers: ['data'], prefix: 'e' });
  expect(body).toMatchObject({ totals: { items: 0 }, next: expect.any(String) });
});

test('a cursor of another request or restore point is refused', async () => {
  slowness = 5_000;
  const { next } = (await ask({ target: TARGET })).body;
  expect((await ask({ target: TARGET, existing: 'skip' }, next)).body.code).toBe('cursor-invalid');
  vault.pass(1);
  await vault.run({ mode: 'incremental' });
  expect((await ask({ target: TARGET }, next)).body.code).toBe('cursor-invalid');
});

test('a container whose target cannot be listed hides no other one', async () => {
  vault.before = ({ alias, operation, container }) => {
    if (alias === 'SOURCE' && operation === 'ListBlobs' && container === 'data-restored')
      throw new StorageError('access-denied', 'no right', 403);
  };
  const { body } = await ask({ target: TARGET });
  expect(body).toMatchObject({
    totals: { items: 3 },
    containers: [
      { container: 'data', problem: { code: 'access-denied-target' } },
      { container: 'more', new: 3, problem: null },
    ],
  });
});

test('what a restore leaves out is in the first answer only', async () => {
  slowness = 5_000;
  const request = { target: TARGET, containers: ['data', 'absent'] };
  const first = (await ask(request)).body;
  expect(first.leftOut).toMatchObject([{ container: 'absent', code: 'container-not-held' }]);
  expect((await ask(request, first.next)).body.leftOut).toEqual([]);
  expect((await ask({ file: 'jobs/x' })).body).toMatchObject({ code: 'body-invalid' });
});
