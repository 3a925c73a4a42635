import { describe, expect, it } from 'vitest';
import { appendEntry, appendToChain } from '#app/append-to-chain.ts';
import { runPrefix, summaryPath } from '#domain/run/control-paths.ts';
import { type Outcome, outcomeOf } from '#domain/run/outcome.ts';
import { blobHistoryHandler } from '#functions/restore-points/blob-history.ts';
import { searchNamesHandler } from '#functions/restore-points/search-names.ts';
import { blobState } from '../../../support/builders/blob-state.ts';
import { PointVault } from '../../../support/builders/point-vault.ts';
import { Random } from '../../../support/builders/random.ts';

const of = (name: string, status: Outcome['status'] = 'unchanged') =>
  outcomeOf(blobState({ name }), status, {
    ...(status === 'failed' && { code: 'throttled' as const, source: blobState({ name }) }),
  });
const scan = (...names: string[]) => ({ scan: names.map((name) => of(name)) });
const idOf = (day: number) => `nightly-202611${String(day).padStart(2, '0')}T000000Z-aaaaaa`;

interface Item {
  container: string;
  name: string;
  restorePoint: { id: string; time: string };
}

/** Every answer, one after the other, as one. */
async function search(vault: PointVault, query: Record<string, string>) {
  const found: string[] = [];
  const places: string[] = [];
  let answers = 0;
  for (let cursor: string | null = ''; cursor !== null; answers++) {
    const asked = { restorePoint: 'older', ...query, ...(cursor && { cursor }) };
    const { status, body } = await vault.ask(searchNamesHandler, { query: asked });
    expect(status, JSON.stringify(body)).toBe(200);
    found.push(
      ...body.items.map(({ container, name, restorePoint }: Item) => `${container} ${name} ${restorePoint.id}`),
    );
    places.push(body.restorePoint.id);
    expect(body.parts.scanned).toBeLessThanOrEqual(body.parts.total);
    cursor = body.next;
    expect(answers).toBeLessThan(5_000);
  }
  return { found, places, answers };
}

/** Restore points of days with the names that each holds. */
async function publish(vault: PointVault, days: Record<string, string[]>[]): Promise<void> {
  for (const [index, containers] of days.entries()) {
    const made = Object.entries(containers).map(([container, names]) => {
      // Small parts.
      const parts = Array.from({ length: Math.ceil(names.length / 3) }, (_, part) =>
        scan(...names.slice(3 * part, 3 * part + 3)),
      );
      return [container, parts] as const;
    });
    await vault.publish(idOf(index + 1), Object.fromEntries(made));
  }
}

/** What the search must find, by the definition: each name that the newest lacks, at the newest that holds it. */
function expected(days: Record<string, string[]>[], isWanted: (name: string) => boolean): string[] {
  const seen = new Set<string>();
  return days.toReversed().flatMap((containers, back) =>
    Object.entries(containers).flatMap(([container, names]) =>
      names.flatMap((name) => {
        const key = `${container} ${name}`;
        if (seen.has(key)) return [];
        seen.add(key);
        return back > 0 && isWanted(name) ? [`${key} ${idOf(days.length - back)}`] : [];
      }),
    ),
  );
}

describe('a search of older restore points', () => {
  it('finds each name once, at the newest restore point that holds it, unless the newest of all does', async () => {
    const vault = new PointVault();
    await publish(vault, [
      { data: ['a-gone', 'a-back', 'a-twice', 'a-now', 'b'] },
      { data: ['a-gone', 'a-now'], docs: ['a-gone'] },
      { data: ['a-twice', 'a-now'] },
      { data: ['a-back', 'a-now', 'a-new'] },
    ]);
    expect((await search(vault, { q: 'a-' })).found).toEqual([
      `data a-twice ${idOf(3)}`,
      `data a-gone ${idOf(2)}`,
      `docs a-gone ${idOf(2)}`,
    ]);
    expect((await search(vault, { q: 'a-', container: 'docs' })).found).toEqual([`docs a-gone ${idOf(2)}`]);
    expect((await search(vault, { q: 'a-t', match: 'prefix' })).found).toEqual([`data a-twice ${idOf(3)}`]);
    expect((await search(vault, { q: 'b' })).found).toEqual([`data b ${idOf(1)}`]);
  });

  it.each([1, 2, 3, 4, 5])('agrees with its definition, however the answers are cut (%i)', async (seed) => {
    const random = new Random(seed);
    const names = Array.from(
      { length: 12 },
      (_, index) => `${index % 2 ? 'x' : 'y'}/${String(index).padStart(2, '0')}`,
    );
    const days = Array.from({ length: 9 }, () => ({
      data: names.filter(() => random.chance(0.6)),
      docs: names.filter(() => random.chance(0.3)),
    }));
    days.at(-1)!.data.push('z');
    const vault = new PointVault();
    await publish(vault, days);
    const wanted = expected(days, (name) => name.startsWith('x/')).sort();
    for (const limit of ['1', '3', '500']) {
      expect((await search(vault, { q: 'x/', match: 'prefix', limit })).found.toSorted()).toEqual(wanted);
    }
    // Each answer ends as soon as it may.
    let clock = 0;
    vault.deps.now = () => {
      clock += 6_000;
      return new Date(clock);
    };
    const slow = await search(vault, { q: 'x/', match: 'prefix', limit: '3' });
    expect(slow.found.toSorted()).toEqual(wanted);
    expect(slow.answers).toBeGreaterThan(20);
  });

  it('reads at most about a hundred objects for an answer, and says where it is', async () => {
    const vault = new PointVault();
    const slices = Array.from({ length: 30 }, (_, slice) => scan(`${String(slice).padStart(2, '0')}/a`));
    for (let day = 1; day <= 9; day++)
      await vault.publish(idOf(day), { data: day === 1 ? [...slices, scan('q')] : slices });
    vault.read.length = 0;
    const query = { q: 'a', restorePoint: 'older' };
    const { body } = await vault.ask(searchNamesHandler, { query });
    expect(body).toMatchObject({ items: [], restorePoint: { id: idOf(7) } });
    expect(vault.read.length).toBeLessThan(130);
    const { found, places, answers } = await search(vault, { q: 'q' });
    expect(found).toEqual([`data q ${idOf(1)}`]);
    expect(answers).toBeLessThan(6);
    expect(places).toEqual(places.toSorted().toReversed());
  });

  it('leaves marked restore points, and runs that left none, out', async () => {
    const vault = new PointVault();
    await publish(vault, [{ data: ['a1'] }, { data: ['a1', 'a2'] }, { data: ['b'] }]);
    await vault.publish('nightly-20261102T120000Z-bbbbbb', { data: [scan('a3')] }, { restorePoint: false });
    vault.note(idOf(2), { removed: { at: '2026-11-04T00:00:00.000Z', run: 'x' } });
    expect((await search(vault, { q: 'a' })).found).toEqual([`data a1 ${idOf(1)}`]);
  });

  it('names what it cannot read, and searches the rest', async () => {
    const vault = new PointVault();
    await publish(vault, [{ data: ['a1'] }, { data: ['a2'] }, { data: ['b'] }]);
    const [part] = [...vault.objects.keys()].filter((path) => path.includes(idOf(2)) && path.includes('/manifest/'));
    vault.put(part!, Buffer.from('damaged'));
    const { body } = await vault.ask(searchNamesHandler, { query: { q: 'a', restorePoint: 'older' } });
    expect(body).toMatchObject({
      items: [{ name: 'a1', restorePoint: { id: idOf(1) } }],
      unread: [{ id: idOf(2), message: expect.stringContaining(part!) }],
      next: null,
    });
  });

  it.each(['the summary alone', 'the whole folder'])(
    'names a restore point on record of which %s is lost',
    async (what) => {
      const vault = new PointVault();
      await publish(vault, [{ data: ['a1'] }, { data: ['a2'] }, { data: ['b'] }]);
      const lost = { job: 'nightly', id: idOf(2) };
      const account = vault.deps.blobs('VAULT');
      await appendToChain(vault.deps, account, (await vault.control.readSummary(lost))!);
      for (const path of [...vault.objects.keys()]) {
        const isSummary = path === summaryPath(lost);
        if (isSummary || (what !== 'the summary alone' && path.startsWith(runPrefix(lost)))) vault.objects.delete(path);
      }
      const ask = () => vault.ask(searchNamesHandler, { query: { q: 'a', restorePoint: 'older' } });
      expect((await ask()).body).toMatchObject({
        items: [{ name: 'a1', restorePoint: { id: idOf(1) } }],
        unread: [{ id: idOf(2), message: expect.stringContaining('its summary is missing') }],
        next: null,
      });
      const history = () => vault.ask(blobHistoryHandler, { query: { container: 'data', name: 'a2' } });
      expect(await history()).toMatchObject({ status: 502, body: { code: 'damaged' } });
      await appendEntry(vault.deps, account, 'nightly', { kind: 'forget', point: idOf(2) });
      expect((await ask()).body).not.toHaveProperty('unread');
      expect(await history()).toMatchObject({ status: 200, body: { versions: [], absent: 2 } });
    },
  );

  it('gives no more names than are asked for, also if an answer before was asked for more', async () => {
    const vault = new PointVault();
    const names = ['a1', 'a2', 'a3'];
    await publish(vault, [{ data: names }, ...Array.from({ length: 6 }, () => ({ data: ['b'] }))]);
    let clock = 0;
    vault.deps.now = () => {
      clock += 6_000;
      return new Date(clock);
    };
    const found: string[] = [];
    let [cursor, isCompared]: [string | null, boolean] = ['', false];
    for (let answers = 0; cursor !== null; answers++) {
      // Many, until an answer ends while they are compared.
      const query = { q: 'a', restorePoint: 'older', limit: isCompared ? '1' : '500', ...(cursor && { cursor }) };
      const { body } = await vault.ask(searchNamesHandler, { query });
      if (isCompared) expect(body.items.length).toBeLessThanOrEqual(1);
      found.push(...body.items.map(({ name }: Item) => name));
      cursor = body.next;
      isCompared ||= cursor !== null && Buffer.from(cursor.slice(10), 'base64url').toString().includes('compared');
      expect(answers).toBeLessThan(100);
    }
    expect([isCompared, found]).toEqual([true, names]);
  });

  it('with one restore point, there is nothing older, and without any it is an error', async () => {
    const vault = new PointVault();
    const ask = () => vault.ask(searchNamesHandler, { query: { q: 'a', restorePoint: 'older' } });
    expect(await ask()).toMatchObject({ status: 404, body: { code: 'restore-point-not-found' } });
    await publish(vault, [{ data: ['a'] }]);
    expect(await ask()).toMatchObject({
      status: 200,
      body: { items: [], restorePoint: { id: idOf(1) }, parts: { scanned: 0, total: 0 }, next: null },
    });
  });

  it('refuses a cursor of another search', async () => {
    const vault = new PointVault();
    await publish(vault, [{ data: ['a1', 'a2'] }, { data: ['b'] }]);
    const query = { q: 'a', restorePoint: 'older', limit: '1' };
    const { body } = await vault.ask(searchNamesHandler, { query });
    expect(body.items).toHaveLength(1);
    const ask = (more: object) => vault.ask(searchNamesHandler, { query: { ...query, cursor: body.next, ...more } });
    expect(await ask({ q: 'b' })).toMatchObject({ status: 400, body: { code: 'cursor-invalid' } });
    expect(await ask({ restorePoint: 'latest' })).toMatchObject({ status: 400, body: { code: 'cursor-invalid' } });
    expect((await ask({})).body.items).toMatchObject([{ name: 'a2' }]);
  });
});
