import { describe, expect, it } from 'vitest';
import { type Outcome, outcomeOf } from '#domain/run/outcome.ts';
import { searchNamesHandler } from '#functions/restore-points/search-names.ts';
import { blobState } from '../../../support/builders/blob-state.ts';
import { PointVault } from '../../../support/builders/point-vault.ts';

const ID = 'nightly-20261120T000000Z-aaaaaa';
const RETRY = 'nightly-20261120T010000Z-bbbbbb';

const of = (name: string, status: Outcome['status'] = 'unchanged') =>
  outcomeOf(blobState({ name }), status, {
    ...(status === 'failed' && { code: 'throttled' as const, source: blobState({ name }) }),
  });
const scan = (...names: string[]) => ({ scan: names.map((name) => of(name)) });

/** Every answer, one after the other, as one. */
async function search(vault: PointVault, query: Record<string, string>) {
  const names: string[] = [];
  let answers = 0;
  for (let cursor: string | null = ''; cursor !== null; answers++) {
    const { status, body } = await vault.ask(searchNamesHandler, { query: { ...query, ...(cursor && { cursor }) } });
    expect(status, JSON.stringify(body)).toBe(200);
    names.push(...body.items.map((each: { container: string; name: string }) => `${each.container} ${each.name}`));
    expect(body.parts.scanned).toBeLessThanOrEqual(body.parts.total);
    expect(body.next === null).toBe(body.parts.scanned === body.parts.total);
    cursor = body.next;
    expect(answers).toBeLessThan(500);
  }
  return { names, answers };
}

const partsRead = (vault: PointVault) => vault.read.filter((path) => path.includes('/manifest/')).length;

describe('a search by name', () => {
  it('finds what contains the text in any case, starts with it, or matches a glob', async () => {
    const vault = new PointVault();
    await vault.publish(ID, {
      data: [scan('2026/Invoice-1.pdf', '2026/x', 'invoice')],
      docs: [scan('old/invoice.txt')],
    });
    const found = async (query: Record<string, string>) => (await search(vault, query)).names;
    const all = ['data 2026/Invoice-1.pdf', 'data invoice', 'docs old/invoice.txt'];
    expect(await found({ q: 'INVOICE' })).toEqual(all);
    expect(await found({ q: 'invoice', match: 'prefix' })).toEqual(['data invoice']);
    expect(await found({ q: '**/*.txt', match: 'glob' })).toEqual(['docs old/invoice.txt']);
    expect(await found({ q: 'invoice', container: 'docs' })).toEqual(['docs old/invoice.txt']);
    expect(await found({ q: 'none' })).toEqual([]);
  });

  it('finds what can be restored, once, also what a retry has made good', async () => {
    const vault = new PointVault();
    const point = await vault.publish(ID, { data: [{ copies: [{ now: [of('a', 'copied'), of('ab', 'failed')] }] }] });
    expect((await search(vault, { q: 'a' })).names).toEqual(['data a']);
    const copies = [{ now: [of('ab', 'copied')] }];
    await vault.publish(RETRY, { data: [{ copies }] }, { after: point });
    expect((await search(vault, { q: 'a' })).names).toEqual(['data a', 'data ab']);
    expect((await search(vault, { q: 'a', restorePoint: ID })).names).toEqual(['data a']);
  });

  it('reads at most 25 parts for an answer, and says how far it is', async () => {
    const vault = new PointVault();
    const slices = Array.from({ length: 60 }, (_, slice) => scan(`${String(slice).padStart(2, '0')}/a`, `x${slice}`));
    await vault.publish(ID, { data: slices });
    vault.read.length = 0;
    const { body } = await vault.ask(searchNamesHandler, { query: { q: 'none' } });
    expect(body).toMatchObject({ items: [], parts: { scanned: 25, total: 60 }, restorePoint: { id: ID } });
    expect(partsRead(vault)).toBe(25);
    const { names, answers } = await search(vault, { q: '/a' });
    expect([names.length, answers]).toEqual([60, 3]);
    for (const limit of ['1', '7']) expect((await search(vault, { q: '/a', limit })).names).toEqual(names);
  });

  it('reads only the parts that may have the prefix', async () => {
    const vault = new PointVault();
    await vault.publish(ID, { data: ['a', 'b', 'c'].map((name) => scan(`${name}/1`, `${name}/2`)) });
    for (const query of [
      { q: 'b/', match: 'prefix' },
      { q: 'b/*', match: 'glob' },
    ]) {
      vault.read.length = 0;
      expect((await search(vault, query)).names).toEqual(['data b/1', 'data b/2']);
      expect(partsRead(vault)).toBe(1);
    }
  });

  it('stays with its restore point from page to page', async () => {
    const vault = new PointVault();
    await vault.publish(ID, { data: [scan('a1', 'a2')] });
    const query = { q: 'a', limit: '1' };
    const { body } = await vault.ask(searchNamesHandler, { query });
    await vault.publish(RETRY, { data: [scan('a9')] });
    const next = await vault.ask(searchNamesHandler, { query: { ...query, cursor: body.next } });
    expect(next.body).toMatchObject({ restorePoint: { id: ID }, items: [{ name: 'a2' }], next: null });
    const foreign = await vault.ask(searchNamesHandler, { query: { q: 'b', cursor: body.next } });
    expect(foreign).toMatchObject({ status: 400, body: { code: 'cursor-invalid' } });
  });

  it('refuses what it cannot search', async () => {
    const vault = new PointVault();
    await vault.publish(ID, { data: [scan('a')] });
    const ask = (query: Record<string, string>) => vault.ask(searchNamesHandler, { query });
    expect(await ask({})).toMatchObject({ status: 400, body: { code: 'query-invalid' } });
    expect(await ask({ q: '[', match: 'glob' })).toMatchObject({ status: 400, body: { code: 'query-invalid' } });
    expect(await ask({ q: 'a', container: 'none' })).toMatchObject({
      status: 404,
      body: { code: 'container-not-held' },
    });
    expect(await ask({ q: 'a', restorePoint: RETRY })).toMatchObject({ status: 404 });
    const [part] = [...vault.objects.keys()].filter((path) => path.includes('/manifest/'));
    vault.put(part!, Buffer.from('damaged'));
    expect(await ask({ q: 'a' })).toMatchObject({ status: 502, body: { code: 'damaged' } });
  });
});
