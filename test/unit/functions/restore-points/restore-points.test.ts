import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendToChain } from '#app/append-to-chain.ts';
import { byCodePoint, byPathSegment, byUtf16 } from '#domain/blobs/name-order.ts';
import { type Outcome, outcomeOf } from '#domain/run/outcome.ts';
import type { PartEntry, RunSummary } from '#domain/run/run.ts';
import { writeCursor } from '#functions/http/cursor.ts';
import { blobHistoryHandler } from '#functions/restore-points/blob-history.ts';
import { getRestorePointHandler } from '#functions/restore-points/get-restore-point.ts';
import { listPointBlobsHandler } from '#functions/restore-points/list-point-blobs.ts';
import { listRestorePointsHandler } from '#functions/restore-points/list-restore-points.ts';
import {
  holdHandler,
  releaseHandler,
  unholdHandler,
  unmarkHandler,
} from '#functions/restore-points/note-restore-point.ts';
import { searchNamesHandler } from '#functions/restore-points/search-names.ts';
import type { CatalogRow } from '#storage/catalog.ts';
import { blobState } from '../../../support/builders/blob-state.ts';
import { type Made, PointVault } from '../../../support/builders/point-vault.ts';
import { RUN } from '../../../support/builders/run-ref.ts';

const ID = 'nightly-20261120T000000Z-aaaaaa';
const RETRY = 'nightly-20261120T010000Z-bbbbbb';
const AGAIN = 'nightly-20261120T020000Z-cccccc';

/** One id a minute. */
const idOf = (minute: number, job = 'nightly') =>
  `${job}-${new Date(Date.UTC(2026, 10, 1, 0, minute)).toISOString().replace(/[-:]|\.\d+/g, '')}-aaaaaa`;

const of = (name: string, status: Outcome['status'] = 'copied', etag = '0x1') =>
  outcomeOf(blobState({ name, etag }), status, {
    ...(status === 'failed' && { code: 'throttled' as const, source: blobState({ name, etag }) }),
    ...(status === 'skipped' && { code: 'source-archived' as const }),
  });
const all = (...names: string[]): Made => ({ data: [{ scan: names.map((name) => of(name, 'unchanged')) }] });

type Shown = { name: string; status: string; etag: string };

/** Every answer, one after the other, as one. */
async function browse(vault: PointVault, id: string, query: Record<string, string>) {
  const items: Shown[] = [];
  const folders: string[] = [];
  let answers = 0;
  for (let cursor: string | null = ''; cursor !== null; answers++) {
    const { status, body } = await vault.ask(listPointBlobsHandler, { id, query: { ...query, cursor } });
    expect(status, JSON.stringify(body)).toBe(200);
    if (query.limit) expect(body.items.length + body.folders.length).toBeLessThanOrEqual(Number(query.limit));
    items.push(...body.items);
    folders.push(...body.folders.map(({ prefix }: { prefix: string }) => prefix));
    cursor = body.next;
    expect(answers).toBeLessThan(5000);
  }
  return { items, folders, answers };
}

describe('browsing a restore point', () => {
  const segment = fc.string({
    unit: fc.constantFrom('a', 'b', '-', '0', '~', 'é', '😀', '\uffee', '%', ' ', '?'),
    minLength: 0,
    maxLength: 2,
  });
  const anyName = fc
    .array(segment, { minLength: 1, maxLength: 4 })
    .map((segments) => segments.join('/'))
    .filter((name) => name !== '');
  const statuses = fc.infiniteStream(fc.constantFrom('copied', 'unchanged', 'skipped', 'failed', 'failed', 'later'));

  /** The names of a container, listed in some order, in slices and chunks, with two retries of what failed. */
  const anyPoint = fc.record({
    names: fc.uniqueArray(anyName, { maxLength: 60 }),
    statuses,
    settled: fc.infiniteStream(fc.constantFrom('copied', 'skipped', 'failed')),
    slice: fc.integer({ min: 1, max: 30 }),
    chunk: fc.integer({ min: 1, max: 10 }),
    compare: fc.constantFrom(byUtf16, byCodePoint, byPathSegment),
    withoutNames: fc.boolean(),
  });

  async function make({ names, statuses, settled, slice, chunk, compare, withoutNames }: PointOf) {
    const vault = new PointVault();
    vault.withoutNames = withoutNames;
    const sorted = [...names].sort(compare);
    const truth = new Map<string, Outcome>();
    const slices = chunked(sorted, slice).map((own) => {
      const outcomes = own.map((name) => {
        const status = statuses.next().value as Outcome['status'] | 'later';
        return { later: status === 'later', outcome: of(name, status === 'later' ? 'copied' : status) };
      });
      for (const { outcome } of outcomes) truth.set(outcome.name, outcome);
      const planned = outcomes.filter(({ outcome }) => outcome.status === 'copied' || outcome.status === 'failed');
      return {
        scan: outcomes.filter((each) => !planned.includes(each)).map(({ outcome }) => outcome),
        copies: chunked(planned, chunk).map((some) => ({
          now: some.filter(({ later }) => !later).map(({ outcome }) => outcome),
          later: some.filter(({ later }) => later).map(({ outcome }) => outcome),
        })),
      };
    });
    let point = await vault.publish(ID, { data: slices.length > 0 ? slices : [{}], other: [{ scan: [of('x')] }] });
    for (const id of [RETRY, AGAIN]) {
      const again = sorted
        .filter((name) => truth.get(name)!.status === 'failed')
        .map((name) => of(name, settled.next().value as Outcome['status'], id));
      for (const outcome of again) truth.set(outcome.name, outcome);
      const copies = chunked(again, chunk).map((now) => ({ now }));
      point = await vault.publish(id, { data: [{ copies }] }, { after: point });
    }
    return { vault, truth, sorted };
  }

  type PointOf = typeof anyPoint extends fc.Arbitrary<infer T> ? T : never;

  /** What there is to see, said as plainly as can be. */
  function expected(truth: Map<string, Outcome>, sorted: string[], prefix: string, delimiter: string | undefined) {
    const below = sorted.filter((name) => name.startsWith(prefix));
    const isIn = (name: string) => delimiter !== undefined && name.slice(prefix.length).includes(delimiter);
    const folderOf = (name: string) => prefix + name.slice(prefix.length).split(delimiter!)[0] + delimiter;
    return {
      items: below
        .filter((name) => !isIn(name))
        .map((name) => {
          const { status, etag } = truth.get(name)!;
          return { name, status: /copied|unchanged/.test(status) ? 'held' : status, etag };
        }),
      folders: [...new Set(below.filter(isIn).map(folderOf))],
    };
  }

  const inOrder = (view: { items: { name: string; status: string; etag: string }[]; folders: string[] }) => ({
    items: view.items.map(({ name, status, etag }) => ({ name, status, etag })).sort((a, b) => byUtf16(a.name, b.name)),
    folders: [...view.folders].sort(),
  });

  it('shows every name once, with its last outcome, however it was listed and whatever the pages', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyPoint,
        fc.nat(),
        fc.nat(),
        fc.constantFrom(undefined, '/', '/', '/', '-', 'a'),
        fc.integer({ min: 1, max: 4 }),
        async (how, which, cut, delimiter, limit) => {
          const { vault, truth, sorted } = await make(how);
          const name = sorted[which % Math.max(sorted.length, 1)] ?? '';
          // From nothing to a whole name, but no half of a character.
          const prefix = [...name].slice(0, cut % (name.length + 1)).join('');
          const query = { container: 'data', prefix, ...(delimiter && { delimiter }) };
          const atOnce = await browse(vault, AGAIN, query);
          const wanted = expected(truth, sorted, prefix, delimiter);
          expect(inOrder(atOnce)).toEqual(inOrder(wanted));
          if (how.compare === byUtf16) expect(atOnce).toMatchObject(wanted);
          const paged = await browse(vault, AGAIN, { ...query, limit: String(limit) });
          expect({ ...paged, answers: 0 }).toEqual({ ...atOnce, answers: 0 });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('continues in a folder over any number of slices that have nothing else', async () => {
    const vault = new PointVault();
    vault.withoutNames = true;
    await vault.publish(ID, { data: ['a/1', 'a/2', 'a/3', 'a/4', 'b'].map((name) => ({ scan: [of(name)] })) });
    for (const limit of ['1', '2', '5']) {
      expect(await browse(vault, ID, { delimiter: '/', limit })).toMatchObject({
        items: [{ name: 'b' }],
        folders: ['a/'],
      });
    }
  });

  it('loses and repeats nothing where a slice alone does not tell in which order it was listed', async () => {
    const vault = new PointVault();
    const scan = [of('a/z', 'unchanged'), of('a-b', 'unchanged')];
    const copies = [{ now: [of('b/a'), of('b/z')] }];
    await vault.publish(ID, { data: [{ scan }, { scan: [of('b-c', 'unchanged')], copies }] });
    const { items } = await browse(vault, ID, {});
    expect(items.map(({ name }) => name).sort()).toEqual(['a-b', 'a/z', 'b-c', 'b/a', 'b/z']);
    for (const limit of ['1', '2', '3', '4']) expect((await browse(vault, ID, { limit })).items).toEqual(items);
  });

  it('shows a blob with everything that its backup recorded', async () => {
    const vault = new PointVault();
    const disk = outcomeOf(
      blobState({ name: 'disk', type: 'page', contentMd5: 'AA==', tags: { a: 'b' }, tier: 'P10' }),
      'copied',
      { code: 'tags-not-written', vaultEtag: '0xV', method: 'async', reason: 'new' },
    );
    await vault.publish(ID, {
      data: [{ scan: [of('cold', 'skipped')], copies: [{ now: [disk, of('lost', 'failed')] }] }],
    });
    const { body } = await vault.ask(listPointBlobsHandler, { id: ID });
    const plain = { size: 10, modified: '2026-05-01T10:00:00.000Z', etag: '0x1' };
    expect(body).toEqual({
      items: [
        { ...plain, name: 'cold', type: 'block', status: 'skipped', code: 'source-archived', hint: expect.any(String) },
        {
          ...plain,
          name: 'disk',
          type: 'page',
          tier: 'P10',
          md5: 'AA==',
          tags: { a: 'b' },
          status: 'held',
          code: 'tags-not-written',
          hint: expect.any(String),
        },
        { ...plain, name: 'lost', type: 'block', status: 'failed', code: 'throttled', hint: expect.any(String) },
      ],
      folders: [],
      next: null,
    });
  });

  it('passes over the parts of a folder that has been shown, and of other prefixes', async () => {
    const vault = new PointVault();
    const slices = Array.from({ length: 90 }, (_, slice) => ({
      scan: Array.from({ length: 5 }, (_, i) => of(`big/${String(slice * 5 + i).padStart(4, '0')}`, 'unchanged')),
    }));
    await vault.publish(ID, { data: [{ scan: [of('a')] }, ...slices, { scan: [of('z')] }] });
    vault.read.length = 0;
    const { items, folders, answers } = await browse(vault, ID, { delimiter: '/' });
    expect([items.map(({ name }) => name), folders, answers]).toEqual([['a', 'z'], ['big/'], 1]);
    expect(vault.read.filter((path) => path.includes('manifest'))).toHaveLength(3);
    vault.read.length = 0;
    expect((await browse(vault, ID, { prefix: 'big/0100' })).items).toHaveLength(1);
    expect(vault.read.filter((path) => path.includes('manifest'))).toHaveLength(1);
  });

  it('reads no more than 25 parts for an answer', async () => {
    const vault = new PointVault();
    vault.withoutNames = true;
    await vault.publish(ID, { data: Array.from({ length: 60 }, (_, i) => ({ scan: [of(`n/${i + 100}`)] })) });
    vault.read.length = 0;
    const { body } = await vault.ask(listPointBlobsHandler, { id: ID, query: { prefix: 'nowhere' } });
    expect(body).toMatchObject({ items: [], folders: [], next: expect.any(String) });
    expect(vault.read.filter((path) => path.includes('manifest'))).toHaveLength(25);
    const { items, folders } = await browse(vault, ID, { prefix: 'n/159', delimiter: '/' });
    expect([items.map(({ name }) => name), folders]).toEqual([['n/159'], []]);
  });

  it('reads of the retries only what may settle a failure that is shown', async () => {
    const vault = new PointVault();
    const point = await vault.publish(ID, {
      data: [{ copies: [{ now: [of('a', 'failed'), of('b', 'failed')] }, { now: [of('c')] }] }],
    });
    const copies = [{ now: [of('a')] }, { now: [of('b')] }];
    await vault.publish(RETRY, { data: [{ copies }] }, { after: point });
    const read = async (query: Record<string, string>) => {
      vault.read.length = 0;
      await vault.ask(listPointBlobsHandler, { id: RETRY, query });
      return vault.read.filter((path) => path.includes(RETRY) && path.includes('manifest'));
    };
    expect(await read({ prefix: 'a' })).toHaveLength(1);
    expect(await read({ prefix: 'c' })).toHaveLength(0);
    expect(await read({})).toHaveLength(2);
  });

  it('names a part that is damaged or gone, of any run, and never returns a short answer', async () => {
    const vault = new PointVault();
    const copies = [{ now: [of('a', 'failed'), of('b')] }];
    const point = await vault.publish(ID, { data: [{ scan: [of('c', 'unchanged')], copies }] });
    const summary = await vault.publish(RETRY, { data: [{ copies: [{ now: [of('a')] }] }] }, { after: point });
    const parts = summary.parts.filter(({ copied, unchanged, failed }) => copied + unchanged + failed > 0);
    expect(parts).toHaveLength(3);
    for (const { path } of parts) {
      const object = vault.objects.get(path)!;
      for (const damage of [
        () => vault.objects.delete(path),
        () => vault.put(path, Buffer.from('x'), object.metadata),
      ]) {
        damage();
        const answer = await vault.ask(listPointBlobsHandler, { id: RETRY });
        expect(answer).toMatchObject({ status: 502, body: { code: 'damaged' } });
        expect(answer.body.detail).toContain(path);
        const history = await vault.ask(blobHistoryHandler, { query: { container: 'data', name: 'a' } });
        const mayHoldIt = !path.includes('slice');
        expect(history.status, path).toBe(mayHoldIt ? 502 : 200);
      }
      vault.objects.set(path, object);
    }
    expect((await vault.ask(listPointBlobsHandler, { id: RETRY })).status).toBe(200);
  });

  it('asks which container where there are several, and knows those it has', async () => {
    const vault = new PointVault();
    await vault.publish(ID, { data: [{}], more: [{}] });
    const ask = (query: Record<string, string>) => vault.ask(listPointBlobsHandler, { id: ID, query });
    expect(await ask({})).toMatchObject({
      status: 400,
      body: { code: 'container-missing', containers: ['data', 'more'], hint: 'It has: data, more' },
    });
    expect(await ask({ container: 'none' })).toMatchObject({ status: 404, body: { code: 'container-not-held' } });
    expect(await ask({ container: 'more' })).toMatchObject({ status: 200, body: { items: [], next: null } });
  });

  it('refuses a cursor of another query, and one that no answer had', async () => {
    const vault = new PointVault();
    await vault.publish(ID, all('a/1', 'b/2', 'c/3'));
    const query = { delimiter: '/', limit: '1' };
    const { body } = await vault.ask(listPointBlobsHandler, { id: ID, query });
    const ask = async (more: Record<string, string>) =>
      (await vault.ask(listPointBlobsHandler, { id: ID, query: { ...query, cursor: body.next, ...more } })).body;
    expect(await ask({})).toMatchObject({ folders: [{ prefix: 'b/' }] });
    expect(await ask({ limit: '2' })).toMatchObject({ folders: [{ prefix: 'b/' }, { prefix: 'c/' }] });
    const forged = [
      { page: -1, row: 0 },
      { page: 1, row: 0 },
      { page: 0, row: 3 },
      { page: 0, row: 0, folder: 'a' },
      { page: 0, row: 0, folder: 'a/b/' },
      { page: 0, row: 0, more: 1 },
      { page: 0 },
      null,
    ].map((each) => writeCursor(JSON.stringify(each), [ID, 'data', '', '/']));
    const unmarked = Buffer.from(JSON.stringify({ page: 0, row: 0 })).toString('base64url');
    const first = writeCursor(JSON.stringify({ page: 0, row: 0 }), [ID, 'data', '', '/']);
    expect(await ask({ cursor: first })).toMatchObject({ folders: [{ prefix: 'a/' }] });
    for (const cursor of ['x', '0.0', 'bnVsbA', unmarked, ...forged]) {
      expect(await ask({ cursor }), cursor).toMatchObject({ code: 'cursor-invalid' });
    }
    expect(await ask({ prefix: 'b' })).toMatchObject({ code: 'cursor-invalid' });
    expect(await ask({ delimiter: '-' })).toMatchObject({ code: 'cursor-invalid' });
  });
});

describe('restore points', () => {
  const list = async (vault: PointVault, query: Record<string, string> = {}) =>
    (await vault.ask(listRestorePointsHandler, { query })).body;
  const ids = (body: { restorePoints: { id: string }[] }) => body.restorePoints.map(({ id }) => id);

  it('are shown with what they have and lack', async () => {
    const vault = new PointVault();
    const point = await vault.publish(
      ID,
      {
        data: [
          {
            scan: [of('a', 'unchanged'), of('b', 'skipped')],
            copies: [{ now: [of('c'), of('d', 'failed'), of('e', 'failed')] }],
          },
        ],
      },
      {
        status: 'completed-with-failures',
        // What is there of "data" counts, whatever became of its last retry.
        containers: [
          { container: 'gone', status: 'failed' },
          { container: 'data', status: 'failed' },
        ] as RunSummary['containers'],
      },
    );
    await vault.publish(RETRY, { data: [{ copies: [{ now: [of('d'), of('e', 'failed')] }] }] }, { after: point });
    vault.note(ID, { hold: { at: '2026-11-21T00:00:00.000Z', reason: 'court' } });
    const { restorePoints, next } = await list(vault);
    expect(next).toBeNull();
    const nothing = { brake: null, verified: null, verifications: [] };
    expect(restorePoints).toEqual([
      {
        id: RETRY,
        job: 'nightly',
        mode: 'retry',
        status: 'succeeded',
        time: '2026-11-20T01:00:00.000Z',
        finishedAt: '2026-11-20T01:00:00.000Z',
        containers: 1,
        blobs: 3,
        tables: 0,
        entities: 0,
        bytes: null,
        lacks: { skipped: 1, failed: 1, containers: [], tables: [] },
        hold: null,
        ...nothing,
      },
      {
        id: ID,
        job: 'nightly',
        mode: 'full',
        status: 'completed-with-failures',
        time: '2026-11-20T00:00:00.000Z',
        finishedAt: '2026-11-20T00:00:00.000Z',
        containers: 1,
        blobs: 2,
        tables: 0,
        entities: 0,
        bytes: 50,
        lacks: { skipped: 1, failed: 2, containers: ['gone'], tables: [] },
        hold: { at: '2026-11-21T00:00:00.000Z', reason: 'court' },
        ...nothing,
      },
    ]);
    const { body } = await vault.ask(getRestorePointHandler, { id: RETRY });
    expect(body).toEqual({
      ...restorePoints[0],
      source: 'https://source.test',
      vault: 'https://vault.test',
      containersHeld: [{ container: 'data', backupContainer: 'databackup', blobs: 3, failed: 1, skipped: 1 }],
      tablesHeld: [],
    });
  });

  it('are shown with their tables, which are no containers', async () => {
    const vault = new PointVault();
    const { parts } = await vault.publish(AGAIN, { data: [{ scan: [of('a', 'unchanged'), of('b', 'failed')] }] });
    const range = (piece: number, more: Partial<PartEntry>): PartEntry => ({
      ...parts[0]!,
      path: `jobs/nightly/runs/${ID}/manifest/table.orders/00000${piece}-range.ndjson.gz`,
      container: 'table.orders',
      destination: 'strongroom/jobs/nightly/tables/orders',
      ...{ copied: 0, unchanged: 0, skipped: 0, failed: 0 },
      ...more,
    });
    const containers = ['gone', 'table.gone'].map((container) => ({ container, status: 'failed' }));
    await vault.publish(
      ID,
      {},
      {
        parts: [
          ...parts,
          range(0, { copied: 5, unchanged: 40, window: ['2026-11-20T00:01:00Z', '2026-11-20T00:02:00Z'] }),
          range(1, {
            unchanged: 7,
            window: ['2026-11-20T00:00:30Z', '2026-11-20T00:01:30Z'],
            deletionsUnknownSince: '2026-11-19T00:00:00Z',
          }),
          range(2, { failed: 1 }),
          range(3, { unchanged: 1, deletionsUnknownSince: '2026-11-18T00:00:00Z' }),
        ],
        containers: containers as RunSummary['containers'],
      },
    );
    const { body } = await vault.ask(getRestorePointHandler, { id: ID });
    expect(body).toMatchObject({
      ...{ containers: 1, blobs: 1, tables: 1, entities: 53 },
      lacks: { skipped: 0, failed: 2, containers: ['gone'], tables: ['gone'] },
    });
    expect(body.containersHeld).toEqual([
      { container: 'data', backupContainer: 'databackup', blobs: 1, failed: 1, skipped: 0 },
    ]);
    expect(body.tablesHeld).toEqual([
      {
        ...{ table: 'orders', entities: 53, failed: 1 },
        window: { from: '2026-11-20T00:00:30Z', to: '2026-11-20T00:02:00Z' },
        deletionsUnknownSince: '2026-11-18T00:00:00Z',
      },
    ]);
    const walk = (query: object, id = ID) =>
      vault.ask(listPointBlobsHandler, { id, query: query as Record<string, string> });
    // The only container need not be named, and a table is none.
    expect(await walk({})).toMatchObject({ status: 200, body: { items: [{ name: 'a' }, { name: 'b' }] } });
    const noTable = { code: 'container-not-held', hint: expect.stringContaining(`/api/restore-points/${ID}`) };
    expect(await walk({ container: 'table.orders' })).toMatchObject({ status: 404, body: noTable });
    const history = await vault.ask(blobHistoryHandler, { query: { container: 'table.orders', name: 'p/r' } });
    expect(history).toMatchObject({ status: 400, body: { code: 'query-invalid' } });

    await vault.publish(RETRY, {}, { parts: [range(0, { copied: 1 })] });
    expect(await walk({}, RETRY)).toMatchObject({
      status: 404,
      body: { code: 'container-not-held', detail: `Restore point ${RETRY} has no container` },
    });
    const alone = { id: RETRY, containers: 0, tables: 1, entities: 1 };
    expect((await list(vault)).restorePoints).toContainEqual(expect.objectContaining(alone));
  });

  it('are found between other runs, page by page like at once', async () => {
    const vault = new PointVault();
    const points: string[] = [];
    for (let minute = 0; minute < 40; minute++) {
      const id = idOf(minute);
      const more = [
        {},
        {},
        { mode: 'verify' as const, restorePoint: false },
        {},
        { status: 'failed' as const, restorePoint: false },
        { dryRun: true, restorePoint: false },
        { mode: 'restore' as const, restorePoint: true },
      ][minute % 7]!;
      await vault.publish(id, { data: [{}] }, more);
      if (Object.keys(more).length === 0) points.unshift(id);
    }
    vault.read.length = 0;
    expect(ids(await list(vault))).toEqual(points);
    // Of the others not even the summary is read.
    expect(vault.read).toHaveLength(points.length);
    for (const limit of ['1', '2', '3', '4', '5']) {
      const seen: string[] = [];
      let cursor = '';
      do {
        const body = await list(vault, { limit, ...(cursor && { cursor }) });
        expect(body.restorePoints.length).toBeLessThanOrEqual(Number(limit));
        seen.push(...ids(body));
        expect(seen.length).toBeLessThanOrEqual(points.length);
        cursor = body.next;
      } while (cursor);
      expect(seen).toEqual(points);
    }
  });

  it('are listed from the catalog and the chain, without their summaries', async () => {
    const vault = new PointVault();
    for (let minute = 0; minute < 10; minute++) {
      const names = Array.from({ length: minute + 1 }, (_, index) => String(index));
      const summary = await vault.publish(idOf(minute), all(...names));
      await appendToChain(vault.deps, vault.deps.blobs('VAULT'), summary);
    }
    vault.note(idOf(3), { hold: { at: '2026-11-02T00:00:00.000Z', reason: 'audit' } });
    const rows = [...vault.rows];
    const withoutFacts = rows.map(({ point: _, ...row }) => row);
    const reads = async (given: CatalogRow[]) => {
      vault.rows.splice(0, rows.length, ...given);
      vault.read.length = 0;
      return { body: await list(vault), read: vault.read.length };
    };
    const [before, after] = [await reads(withoutFacts), await reads(rows)];
    expect([before.read, after.read]).toEqual([10, 0]);
    expect(after.body).toEqual(before.body);
    expect(after.body.restorePoints[6]).toMatchObject({ id: idOf(3), blobs: 4, hold: { reason: 'audit' } });
  });

  it('that are gone from the vault are damaged, whatever the catalog says of them', async () => {
    const vault = new PointVault();
    const [gone, emptied] = [await vault.publish(idOf(0), all('a')), await vault.publish(idOf(1), all('a'))];
    for (const each of [gone, emptied]) await appendToChain(vault.deps, vault.deps.blobs('VAULT'), each);
    for (const path of [...vault.objects.keys()]) if (path.includes(`/runs/${gone.id}/`)) vault.objects.delete(path);
    const { restorePoints } = await list(vault);
    expect(restorePoints).toMatchObject([
      { id: emptied.id, blobs: 1 },
      { id: gone.id, blobs: null },
    ]);
    expect(restorePoints[1].problem).toMatchObject({ code: 'damaged' });
  });

  it('of which the chain knows nothing are read', async () => {
    const vault = new PointVault();
    await vault.publish(idOf(0), all('a'));
    vault.rows[0] = { ...vault.rows[0]!, point: { ...vault.rows[0]!.point!, blobs: 5 } };
    expect((await list(vault)).restorePoints).toMatchObject([{ blobs: 1 }]);
  });

  it('end an answer early where the catalog has little but other runs', async () => {
    const vault = new PointVault();
    await vault.publish(idOf(0), { data: [{}] });
    for (let minute = 1; minute < 30; minute++) {
      await vault.publish(idOf(minute), {}, { mode: 'verify', restorePoint: false });
    }
    const first = await list(vault, { limit: '1' });
    expect(first).toMatchObject({ restorePoints: [], next: expect.any(String) });
    expect(ids(await list(vault, { limit: '1', cursor: first.next }))).toEqual([idOf(0)]);
  });

  it('are found if the catalog still shows their run as running', async () => {
    const vault = new PointVault();
    await vault.publish(ID, all('a'));
    vault.rows[0]!.status = 'running';
    vault.rows.unshift({ ...vault.rows[0]!, id: RETRY });
    await vault.publish(AGAIN, {}, { status: 'failed', restorePoint: false });
    vault.rows[0]!.status = 'running';
    expect(ids(await list(vault))).toEqual([ID]);
  });

  it('that are marked to be removed are shown only when they are asked for', async () => {
    const vault = new PointVault();
    await vault.publish(ID, all('a'));
    await vault.publish(RETRY, all('a'));
    const removed = { at: '2026-11-21T00:00:00.000Z', run: AGAIN };
    vault.note(ID, { removed });
    expect(ids(await list(vault))).toEqual([RETRY]);
    const { restorePoints } = await list(vault, { removed: 'true' });
    expect(restorePoints).toMatchObject([{ id: RETRY }, { id: ID, removed }]);
    expect(restorePoints[0]).not.toHaveProperty('removed');
    for (const handler of [getRestorePointHandler, listPointBlobsHandler]) {
      expect(await vault.ask(handler, { id: ID })).toMatchObject({ status: 404, body: { code: 'point-removed' } });
    }
    const { body } = await vault.ask(blobHistoryHandler, { query: { container: 'data', name: 'a' } });
    expect(body).toMatchObject({ versions: [{ restorePoints: [{ id: RETRY }] }], absent: 0 });
  });

  it('one that is damaged does not hide the others', async () => {
    const vault = new PointVault();
    await vault.publish(ID, all('a'));
    await vault.publish(RETRY, all('a'));
    const path = `jobs/nightly/runs/${ID}/run.json`;
    vault.put(path, Buffer.from('{'));
    const { restorePoints } = await list(vault);
    expect(restorePoints).toMatchObject([
      { id: RETRY, blobs: 1 },
      {
        id: ID,
        blobs: null,
        entities: null,
        lacks: null,
        problem: { code: 'damaged', message: expect.stringContaining(path) },
      },
    ]);
    expect(await vault.ask(getRestorePointHandler, { id: ID })).toMatchObject({
      status: 502,
      body: { code: 'damaged' },
    });
  });

  it('that do not exist are refused with the reason', async () => {
    const vault = new PointVault();
    const none = { restorePoint: false };
    const problems = [{ code: 'run-lost', count: 0, message: 'it ended without a summary', hint: '' }] as const;
    await vault.publish(idOf(1), {}, { ...none, mode: 'verify' });
    await vault.publish(idOf(2), {}, { ...none, dryRun: true });
    await vault.publish(idOf(3), {}, { ...none, status: 'failed', problems: [...problems] });
    await vault.publish(idOf(4), {}, { ...none, status: 'cancelled' });
    const run = { ...RUN, id: idOf(5) };
    const lock = { job: 'nightly', epoch: 1, run, since: '2026-11-01T00:05:00.000Z', cancel: false };
    vault.put('locks/nightly.json', Buffer.from(JSON.stringify(lock)));
    const why = async (id: string) => {
      const { status, body } = await vault.ask(getRestorePointHandler, { id });
      expect([status, body.code]).toEqual([404, 'restore-point-not-found']);
      return body.detail;
    };
    expect(await why(idOf(1))).toContain('its mode is "verify"');
    expect(await why(idOf(2))).toContain('a dry run');
    expect(await why(idOf(3))).toContain('failed, it ended without a summary');
    expect(await why(idOf(4))).toContain('cancelled');
    expect(await why(idOf(5))).toContain('is in progress');
    expect(await why(idOf(6))).toContain('No vault has a restore point');
    expect(await why('../../x')).toContain('No vault has a restore point');
  });

  it('tell the newest verification first', async () => {
    const vault = new PointVault();
    await vault.publish(ID, all('a'));
    const proof = { run: 'r', portion: '100%', items: 1, read: 0, failed: 0 };
    const quick = { ...proof, at: '2026-11-21T00:00:00.000Z', kind: 'quick' as const };
    const deep = { ...proof, at: '2026-11-22T00:00:00.000Z', kind: 'deep' as const };
    vault.note(ID, { proofs: [quick, deep] });
    expect((await list(vault)).restorePoints).toMatchObject([{ verified: deep, verifications: [deep, quick] }]);
  });
});

describe('notes', () => {
  const setUp = async () => {
    const vault = new PointVault();
    await vault.publish(ID, all('a'));
    return vault;
  };

  it('a hold is set, replaced and lifted', async () => {
    const vault = await setUp();
    const hold = (reason: unknown) => vault.ask(holdHandler, { id: ID, body: { reason } });
    const at = '2026-11-22T12:00:00.000Z';
    expect(await hold('  court  ')).toMatchObject({ status: 200, body: { id: ID, hold: { at, reason: 'court' } } });
    for (const reason of ['audit – „Prüfung“ 👩‍🚒', 'می‌خواهم', '持有', 'x'.repeat(200)]) {
      expect(await hold(reason)).toMatchObject({ status: 200, body: { hold: { reason } } });
    }
    const odd = [
      'a\u202eb',
      'a\u061cb',
      'a\u2066b',
      'a\u0000b',
      'a\u001b[2Jb',
      'a\u009bb',
      'a\nb',
      'a\u2028b',
      'a\ud800b',
    ];
    const unseen = ['\u200b\u200b', '\u00ad', '\u{e0041}'];
    for (const reason of [undefined, '', '   ', 5, 'x'.repeat(201), ...odd, ...unseen]) {
      expect(await hold(reason)).toMatchObject({ status: 400, body: { code: 'body-invalid' } });
    }
    const { body } = await vault.ask(getRestorePointHandler, { id: ID });
    expect(body.hold).toEqual({ at, reason: 'x'.repeat(200), by: { name: null, via: 'loopback' } });
    expect(await vault.ask(unholdHandler, { id: ID })).toMatchObject({ status: 200, body: { hold: null } });
    // There is nothing left to remove, and nothing to record.
    const before = [...vault.objects];
    expect(await vault.ask(unholdHandler, { id: ID })).toMatchObject({ status: 200, body: { hold: null } });
    expect([...vault.objects]).toEqual(before);
  });

  it('a brake is released once, and the rest of the notes stays', async () => {
    const vault = await setUp();
    expect(await vault.ask(releaseHandler, { id: ID })).toMatchObject({ status: 409, body: { code: 'no-brake' } });
    const hold = { at: '2026-11-21T00:00:00.000Z', reason: 'court' };
    vault.note(ID, { hold, brake: { reason: 'half of data is gone', containers: ['data'] } });
    const brake = { reason: 'half of data is gone', containers: ['data'], released: '2026-11-22T12:00:00.000Z' };
    expect(await vault.ask(releaseHandler, { id: ID })).toMatchObject({ status: 200, body: { hold, brake } });
    vault.note(ID, { hold, brake: { ...brake, released: 'before' } });
    // A repeated call did not release it.
    expect((await vault.ask(releaseHandler, { id: ID })).body.brake).toEqual({ ...brake, released: 'before' });
  });

  it('an unmark takes back the mark of a prune, and leaves the rest of the notes', async () => {
    const vault = await setUp();
    const unmark = () => vault.ask(unmarkHandler, { id: ID });
    expect(await unmark()).toMatchObject({ status: 409, body: { code: 'not-marked' } });
    const brake = { reason: 'half of data is gone', containers: ['data'] };
    vault.note(ID, { brake, removed: { at: '2026-11-21T00:00:00.000Z', run: AGAIN } });
    expect(await unmark()).toMatchObject({ status: 200, body: { id: ID, brake } });
    const { body } = await vault.ask(getRestorePointHandler, { id: ID });
    expect(body.removed).toBeUndefined();
    expect(body.brake).toEqual(brake);
    expect(await vault.ask(holdHandler, { id: ID, body: { reason: 'court' } })).toMatchObject({ status: 200 });
  });

  it('I5: an unmark is refused once a prune may have deleted content', async () => {
    const vault = await setUp();
    const removed = { at: '2026-11-21T00:00:00.000Z', run: AGAIN, emptied: '2026-11-22T00:00:00.000Z' };
    for (const by of [undefined, ['x']]) {
      vault.note(ID, { removed: { ...removed, ...(by && { by }) } });
      const before = [...vault.objects];
      const answer = await vault.ask(unmarkHandler, { id: ID });
      expect(answer).toMatchObject({ status: 409, body: { code: 'point-removed' } });
      expect([...vault.objects]).toEqual(before);
    }
  });

  it('no notes are added to a restore point that is marked to be removed, or to a run that left none', async () => {
    const vault = await setUp();
    await vault.publish(RETRY, {}, { mode: 'verify', restorePoint: false });
    vault.note(ID, { removed: { at: '2026-11-21T00:00:00.000Z', run: AGAIN } });
    const before = [...vault.objects];
    for (const handler of [holdHandler, unholdHandler, releaseHandler]) {
      const body = handler === holdHandler ? { reason: 'r' } : {};
      expect(await vault.ask(handler, { id: ID, body })).toMatchObject({
        status: 409,
        body: { code: 'point-removed' },
      });
      expect(await vault.ask(handler, { id: RETRY, body })).toMatchObject({ status: 404 });
    }
    expect([...vault.objects]).toEqual(before);
  });
});

describe('the history of a blob', () => {
  const history = async (vault: PointVault, query: Record<string, string>) =>
    (await vault.ask(blobHistoryHandler, { query: { container: 'data', ...query } })).body;

  it('shows every version, the restore points that hold it, and how many do not', async () => {
    const vault = new PointVault();
    const scan = (etag?: string) => ({ data: [{ scan: [of('a'), ...(etag ? [of('n', 'unchanged', etag)] : [])] }] });
    for (const [minute, etag] of [undefined, '0x1', '0x1', '0x2', undefined, '0x3'].entries()) {
      await vault.publish(idOf(minute), scan(etag));
    }
    await vault.publish(idOf(6), { data: [{ copies: [{ now: [of('n', 'failed', '0x4')] }] }] });
    await vault.publish(idOf(7), scan('0x5'), { mode: 'verify', restorePoint: false });
    const time = (minute: number) => `2026-11-01T00:0${minute}:00.000Z`;
    const held = (...minutes: number[]) => ({
      restorePoints: minutes.map((minute) => ({ id: idOf(minute), time: time(minute) })),
      first: time(minutes.at(-1)!),
      last: time(minutes[0]!),
    });
    const plain = { modified: '2026-05-01T10:00:00.000Z', size: 10 };
    expect(await history(vault, { name: 'n' })).toEqual({
      versions: [
        { etag: '0x3', ...plain, ...held(5) },
        { etag: '0x2', ...plain, ...held(3) },
        { etag: '0x1', ...plain, ...held(2, 1) },
      ],
      absent: 3,
      next: null,
    });
    expect(await history(vault, { name: 'n', container: 'none' })).toMatchObject({ code: 'container-not-held' });
  });

  it('adds up the same in pages as at once', async () => {
    const vault = new PointVault();
    for (let minute = 0; minute < 23; minute++) {
      const more = minute % 4 === 1 ? { mode: 'verify' as const, restorePoint: false } : {};
      await vault.publish(idOf(minute), { data: [{ scan: [of('n', 'unchanged', `0x${minute >> 2}`)] }] }, more);
      if (minute % 7 === 3) vault.note(idOf(minute), { removed: { at: '', run: '' } });
    }
    const whole = await history(vault, { name: 'n' });
    expect(whole.versions).toHaveLength(6);
    for (const limit of ['1', '2', '3', '5']) {
      const points: unknown[] = [];
      let cursor = '';
      do {
        const body = await history(vault, { name: 'n', limit, ...(cursor && { cursor }) });
        const own = body.versions.flatMap((version: { etag: string; restorePoints: object[] }) =>
          version.restorePoints.map((point) => ({ ...point, etag: version.etag })),
        );
        expect(own.length).toBeLessThanOrEqual(Number(limit));
        points.push(...own);
        expect(points.length).toBeLessThan(30);
        cursor = body.next;
      } while (cursor);
      const wanted = whole.versions.flatMap((version: { etag: string; restorePoints: object[] }) =>
        version.restorePoints.map((point) => ({ ...point, etag: version.etag })),
      );
      expect(points).toEqual(wanted);
    }
  });

  it('reads only parts that may hold the name, each once, and not too many for one answer', async () => {
    const vault = new PointVault();
    let point: RunSummary | undefined;
    for (let minute = 0; minute < 120; minute++) {
      const slices = [{ scan: [of('a'), of('m')] }, { copies: [{ now: [of('n', minute % 2 ? 'failed' : 'copied')] }] }];
      point = await vault.publish(idOf(minute * 2), { data: slices, other: [{ scan: [of('n')] }] });
      if (minute % 2 === 0) continue;
      await vault.publish(idOf(minute * 2 + 1), { data: [{ copies: [{ now: [of('n')] }] }] }, { after: point });
    }
    vault.read.length = 0;
    const body = await history(vault, { name: 'n' });
    const parts = vault.read.filter((path) => path.includes('manifest'));
    expect(new Set(parts).size).toBe(parts.length);
    expect(parts.length).toBeLessThan(110);
    expect(parts.filter((path) => /other|000000-slice/.test(path))).toEqual([]);
    expect(body.next).not.toBeNull();
  });

  it('is that of a container that a restore point has, as a search is', async () => {
    const vault = new PointVault();
    expect(await history(vault, { name: 'n' })).toMatchObject({ versions: [] });
    await vault.publish(idOf(0), all('n'));
    expect(await history(vault, { name: 'other' })).toMatchObject({ versions: [], absent: 1 });
    const query = { name: 'n', container: 'none' };
    for (const answer of [
      await vault.ask(blobHistoryHandler, { query }),
      await vault.ask(searchNamesHandler, { query: { q: 'n', container: 'none' } }),
    ])
      expect(answer).toMatchObject({ status: 404, body: { code: 'container-not-held' } });
  });

  it('is there for a job that is no longer configured, and so are its search and its last restore point', async () => {
    const vault = new PointVault(['nightly']);
    await vault.publish(idOf(0, 'retired'), all('n'));
    expect(await history(vault, { name: 'n', job: 'retired' })).toMatchObject({ versions: [{}] });
    const search = await vault.ask(searchNamesHandler, { query: { q: 'n', job: 'retired' } });
    expect(search).toMatchObject({ status: 200, body: { items: [{ name: 'n' }] } });
    const none = { status: 404, body: { code: 'job-not-found', hint: 'The jobs are: nightly' } };
    for (const job of ['never', '\0', 'a/b']) {
      expect(await vault.ask(searchNamesHandler, { query: { q: 'n', job } })).toMatchObject(none);
      expect(await vault.ask(blobHistoryHandler, { query: { name: 'n', container: 'data', job } })).toMatchObject(none);
    }
  });

  it('asks for the job where there are several, and refuses the cursor of another', async () => {
    const vault = new PointVault(['nightly', 'weekly']);
    await vault.publish(idOf(0), all('n'));
    await vault.publish(idOf(1, 'weekly'), all('n'));
    expect(await history(vault, { name: 'n' })).toMatchObject({
      code: 'job-missing',
      hint: 'The jobs are: nightly, weekly',
    });
    expect(await history(vault, { name: 'n', job: 'weekly' })).toMatchObject({
      versions: [{ restorePoints: [{ id: idOf(1, 'weekly') }] }],
    });
    for (const cursor of [idOf(0), 'x', '5']) {
      expect(await history(vault, { name: 'n', job: 'weekly', cursor })).toMatchObject({ code: 'cursor-invalid' });
    }
    expect(await history(vault, { job: 'weekly' })).toMatchObject({ status: 400, code: 'query-invalid' });
  });
});

function chunked<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
