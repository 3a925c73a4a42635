import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { describe, expect, it } from 'vitest';
import type { ArchiveRule } from '#config/archives.ts';
import type { Configuration } from '#config/configuration.ts';
import { CONTROL_CONTAINER, sliceKey, summaryPath } from '#domain/run/control-paths.ts';
import { PartWriter } from '#domain/run/part.ts';
import { partEntries } from '#domain/run/report.ts';
import type { RestoreRef, RunRef } from '#domain/run/run.ts';
import { SUMMARY_FORMAT } from '#domain/run/stored-format.ts';
import { emptyTally } from '#domain/run/tally.ts';
import { EntityFileWriter } from '#domain/tables/entity-file.ts';
import { startRestoreHandler } from '#functions/restore/start-restore.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import type { TableAccount } from '#storage/table-account.ts';
import { held } from '../../../support/builders/held-run.ts';
import { entity, HeldTable, POINT } from '../../../support/builders/held-table.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';

/** A restore point of these containers and tables, and what is asked of it. */
class Asked {
  readonly world = new HeldTable();
  started: RunRef[] = [];
  /** What the configuration has other than two jobs of no container. */
  configured: Partial<Pick<Configuration, 'jobs' | 'archives'>> = {};

  async holding(...tasks: string[]): Promise<this> {
    for (const task of tasks) {
      await this.world.control.writePart(
        held(POINT),
        'slice',
        sliceKey(0),
        new PartWriter(),
        emptyTally(task, 'x12'),
        {},
      );
    }
    const parts = partEntries(await this.world.control.listParts(POINT));
    const summary = {
      ...{ format: 3, ...POINT, mode: 'full', status: 'succeeded', restorePoint: true, source: 'https://source.test' },
      ...{
        counts: {},
        bytes: {},
        containers: [],
        problems: [],
        parts,
        compared: [],
        startedAt: '2026-05-01T00:00:00.000Z',
      },
    };
    const body = Buffer.from(JSON.stringify(summary));
    this.world.vault.putObject(CONTROL_CONTAINER, summaryPath(POINT), body, { contentType: 'text/plain' });
    return this;
  }

  async post(body: object) {
    const { deps } = this.world;
    const job = (name: string) => ({
      ...{ name, source: { account: 'SOURCE', containers: [], tables: [] }, method: 'auto' },
      destination: { account: 'VAULT', container: '{container}backup', prefix: '' },
    });
    const { jobs = [job('nightly'), job('weekly')], ...more } = this.configured;
    Object.assign(deps, {
      configuration: { ...deps.configuration, jobs, ...more },
      catalog: () => ({ put: async () => {} }),
      telemetry: { runStarted: () => {}, failure: (_: string, error: unknown) => expect.unreachable(String(error)) },
    });
    const client = {
      startNew: async (_: string, { input }: { input: { run: RunRef } }) => this.started.push(input.run),
    };
    const request = httpRequest({ body });
    const context = { functionName: 'f' } as InvocationContext;
    const answer = await startRestoreHandler(deps)(request, client as unknown as DurableClient, context);
    return { status: answer.status, body: JSON.parse(answer.body as string) };
  }
}

const of = (body: object) => ({ restorePoint: POINT.id, ...body });

describe('POST /api/restores of tables', () => {
  it('passes the fields of the request to the run', async () => {
    const asked = await new Asked().holding('images', 'table.orders', 'table.tenant1');
    const keys = { partition: 'a', from: '1' };
    const wanted = { tables: ['orders', 'tenant*'], keys, target: { table: '{table}Restored' }, existing: 'merge' };
    expect(await asked.post(of(wanted))).toMatchObject({ status: 202, body: { restorePoint: POINT.id } });
    expect((asked.started[0] as RestoreRef).restore).toEqual({
      ...{ point: POINT.id, account: 'SOURCE', container: '{container}', prefix: '', existing: 'merge' },
      ...{ containers: [], tables: ['orders', 'tenant*'], table: '{table}Restored', keys },
      ...{ startsWith: '', include: [], exclude: [], original: false },
    });
  });

  it('without a word of either, all is meant; blobs have one word for being replaced', async () => {
    const asked = await new Asked().holding('images', 'table.orders');
    await asked.post(of({ existing: 'replace' }));
    expect((asked.started[0] as RestoreRef).restore).toMatchObject({
      containers: [],
      tables: [],
      existing: 'overwrite',
    });
  });

  it('of tables alone the word stays', async () => {
    const asked = await new Asked().holding('images', 'table.orders');
    await asked.post(of({ existing: 'replace', tables: ['orders'] }));
    expect((asked.started[0] as RestoreRef).restore).toMatchObject({ existing: 'replace' });
  });

  it.each<[string, object, RegExp]>([
    ['keys of no table', { keys: { partition: 'a' } }, /^body\.keys: name the tables of these keys in "tables"$/],
    ['keys that a script has left out', { tables: ['orders'], keys: {} }, /^body\.keys: this selects nothing/],
    ['tables that a script has found none of', { tables: [] }, /^body\.tables: the list is empty/],
    ['containers that a script has found none of', { containers: [] }, /^body\.containers: the list is empty/],
    ['globs that a script has found none of', { include: [] }, /^body\.include: the list is empty/],
    ['globs to leave out that there are none of', { exclude: [] }, /^body\.exclude: the list is empty/],
    ['a prefix that a script has left empty', { prefix: '' }, /^body\.prefix: the text is empty/],
    ['a prefix of the target alike', { target: { prefix: '' } }, /^body\.target\.prefix: the text is empty/],
    [
      'no key at all',
      { tables: ['orders'], keys: { from: 'b', to: 'a' } },
      /^body\.keys: no key is between "b" and "a"$/,
    ],
    ['what is no table', { tables: ['my-table'] }, /^body\.tables\[0\]: "my-table" is not a table name/],
    [
      'merging containers',
      { containers: ['images'], existing: 'merge' },
      /^body\.existing: "merge" works for the entities/,
    ],
    ['merging all there is', { existing: 'merge' }, /^body\.existing: "merge" works for the entities/],
    ['two tables into one', { tables: ['*'], target: { table: 'all' } }, /2 tables would overwrite each other/],
    [
      'no template',
      { tables: ['orders'], target: { table: '{table}-x' } },
      /^body\.target\.table: "\{table\}-x" does not make a table name/,
    ],
    [
      'a name that is too long',
      { tables: ['*'], target: { table: `{table}${'x'.repeat(58)}` } },
      /is not a table name$/,
    ],
    [
      'the list of runs',
      { tables: ['orders'], target: { account: 'VAULT', table: 'StrongRoom' } },
      /"StrongRoom" in VAULT is the list of runs/,
    ],
    [
      'a choice of blobs that says nothing of tables',
      { prefix: 'a/', existing: 'overwrite' },
      /^body.prefix: "prefix", "include" and "exclude" select blobs; .* also restore 2 tables, such as "orders", in full/,
    ],
    ['the same by a glob', { include: ['*.jpg'] }, /would also restore/],
    ['the same by another', { exclude: ['*.jpg'] }, /would also restore/],
    ['a choice of blobs for tables alone', { tables: ['orders'], prefix: 'a' }, /select entities with "keys"$/],
    [
      'a place for blobs, and none for the tables',
      { target: { container: '{container}-restored' }, existing: 'overwrite' },
      /^body\.target: it sets the target of containers, and 2 tables, such as "orders", would be restored over the original/,
    ],
    [
      'a place for blobs, where only tables are meant',
      { tables: ['orders'], target: { container: 'beside' }, existing: 'replace' },
      /it sets the target of containers, and table "orders" would be restored over the original/,
    ],
    [
      'a prefix for blobs, and no place for the tables',
      { target: { prefix: 'restored/' } },
      /it sets the target of containers/,
    ],
    [
      'a place for tables, and none for blobs',
      { target: { table: '{table}Restored' }, existing: 'overwrite' },
      /^body\.target: it sets the target of tables, and container "images" would be restored over the original/,
    ],
    [
      'an unknown account',
      { tables: ['orders'], target: { account: 'OTHER' } },
      /the configuration has no account "OTHER"/,
    ],
  ])('400 for %s', async (_what, body, message) => {
    const asked = await new Asked().holding('images', 'table.orders', 'table.tenant1');
    const answer = await asked.post(of(body));
    expect(answer.status, JSON.stringify(answer.body)).toBe(400);
    expect(answer.body.detail).toMatch(message);
    expect(asked.started).toEqual([]);
  });

  it.each<[string, object]>([
    ['both places', { target: { container: '{container}-restored', table: '{table}' } }],
    ['another account', { target: { account: 'VAULT', container: '{container}-restored' } }],
    ['containers and tables', { containers: ['*'], tables: ['*'], prefix: 'a/' }],
    ['containers', { containers: ['*'], prefix: 'a/', target: { container: '{container}-restored' } }],
    ['tables', { tables: ['orders'], target: { table: 'ordersRestored' } }],
    ['the partition without a name', { tables: ['orders'], keys: { partition: '' } }],
    ['keys from the first on', { tables: ['orders'], keys: { from: '' } }],
  ])('what is meant is said by naming %s', async (_what, body) => {
    const asked = await new Asked().holding('images', 'table.orders', 'table.tenant1');
    const answer = await asked.post(of(body));
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  });

  it.each<[string, object, boolean]>([
    ['in place', { tables: ['orders'] }, true],
    ['into another table', { tables: ['orders'], target: { table: 'ordersRestored' } }, false],
    ['of a container, with another table', { containers: ['images'], target: { table: 'x{table}' } }, true],
  ])('a restore %s is to the original or not', async (_what, body, original) => {
    const asked = await new Asked().holding('images', 'table.orders');
    const answer = await asked.post(of(body));
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    expect((asked.started[0] as RestoreRef).restore.original).toBe(original);
  });

  it('404 where patterns match nothing: a run of nothing would succeed', async () => {
    const asked = await new Asked().holding('images', 'table.orders');
    const answer = await asked.post(of({ tables: ['tenant*'], containers: ['doc-*'] }));
    expect(answer).toMatchObject({ status: 404, body: { code: 'container-not-held' } });
    expect(answer.body.detail).toContain('nothing that matches "doc-*" or "tenant*"');
    expect((await asked.post(of({ tables: ['tenant*', 'orders'] }))).status).toBe(202);
  });

  it('a name that the restore point does not hold is reported by the run', async () => {
    const asked = await new Asked().holding('images', 'table.orders');
    expect((await asked.post(of({ tables: ['tenant1', 'tenant*'] }))).status).toBe(202);
  });

  it('a table of that name elsewhere than in a vault is one like any other', async () => {
    const asked = await new Asked().holding('table.orders');
    expect((await asked.post(of({ target: { table: 'strongroom' } }))).status).toBe(202);
  });
});

describe('POST /api/restores of containers', () => {
  it.each<[string, object]>([
    ['names without their container', {}],
    ['names of two containers', { containers: ['images', 'tenant-1'] }],
    ['names of a pattern', { containers: ['tenant-*'] }],
    ['names with tables', { containers: ['images'], tables: ['orders'] }],
    ['names with a prefix', { containers: ['images'], prefix: 'a/' }],
    ['names with a glob', { containers: ['images'], exclude: ['*.tmp'] }],
    ['no names', { containers: ['images'], names: [] }],
    ['an empty name', { containers: ['images'], names: [''] }],
    ['more names than 1,000', { containers: ['images'], names: Array.from({ length: 1001 }, (_, i) => `${i}`) }],
    ['names of too much text', { containers: ['images'], names: Array.from({ length: 200 }, () => 'x'.repeat(1000)) }],
  ])('400 for %s', async (_what, body) => {
    const asked = await new Asked().holding('images', 'tenant-1', 'table.orders');
    const answer = await asked.post(of({ names: ['2026/a.jpg'], ...body }));
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: expect.stringMatching(/^body\.names/) }] } });
    expect(asked.started).toEqual([]);
  });

  it('names are restored as they are, each once', async () => {
    const asked = await new Asked().holding('images', 'tenant-1');
    const answer = await asked.post(of({ containers: ['images'], names: ['[1].jpg', 'b', '[1].jpg'] }));
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    expect(asked.started).toMatchObject([{ restore: { containers: ['images'], names: ['[1].jpg', 'b'] } }]);
  });

  const RULE = {
    ...{ name: 'uploads', source: { account: 'SOURCE', container: 'incoming' } },
    destination: { account: 'ARCHIVE', container: '{container}archive', prefix: '' },
  } as ArchiveRule;

  /** An account of archives, under another spelling of the address of the vault or of its own. */
  async function archiving(endpoint: string): Promise<Asked> {
    const asked = await new Asked().holding('images', 'tenant-1');
    const { deps } = asked.world;
    const { blobs } = deps;
    deps.blobs = (alias) => (alias === 'ARCHIVE' ? ({ alias, endpoint } as BlobAccount) : blobs(alias));
    deps.configuration.accounts.set('ARCHIVE', {} as never);
    asked.configured = { archives: [RULE] };
    return asked;
  }

  it.each<[string, object, RegExp]>([
    [
      'the container of an archive rule',
      { account: 'ARCHIVE', container: 'incomingarchive' },
      /holds a backup or an ar/,
    ],
    ['its control container', { account: 'ARCHIVE', container: 'strongroom' }, /is the control container of a vault/],
    ['the containers of the host', { container: 'azure-webjobs-hosts' }, /belongs to the host of an app/],
    ['the containers of drills', { container: 'strongroom-drill-aaaaaa-01234567' }, /is for drills/],
    ['what a website publishes', { container: '$web' }, /belongs to the service/],
  ])('I10: 400 for a target that is %s', async (_what, target, message) => {
    const asked = await archiving('https://archive.test');
    const answer = await asked.post(of({ containers: ['images'], existing: 'overwrite', target }));
    expect(answer).toMatchObject({ status: 400, body: { code: 'body-invalid' } });
    expect(answer.body.detail).toMatch(message);
    expect(asked.started).toEqual([]);
  });

  it('I10: 400 for the catalog of an archive rule', async () => {
    const asked = await archiving('https://archive.test');
    const { tables } = asked.world.deps;
    asked.world.deps.tables = (alias) =>
      alias === 'ARCHIVE' ? ({ alias, endpoint: 'https://archive.table.test' } as TableAccount) : tables(alias);
    const { path } = await asked.world.file([entity('a', '1')]);
    const answer = await asked.post({ file: path, target: { account: 'ARCHIVE', table: 'strongroom' } });
    expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining('is the list of runs') } });
  });

  it.each(['http://VAULT.test', 'https://vault.test:443/', 'https://vault-secondary.test'])(
    'I10: 400 for a backup container of the vault under another address, %s',
    async (endpoint) => {
      const asked = await archiving(endpoint);
      asked.configured = {};
      // The restore point says where its backup containers are, all in x12.
      const answer = await asked.post(of({ containers: ['images'], target: { account: 'ARCHIVE', container: 'x12' } }));
      expect(answer.body.detail).toMatch(/"x12" in ARCHIVE holds a backup/);
    },
  );

  it('400 for a target in the secondary region of an account, which is read-only', async () => {
    const asked = await archiving('https://acct1-secondary.blob.core.windows.net');
    const answer = await asked.post(of({ target: { account: 'ARCHIVE', container: 'x12' } }));
    expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining('which is read-only') } });
  });

  it('I10: 400 for a container that only a restore point of a job that is gone still needs', async () => {
    const asked = await new Asked().holding('images');
    const { control, vault } = asked.world;
    const gone = { job: 'gone', id: 'gone-20260401T000000Z-aaaaaa' };
    await control.writePart(held(gone), 'slice', sliceKey(0), new PartWriter(), emptyTally('a', 'kept-for-gone'), {});
    const summary = {
      ...{
        format: SUMMARY_FORMAT,
        ...gone,
        mode: 'full',
        status: 'succeeded',
        restorePoint: true,
        source: 'https://source.test',
        compared: [],
      },
      ...{ counts: {}, bytes: {}, containers: [], problems: [], parts: partEntries(await control.listParts(gone)) },
    };
    const put = (path: string, body: string) =>
      vault.putObject(CONTROL_CONTAINER, path, Buffer.from(body), { contentType: 'text/plain' });
    put(summaryPath(gone), JSON.stringify(summary));
    // A summary that cannot be read does not stand in the way.
    put(summaryPath({ job: 'gone', id: 'gone-20260402T000000Z-aaaaaa' }), '{');
    const into = (container: string) =>
      asked.post(of({ containers: ['images'], target: { account: 'VAULT', container } }));
    expect((await into('kept-for-gone')).body.detail).toMatch(/"kept-for-gone" in VAULT holds a backup/);
    expect((await into('free')).status).toBe(202);
  });

  it('a name that someone chose in the source keeps nothing else from being restored', async () => {
    const answer = async (containers: string[]) =>
      (await new Asked().holding('azure-webjobs-x', 'images')).post(of({ containers }));
    expect((await (await new Asked().holding('azure-webjobs-x', 'images')).post(of({}))).status).toBe(202);
    expect((await answer(['*'])).status).toBe(202);
    for (const containers of [['azure-webjobs-x', 'images'], ['azure-*']]) {
      expect((await answer(containers)).body.detail).toMatch(/belongs to the host of an app/);
    }
  });

  it('the original container is recognized under any address of the account', async () => {
    const asked = await archiving('http://SOURCE.test:80');
    await asked.post(of({ target: { account: 'ARCHIVE' } }));
    expect((asked.started[0] as RestoreRef).restore.original).toBe(true);
  });
});

describe('POST /api/restores of a file', () => {
  it('needs nothing else in the vault', async () => {
    const asked = new Asked();
    const { path } = await asked.world.file([entity('a', '1')]);
    expect(await asked.post({ file: path, target: { table: 'OrdersBack' } })).toMatchObject({ status: 202 });
    const file = { account: 'VAULT', container: CONTROL_CONTAINER, name: path };
    expect(asked.started[0]).toMatchObject({
      job: 'nightly',
      restore: { point: '', tables: ['orders'], table: 'OrdersBack', file },
    });
  });

  it('may lie anywhere; then the job is asked for', async () => {
    const asked = new Asked();
    const { path } = await asked.world.file([entity('a', '1')]);
    const { body } = asked.world.vault.all(CONTROL_CONTAINER, path)[0]!;
    asked.world.vault.createContainer('elsewhere');
    asked.world.vault.write('elsewhere', { name: 'my.gz', body: Buffer.from(body) });
    const file = { account: 'VAULT', container: 'elsewhere', name: 'my.gz' };
    expect(await asked.post({ file })).toMatchObject({ status: 400, body: { code: 'job-missing' } });
    expect(await asked.post({ file, job: 'weekly' })).toMatchObject({ status: 202, body: { job: 'weekly' } });
  });

  it('is looked at before a run begins', async () => {
    const asked = new Asked();
    const gone = 'jobs/nightly/tables/orders/x.ndjson.gz';
    const answer = await asked.post({ file: gone });
    expect(answer).toMatchObject({ status: 400, body: { code: 'file-unreadable' } });
    expect(answer.body.detail).toContain(`strongroom/${gone} in VAULT is missing`);
    expect(asked.started).toEqual([]);
  });

  it.each<[object, RegExp]>([
    [{ restorePoint: 'latest' }, /^body\.file: remove "restorePoint" and "at"/],
    [{ at: '2026-05-01T00:00:00Z' }, /^body\.file: remove "restorePoint" and "at"/],
    [{ prefix: 'a' }, /^body\.file: "prefix", "include" and "exclude" select blobs/],
    [{ tables: ['orders'] }, /^body\.file: remove "tables" and "containers"/],
    [
      { file: { account: 'OTHER', container: 'c', name: 'n' }, job: 'nightly' },
      /^body\.file\.account: the configuration has no account "OTHER"/,
    ],
  ])('400 with %j beside it', async (more, message) => {
    const asked = new Asked();
    const { path } = await asked.world.file([entity('a', '1')]);
    const answer = await asked.post({ file: path, ...more });
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toMatch(message);
  });

  const END = {
    ...{ file: 'x', format: 1, table: 'orders', source: 'https://x.test', run: 'r', range: {}, kind: 'entities' },
    ...{ readFrom: '2026-05-01T00:00:00Z', readTo: '2026-05-01T00:00:10Z' },
  };
  /** A file of one entity that somebody else has written, with this end. */
  async function foreign(end: object): Promise<Awaited<ReturnType<Asked['post']>>> {
    const asked = new Asked();
    const writer = new EntityFileWriter();
    writer.add(entity('a', '1').text);
    const { body } = writer.finish({ ...END, ...end } as Parameters<EntityFileWriter['finish']>[0]);
    asked.world.vault.write(CONTROL_CONTAINER, { name: 'my.gz', body });
    return asked.post({ file: 'my.gz', job: 'nightly', target: { table: 'back' } });
  }

  it('of another job is taken if its end says all there is to know', async () => {
    expect((await foreign({})).status).toBe(202);
    expect((await foreign({ range: { after: { partition: 'a' }, upTo: { partition: 'b', row: '1' } } })).status).toBe(
      202,
    );
  });

  it.each<[object, RegExp]>([
    [{ format: 2 }, /it is format 2; this version reads format 1$/],
    [{ table: '../../locks' }, /its last line names no table$/],
    [{ table: 'or*' }, /names no table$/],
    [{ kind: undefined }, /last line does not name its kind$/],
    [{ readTo: undefined }, /last line has no time of reading$/],
    [{ range: undefined }, /last line has no key range$/],
    [{ range: null }, /last line has no key range$/],
    [{ range: { after: { partition: 1 } } }, /last line has no key range$/],
    [{ range: { upTo: null } }, /last line has no key range$/],
    [{ range: { upTo: { partition: 'a', row: {} } } }, /last line has no key range$/],
  ])('400 where its end says %j', async (end, message) => {
    const answer = await foreign(end);
    expect(answer).toMatchObject({ status: 400, body: { code: 'file-unreadable' } });
    expect(answer.body.detail).toMatch(message);
  });

  it('is not fetched where it is far too large to be one', async () => {
    const asked = new Asked();
    asked.world.vault.write(CONTROL_CONTAINER, { name: 'my.gz', body: Buffer.alloc(129 * 1024 * 1024) });
    const answer = await asked.post({ file: 'my.gz', job: 'nightly' });
    expect(answer).toMatchObject({ status: 400, body: { code: 'file-unreadable' } });
    expect(answer.body.detail).toContain('is not a file of entities: it has 135266304 bytes');
  });
});
