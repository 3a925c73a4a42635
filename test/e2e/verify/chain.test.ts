import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { executePrune, planPrune } from '../../support/app/pruning.ts';
import type { Strongroom } from '../../support/app/strongroom.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import { seed } from '../../support/builders/tables.ts';

const bed = useTestBed({
  app: {
    job: {
      source: { account: 'SOURCE', containers: ['*'], tables: ['orders'] },
      retention: { keepLast: 2, marginHours: 0 },
    },
    limits: { sliceBlobs: 20, chunkBlobs: 8, retryDelayMs: 20 },
  },
});

const CHECK = join(import.meta.dirname, '../../../tools/check-vault/main.mjs');

/** Runs the program as an operator does, with nothing but the connection of the vault. */
function check(...args: string[]): { status: number | null; lines: string[] } {
  return checkWith(bed.vault.connectionString, ...args);
}

function checkWith(connection: string, ...args: string[]): { status: number | null; lines: string[] } {
  const env = { ...process.env, VAULT: connection };
  const { status, stdout, stderr } = spawnSync(process.execPath, [CHECK, '--job', 'nightly', ...args], {
    ...{ env, encoding: 'utf8' },
  });
  return { status, lines: (stdout + stderr).trimEnd().split('\n') };
}

async function headOf(app: Strongroom): Promise<string> {
  const { body } = await app.call('GET', '/api/jobs/nightly/chain');
  const { number, sha256 } = body.head as unknown as { number: number; sha256: string };
  return `${number}:${sha256}`;
}

/** Does something to an object of the control container, checks, and puts the object back as it was. */
async function tampered(name: string, tamper: (bytes: Buffer) => Buffer | undefined, ...args: string[]) {
  const blob = bed.control.getBlockBlobClient(name);
  const bytes = await blob.downloadToBuffer();
  const { metadata } = await blob.getProperties();
  const headers = { ...(metadata && { metadata }) };
  const other = tamper(bytes);
  if (other) await blob.uploadData(other, headers);
  else await blob.delete();
  const result = check(...args);
  await blob.uploadData(bytes, headers);
  return result;
}

async function namesBelow(prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of bed.control.listBlobsFlat({ prefix })) names.push(name);
  return names;
}

test('I6: a program that knows only the format finds a vault in order, and names what was done to it', async () => {
  await bed.fill(30);
  const orders = Array.from({ length: 40 }, (_, i) => ({ partitionKey: `p${i % 3}`, rowKey: String(i) }));
  await seed(bed.source.connectionString, 'orders', orders);
  const app = await bed.start();
  const first = await app.run();
  await bed.upload('blob-007', 'changed');
  const second = await app.run({ mode: 'incremental' });
  const kept = await headOf(app);
  // The record follows the summary, which ends the run.
  await expect.poll(() => app.report(second.id)).toMatchObject({ chain: { number: 2, sha256: kept.slice(2) } });
  expect(await app.host.printed(new RegExp(`chain-head .*${kept.slice(2)}`), 1000)).toBe(true);
  await app.call('POST', `/api/restore-points/${second.id}/hold`, { reason: 'audit' });
  await app.run({ mode: 'incremental' });
  await app.verify({ restorePoint: second.id, kind: 'deep', portion: '100%' });
  await executePrune(app, await planPrune(app));
  const head = await headOf(app);

  expect(check('--content').lines.at(-1)).toBe('Nothing is wrong');
  for (const each of [kept, head]) expect(check('--head', each, '--content').status).toBe(0);
  const { lines } = check('--content');
  expect(lines).toContain(`Head ${head}`);
  expect(lines.join('\n')).toMatch(/restore points 2/);
  // A prune has emptied the first.
  expect(await namesBelow(`jobs/nightly/runs/${first.id}/`)).toEqual([]);

  const [file] = await namesBelow('jobs/nightly/tables/orders/');
  const [part] = await namesBelow(`jobs/nightly/runs/${second.id}/manifest/table.orders/`);
  for (const name of [file!, part!, `jobs/nightly/runs/${second.id}/run.json`]) {
    const altered = await tampered(name, (bytes) => Buffer.concat([bytes, Buffer.from('\n')]));
    expect(altered, name).toMatchObject({
      status: 1,
      lines: expect.arrayContaining([expect.stringMatching(/^altered/)]),
    });
    const dropped = await tampered(name, () => undefined);
    expect(dropped, name).toMatchObject({
      status: 1,
      lines: expect.arrayContaining([expect.stringMatching(/^missing/)]),
    });
    expect(dropped.lines.join('\n')).toContain(name);
  }
  expect(check('--head', head).status).toBe(0);

  const last = (await namesBelow('jobs/nightly/chain/')).at(-1)!;
  const time = (bytes: Buffer) => Buffer.from(String(bytes).replace(/"at": "2/, '"at": "3'));
  expect(await tampered(last, time)).toMatchObject({ status: 0 });
  expect(await tampered(last, time, '--head', head)).toMatchObject({ status: 1 });
});

test('a check that cannot be made does not say that all is well', async () => {
  expect(check('--head', 'x')).toMatchObject({ status: 2, lines: [expect.stringContaining('A head is a number')] });
  expect(check('--vault', 'NOWHERE')).toMatchObject({ status: 2, lines: [expect.stringContaining('NOWHERE')] });
  // No chain at all.
  expect(check()).toMatchObject({ status: 1 });
});

test('a vault that cannot be read names the setting and what to do, without the words of the library', () => {
  const { connectionString } = bed.vault;
  const otherKey = connectionString.replace(/AccountKey=[^;]+/, `AccountKey=${Buffer.alloc(64, 7).toString('base64')}`);
  const unserved = connectionString.replace(/(BlobEndpoint=http:\/\/[^:]+):\d+/, '$1:1');
  const [, endpoint] = /BlobEndpoint=([^;]+)/.exec(connectionString)!;
  for (const [connection, words] of [
    [otherKey, /^The vault does not accept VAULT \(\w+\)\. Copy the connection string again/],
    [unserved, /^The vault did not answer \(ECONNREFUSED\)\. Check the address in VAULT/],
    ['the vault', /^VAULT is not the connection of a vault\. Set it to/],
    ['AccountName=a;AccountKey=', /^VAULT is not the connection of a vault\. Set it to/],
    [`${endpoint}?sv=2026-01-01&sig=c2VjcmV0`, /^The vault does not accept VAULT/],
  ] as const) {
    const { status, lines } = checkWith(connection);
    expect([status, lines]).toEqual([2, [expect.stringMatching(words)]]);
    expect(lines.join()).not.toMatch(/RequestId|c2VjcmV0|AccountKey=/);
  }
});
