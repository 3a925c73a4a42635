import { setImmediate as nextTurn } from 'node:timers/promises';
import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { describe, expect, it, test } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import { partPath, summaryPath } from '#domain/run/control-paths.ts';
import { outcomeOf } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { emptyTally, tallyToMetadata } from '#domain/run/tally.ts';
import type { Handler } from '#functions/http/answering.ts';
import { writeCursor } from '#functions/http/cursor.ts';
import { rebuildCatalogHandler } from '#functions/rebuild-catalog.ts';
import { listRestorePointsHandler } from '#functions/restore-points/list-restore-points.ts';
import { getRunHandler } from '#functions/run/get-run.ts';
import { listOutcomesHandler } from '#functions/run/list-outcomes.ts';
import { listRunsHandler } from '#functions/run/list-runs.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import type { Catalog } from '#storage/catalog.ts';
import { StorageError } from '#storage/storage-error.ts';
import { blobState } from '../../../support/builders/blob-state.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';
import { Vault } from '../../../support/builders/prune-vault.ts';
import { storedObject } from '../../../support/builders/stored-object.ts';

const RUN = { job: 'nightly', id: 'nightly-20260502T000000Z-aaaaaa' };

/** What every summary has. */
const NOTHING = {
  format: 3,
  status: 'succeeded',
  counts: {},
  bytes: {},
  containers: [],
  problems: [],
  parts: [],
  compared: [],
};

const missing = async () => {
  throw new StorageError('container-not-found', 'The container is not there', 404, 'ContainerNotFound');
};
/** A vault that no run has written to. */
const EMPTY: Partial<BlobAccount> = { getObject: async () => undefined, listBlobs: missing };

interface Asking {
  query?: Record<string, string>;
  url?: string;
  body?: string;
  vault?: Partial<BlobAccount>;
  list?: Catalog['list'];
}

async function ask(make: (deps: Dependencies) => Handler, { query = {}, url, body = '', vault = EMPTY, list }: Asking) {
  const deps = {
    configuration: { jobs: [{ name: 'nightly', destination: { account: 'VAULT' } }], archives: [] },
    blobs: () => vault,
    limits: { sharedMs: 0 },
    catalog: () => ({ list, markComplete: async () => {} }),
    now: () => new Date(),
    telemetry: { failure: (_name: string, error: unknown) => expect.unreachable(String(error)) },
  } as unknown as Dependencies;
  const request = httpRequest({ params: { id: RUN.id }, query, body, url });
  const answer = await make(deps)(request, {} as DurableClient, { functionName: 'f' } as InvocationContext);
  return { ...answer, body: JSON.parse(answer.body as string) };
}

describe('a vault that no run has written to', () => {
  it('knows no run', async () => {
    expect(await ask(getRunHandler, {})).toMatchObject({ status: 404, body: { code: 'run-not-found' } });
  });

  it('has nothing to rebuild the catalog from', async () => {
    const list = async () => ({ rows: [] });
    expect(await ask(rebuildCatalogHandler, { list })).toMatchObject({ status: 200, body: { runs: 0, damaged: [] } });
  });
});

test('F82: runs that only read are listed as in progress without a catalog', async () => {
  const vault = new Vault();
  const { id: point } = await vault.backup();
  const begun = await vault.begin({
    mode: 'verify',
    verify: { point, kind: 'quick', portion: '100%', turn: 0, sample: 0 },
  });
  const reading = await vault.begin({
    mode: 'verify',
    verify: { point, kind: 'quick', portion: '100%', turn: 0, sample: 0 },
  });
  await vault.control.signOfLife(reading, new Date(vault.clock.app));
  const unavailable = async () => {
    throw new StorageError('unreachable', 'No answer', 0);
  };
  const deps = {
    ...vault.deps(),
    catalog: () => ({ markComplete: async () => {}, list: unavailable, put: unavailable }),
  } as unknown as Dependencies;
  const client = { getStatus: async () => ({ runtimeStatus: 'Running' }) } as unknown as DurableClient;
  const { body } = await listRunsHandler(deps)(httpRequest(), client, { functionName: 'f' } as InvocationContext);
  expect(JSON.parse(body as string)).toMatchObject({
    runs: [
      { id: reading.id, mode: 'verify', status: 'running' },
      { id: begun.id, mode: 'verify', status: 'running' },
      { id: point, status: 'succeeded' },
    ],
  });
});

test('F82: a rebuild reads many summaries at once, so that an old vault takes seconds', async () => {
  const ids = Array.from({ length: 200 }, (_, run) => `nightly-20260502T000000Z-${String(run).padStart(6, '0')}`);
  let reading = 0;
  let most = 0;
  const vault: Partial<BlobAccount> = {
    listBlobs: async (_container, { prefix }) => ({
      blobs: [],
      prefixes: prefix === 'jobs/' ? ['jobs/nightly/'] : ids.map((id) => `jobs/nightly/runs/${id}/`),
    }),
    async getObject() {
      most = Math.max(most, ++reading);
      await nextTurn();
      reading--;
      return undefined;
    },
  };
  const list = async () => ({ rows: [] });
  expect(await ask(rebuildCatalogHandler, { vault, list })).toMatchObject({ status: 200, body: { runs: 0 } });
  expect(most).toBe(32);
});

describe('asking for runs', () => {
  it('refuses a cursor that only the catalog can refuse', async () => {
    const list = async () => {
      throw new StorageError('invalid', 'This is not a cursor that a list of runs gave out.');
    };
    const cursor = writeCursor('{"VAULT":"x"}', ['runs', undefined]);
    const answer = await ask(listRunsHandler, { query: { cursor }, list });
    expect(answer).toMatchObject({ status: 400, body: { code: 'cursor-invalid' } });
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store' });
  });

  it('F82: lists the runs of the vault itself without a catalog, and says so', async () => {
    const list = async () => {
      throw new StorageError('access-denied', 'Not you', 403);
    };
    const vault: Partial<BlobAccount> = {
      getObject: async () => undefined,
      listBlobs: async (_container, { prefix = '' }) => ({
        blobs: [],
        prefixes: { 'jobs/': ['jobs/nightly/'], 'jobs/nightly/runs/': [`jobs/nightly/runs/${RUN.id}/`] }[prefix] ?? [],
      }),
    };
    const { body } = await ask(listRunsHandler, { vault, list });
    expect(body).toMatchObject({ runs: [{ id: RUN.id, status: 'failed' }], problems: [{ message: 'Not you' }] });
  });

  it('says how a run ended that the catalog takes for running', async () => {
    const { id, job } = RUN;
    const startedAt = '2026-05-02T00:00:00.000Z';
    const running = { id, job, mode: 'full', trigger: 'http', dryRun: false, status: 'running', startedAt };
    const list = async () => ({ rows: [running] });
    const statusWith = async (summary: object | undefined) => {
      const objects: Record<string, object | undefined> = { [summaryPath(RUN)]: summary };
      const getObject: BlobAccount['getObject'] = async (_container, name) =>
        objects[name] && storedObject(JSON.stringify(objects[name]));
      const listBlobs = async () => ({ blobs: [], prefixes: [] });
      return (await ask(listRunsHandler, { vault: { getObject, listBlobs }, list })).body.runs[0].status;
    };
    expect(await statusWith({ ...NOTHING, ...running, status: 'succeeded', finishedAt: startedAt })).toBe('succeeded');
    expect(await statusWith(undefined)).toBe('failed');
  });

  it.each(['0x10', '1e2', ' 5', '5 ', '+5', '5.0', '0', '501', '99999999999'])(
    'refuses the limit "%s"',
    async (limit) => {
      const list = async () => expect.unreachable();
      expect(await ask(listRunsHandler, { query: { limit }, list })).toMatchObject({
        status: 400,
        body: { code: 'query-invalid', detail: 'query.limit: this must be a whole number from 1 to 500' },
      });
    },
  );

  it('refuses a parameter that is there more than once', async () => {
    const list = async () => expect.unreachable();
    const url = 'http://localhost/api/runs?job=nightly&job=weekly';
    expect(await ask(listRunsHandler, { url, list })).toMatchObject({ status: 400, body: { code: 'query-invalid' } });
  });

  it.each([listRunsHandler, listRestorePointsHandler])('names a job that there is not (%#)', async (handler) => {
    const list = async () => ({ rows: [] });
    const asked = await ask(handler, { query: { job: 'nosuch' }, list });
    expect(asked).toMatchObject({
      status: 404,
      body: { code: 'job-not-found', detail: 'The configuration has no job "nosuch"', hint: 'The jobs are: nightly' },
    });
    expect((await ask(handler, { query: { job: 'x'.repeat(5_000) }, list })).body.detail.length).toBeLessThan(200);
    expect(await ask(handler, { query: { job: 'nightly' }, list })).toMatchObject({ status: 200 });
  });

  it('a rebuild of the catalog takes no fields', async () => {
    const list = async () => ({ rows: [] });
    expect(await ask(rebuildCatalogHandler, { body: '{"x":1}', list })).toMatchObject({
      status: 400,
      body: { code: 'body-invalid' },
    });
  });

  it('takes an empty parameter for none', async () => {
    const list: Catalog['list'] = async (options) => {
      expect(options).toEqual({ limit: 50 });
      return { rows: [] };
    };
    const query = { job: '', limit: '', cursor: '' };
    expect(await ask(listRunsHandler, { query, list })).toMatchObject({ status: 200, body: { runs: [], next: null } });
  });
});

describe('asking for outcomes', () => {
  it('reads the plan only where the plan is asked for', async () => {
    const scan = partPath(RUN, 'slice', 'images', '000000-slice');
    const plan = partPath(RUN, 'plan', 'images', '000000-00-aaaaaa');
    const part = new PartWriter<object>();
    part.add(outcomeOf(blobState({ name: 'kept' }), 'unchanged'));
    const planned = new PartWriter<object>();
    planned.add({ from: blobState({ name: 'new' }), reason: 'new' });
    const chunks = [{ slice: 0, chunk: 0, key: '000000-00-aaaaaa', items: 1 }];
    const summary = { ...NOTHING, ...RUN };
    const bodies: Record<string, Buffer> = {
      [summaryPath(RUN)]: Buffer.from(JSON.stringify(summary)),
      [scan]: part.finish({ chunks, part: scan }).body,
      [plan]: planned.finish({ part: plan }).body,
    };
    const metadata = tallyToMetadata({ ...emptyTally('images', 'imagesbackup'), listed: 2, unchanged: 1, planned: 1 });
    const read: string[] = [];
    const vault: Partial<BlobAccount> = {
      listBlobs: async () => ({ blobs: [blobState({ name: scan, metadata })], prefixes: [] }),
      getObject: async (_container, name) => {
        read.push(name);
        return storedObject(bodies[name]!);
      },
    };
    const names = async (query: Record<string, string>) =>
      (await ask(listOutcomesHandler, { query, vault })).body.items.map(({ name }: { name: string }) => name);
    expect(await names({})).toEqual(['kept']);
    expect(read).not.toContain(plan);
    expect(await names({ status: 'planned' })).toEqual(['new']);
  });
});
