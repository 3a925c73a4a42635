import type { HttpRequest, InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { expect, test } from 'vitest';
import { holdHandler, releaseHandler, unholdHandler } from '#functions/restore-points/note-restore-point.ts';
import { checkMemory } from '../../support/builders/memory-check.ts';
import { jobOf, Vault } from '../../support/builders/prune-vault.ts';

async function ask(vault: Vault, handler: typeof holdHandler, id: string, body: object = {}): Promise<void> {
  const request = { params: { id }, text: async () => JSON.stringify(body) } as unknown as HttpRequest;
  const answer = await handler(vault.deps())(request, {} as DurableClient, {} as InvocationContext);
  expect(answer.status).toBe(200);
}

/** A vault after backups, verifications, prunes, holds, a safety brake and its release. */
async function eventful(): Promise<Vault> {
  const vault = new Vault({ sliceBlobs: 60 });
  vault.jobs = [jobOf('nightly', { retention: { keepLast: 2, marginHours: 2, brake: { percent: 50, blobs: 100 } } })];
  for (let i = 0; i < 130; i++) vault.put(`blob ${i}`, `content ${i}`);
  const first = await vault.backup();
  await vault.verify(first.id, 'quick');
  for (let i = 0; i < 130; i++) vault.put(`blob ${i}`, `encrypted ${i}`);
  const braked = await vault.backup();
  await ask(vault, holdHandler, braked.id, { reason: 'audit' });
  await ask(vault, releaseHandler, braked.id);
  await vault.backup();
  await vault.run({ mode: 'full', dryRun: true });
  const last = await vault.backup();
  await vault.verify(last.id);
  await ask(vault, holdHandler, last.id, { reason: 'lawsuit' });
  await ask(vault, holdHandler, last.id, { reason: 'another lawsuit' });
  await ask(vault, unholdHandler, last.id);
  await ask(vault, unholdHandler, last.id);
  for (let i = 0; i < 3; i++) await vault.prune();
  return vault;
}

test('a vault that only Strongroom has written to is in order', async () => {
  const vault = await eventful();
  const { findings, ...checked } = await checkMemory(vault.vault, { job: 'nightly', content: true });
  expect(findings).toEqual([]);
  expect(checked).toMatchObject({ head: vault.heads.at(-1), records: vault.heads.length });
  expect(vault.chain().some((record) => record.kind === 'prune' && record.emptied.length > 0)).toBe(true);
});

test('a vault is in order by each head that it ever had', async () => {
  const vault = await eventful();
  for (const head of vault.heads) {
    expect((await checkMemory(vault.vault, { job: 'nightly', head })).findings).toEqual([]);
  }
});
