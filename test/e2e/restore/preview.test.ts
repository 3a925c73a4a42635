import { expect, test } from 'vitest';
import type { RunReport } from '#domain/run/run.ts';
import type { Strongroom } from '../../support/app/strongroom.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import { makeContainer } from '../../support/builders/collection.ts';

const bed = useTestBed();

interface Counts {
  items: number;
  bytes: number;
  new: number;
  replaced: number;
  unchanged: number;
  skipped: number;
  failed: number;
}

interface Preview {
  totals: Counts;
  containers: (Counts & {
    container: string;
    target: string;
    isNew: boolean;
    failures: object;
    problem: object | null;
  })[];
  examples: { replaced: object[]; failed: object[] };
  next: string | null;
}

async function preview(app: Strongroom, body: object, cursor = ''): Promise<Preview> {
  const answer = await app.call('POST', `/api/restores/preview${cursor && `?cursor=${cursor}`}`, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body as unknown as Preview;
}

/** The same numbers of the report of a dry run. */
function countsOf({ counts: { listed, planned = 0, unchanged, skipped, failed }, bytes }: RunReport) {
  return { items: listed, copied: planned, bytes: bytes.planned ?? 0, unchanged, skipped, failed };
}

test('a preview counts what the dry run of a restore finds, and writes nothing', async () => {
  await bed.fill(6, 'data');
  await bed.fill(2, 'more');
  const app = await bed.start();
  const { id } = await app.run();
  const source = await makeContainer(bed.source.connectionString, 'data');
  await source.getBlockBlobClient('blob-000').upload('changed', 7);
  await source.getBlobClient('blob-001').delete();
  const requests: [what: string, body: object][] = [
    ['skip', { existing: 'skip' }],
    ['fail', { existing: 'fail' }],
    ['if-different', { existing: 'if-different' }],
    ['overwrite', { existing: 'overwrite', containers: ['data'] }],
    ['a prefix', { existing: 'overwrite', containers: ['data'], include: ['*-00[0-2]'] }],
    ['names', { existing: 'skip', containers: ['data'], names: ['blob-000', 'blob-001', 'absent'] }],
    ['another place', { target: { container: '{container}-restored' } }],
  ];
  for (const [what, body] of requests) {
    const from = bed.proxy.requests.length;
    const { totals, next } = await preview(app, body);
    // The host itself writes, but not into these accounts.
    const written = bed.proxy.requests.slice(from).filter(({ method }) => method !== 'GET' && method !== 'HEAD');
    expect(
      written.map(({ method, path }) => `${method} ${path}`),
      what,
    ).toEqual([]);
    const { items, bytes, unchanged, skipped, failed } = totals;
    const dry = countsOf(await app.restore({ ...body, dryRun: true }));
    expect({ items, copied: totals.new + totals.replaced, bytes, unchanged, skipped, failed }, what).toEqual(dry);
    expect(next).toBeNull();
  }

  const replacing = await preview(app, { restorePoint: id, existing: 'if-different', containers: ['data'] });
  expect(replacing.totals).toMatchObject({ items: 6, new: 1, replaced: 1, unchanged: 4 });
  expect(replacing.examples.replaced).toEqual([{ container: 'data', name: 'blob-000' }]);
  const failing = await preview(app, { existing: 'fail', containers: ['data'] });
  expect(failing.containers).toMatchObject([{ failures: { 'target-exists': 5 }, isNew: false, problem: null }]);
  expect(failing.examples.failed).toContainEqual({ container: 'data', name: 'blob-000', code: 'target-exists' });
  const elsewhere = await preview(app, { target: { container: '{container}-restored' } });
  expect(elsewhere.containers).toMatchObject([
    { target: 'data-restored', isNew: true, new: 6 },
    { isNew: true, new: 2 },
  ]);
  const { runs } = (await app.call('GET', '/api/runs?mode=restore&dryRun=false')).body;
  expect(runs).toEqual([]);
});
