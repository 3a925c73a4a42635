import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { configurationSchema, loadConfiguration } from '#config/configuration.ts';
import { ConfigurationError } from '#config/configuration-error.ts';

const KEY = Buffer.alloc(64, 'a key that must never be seen').toString('base64');
const SETTINGS = {
  SOURCE: `DefaultEndpointsProtocol=https;AccountName=source1;AccountKey=${KEY};EndpointSuffix=core.windows.net`,
  VAULT__blobServiceUri: 'https://vault1.blob.core.windows.net',
};

/** A job of tables only. */
function job(source: Record<string, unknown> = {}, changes: Record<string, unknown> = {}) {
  return {
    name: 'nightly',
    source: { account: 'SOURCE', tables: ['orders', 'tenant*'], ...source },
    destination: { account: 'VAULT' },
    ...changes,
  };
}

function load(jobs: unknown[], settings: Record<string, string | undefined> = SETTINGS) {
  return loadConfiguration({ text: JSON.stringify({ jobs }), file: 'strongroom.json', settings });
}

/** The problems as `place: message`. */
function problems(jobs: unknown[], settings?: Record<string, string | undefined>): string[] {
  try {
    load(jobs, settings);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ place, message }) => `${place}: ${message}`);
  }
  return [];
}

describe('a source of tables', () => {
  it('needs no container, neither to copy from nor to copy to', () => {
    expect(load([job()]).jobs[0]).toMatchObject({
      source: { account: 'SOURCE', containers: [], tables: ['orders', 'tenant*'], tableDeletions: false },
      destination: { account: 'VAULT', container: '{container}', prefix: '' },
    });
    expect(load([job({ containers: [], tableDeletions: true })]).jobs[0]!.source.tableDeletions).toBe(true);
  });

  it('may have a destination for containers all the same, and what chooses nothing', () => {
    const destination = { account: 'VAULT', container: 'all', prefix: 'a/' };
    expect(load([job({ prefix: '' }, { destination })]).jobs[0]!.destination).toEqual(destination);
  });

  it('may have containers beside them, which go where the destination says', () => {
    const both = { containers: ['*'], exclude: ['**/*.tmp'] };
    const destination = { account: 'VAULT', container: '{container}backup' };
    expect(load([job(both, { destination })]).jobs[0]).toMatchObject({
      source: { containers: ['*'], tables: ['orders', 'tenant*'] },
      destination,
    });
  });

  it('may name a table twice, and in either case', () => {
    expect(load([job({ tables: ['orders', 'Orders', 'o*'] })]).jobs[0]!.source.tables).toHaveLength(3);
  });

  it('may lie in the account of the vault, and be the same for two jobs', () => {
    const settings = { ...SETTINGS, VAULT__blobServiceUri: 'https://source1.blob.core.windows.net' };
    expect(load([job(), job({}, { name: 'weekly' })], settings).jobs).toHaveLength(2);
  });

  it('is written down in the JSON Schema as it is read', () => {
    const committed = JSON.parse(readFileSync(new URL('../../../strongroom.schema.json', import.meta.url), 'utf8'));
    const made = z.toJSONSchema(configurationSchema, { io: 'input' });
    expect(committed).toMatchObject(made);
    const { source, destination } = committed.properties.jobs.items.properties;
    expect(source.required).toEqual(['account']);
    expect(destination.required).toEqual(['account']);
  });

  it('is shown in the documentation, with every option of a job', () => {
    const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
    const [, shown] = /## Tables\n[^`]*```json\n([^`]*)```/.exec(page) ?? [];
    expect(load([JSON.parse(shown!)]).jobs[0]!.source.tables).not.toEqual([]);
    const { properties } = z.toJSONSchema(configurationSchema.shape.jobs.unwrap().element, { io: 'input' });
    const options = Object.entries(properties!).flatMap(([name, of]) =>
      ['source', 'destination'].includes(name)
        ? Object.keys((of as z.core.JSONSchema.JSONSchema).properties!).map((each) => `${name}.${each}`)
        : [name],
    );
    const table = page.slice(page.indexOf('| in a job '), page.indexOf('Schedules that name both'));
    expect([...table.matchAll(/^\| `([A-Za-z.]+)` /gm)].map(([, name]) => name)).toEqual(options);
  });
});

describe('a source is refused', () => {
  it.each(['include', 'exclude'])('when its list "%s" is empty, which could mean nothing or all', (option) => {
    const place = `jobs[0].source.${option}`;
    const destination = { account: 'VAULT', container: 'all' };
    expect(problems([job({ containers: ['*'], [option]: [] }, { destination })])).toEqual([
      `${place}: the list is empty; add to it, or remove this option`,
    ]);
  });

  it.each([
    [{ tables: undefined }],
    [{ tables: [] }],
    [{ tables: [], containers: [] }],
    [{ tables: [], containers: [], prefix: 'a', include: ['a'], exclude: ['b'] }],
  ])('when it names nothing: %j', (source) => {
    expect(problems([job(source)])).toEqual([
      'jobs[0].source: the source names nothing to back up; add "containers", "tables" or both, with names or ' +
        '"*" for all',
    ]);
  });

  it('when it has containers, and nothing says where they go', () => {
    const missing = expect.stringMatching(
      /^jobs\[0\]\.destination\.container: this option is missing; .*"\{container\}backup"$/,
    );
    expect(problems([job({ containers: ['abc'] })])).toEqual([missing]);
    expect(problems([job({ containers: ['*'], tables: [] })])).toEqual([missing]);
    // Told beside what else is wrong, and no guess is made of where they would have gone.
    const also = { schedule: 'now', destination: { account: 'SOURCE', prefx: '' } };
    expect(
      problems([job({ containers: ['*'], tables: ['a-b'], include: 7 }, also)]).map((text) => text.split(': ')[0]),
    ).toEqual([
      'jobs[0].schedule',
      'jobs[0].source.include',
      'jobs[0].source.tables[0]',
      'jobs[0].destination.prefx',
      'jobs[0].destination.container',
    ]);
    expect(problems([job({ containers: ['*'] }, { destination: { account: 'SOURCE' } })])).toEqual([missing]);
    expect(problems([job({ containers: ['abc'] }, { destination: undefined })])).toEqual([
      expect.stringMatching(/^jobs\[0\]\.destination: this option is missing/),
    ]);
  });

  it('when it compares or chooses what is not there', () => {
    const blobs = { prefix: 'a/', include: ['*.jpg'], exclude: ['*.tmp'] };
    const none = 'this option selects blobs, and the source names no container; add "containers", or remove it';
    expect(problems([job(blobs)])).toEqual([
      `jobs[0].source.prefix: ${none}`,
      `jobs[0].source.include: ${none}`,
      `jobs[0].source.exclude: ${none}`,
    ]);
    const destination = { account: 'VAULT', container: '{container}backup' };
    const compare = 'jobs[0].source.tableDeletions: this option needs tables; add "tables", or remove it';
    expect(problems([job({ containers: ['*'], tables: undefined, tableDeletions: true }, { destination })])).toEqual([
      compare,
    ]);
    expect(problems([job({ containers: ['*'], tables: [], tableDeletions: false }, { destination })])).toEqual([]);
    expect(problems([job({ tables: [], tableDeletions: true })])).toEqual([
      expect.stringContaining('the source names nothing to back up'),
      compare,
    ]);
  });

  it('for all of this at once', () => {
    expect(
      problems([job({ account: 7, tables: [], tableDeletions: true, exclude: 7 })]).map((text) => text.split(': ')[0]),
    ).toEqual(['jobs[0].source.account', 'jobs[0].source.exclude', 'jobs[0].source', 'jobs[0].source.tableDeletions']);
  });

  it('with the place of each name that can be none', () => {
    const found = problems([
      job({
        tables: ['orders', 'my-table', '$MetricsHourPrimaryTransactionsBlob', 'Tables', '1*'],
        tableDeletions: 'yes',
        table: [],
      }),
      job({ tables: 'orders' }, { name: 'two' }),
    ]);
    expect(found).toEqual([
      expect.stringContaining('jobs[0].source.tables[1]: "my-table" is not a table name'),
      expect.stringContaining('jobs[0].source.tables[2]: "$MetricsHour'),
      expect.stringContaining('jobs[0].source.tables[3]: "Tables" is not a table name: the service'),
      expect.stringContaining('jobs[0].source.tables[4]: "1*" cannot match any table'),
      'jobs[0].source.tableDeletions: this must be true or false',
      'jobs[0].source.table: this option does not exist; did you mean "tables"?',
      'jobs[1].source.tables: this must be a list [ … ]',
    ]);
  });
});

describe('the address of the tables', () => {
  const settings = (SOURCE: string) => ({ ...SETTINGS, SOURCE });
  const domain = `AccountName=source1;AccountKey=${KEY};BlobEndpoint=https://files.example.com`;
  const identity = (blobServiceUri: string, tableServiceUri?: string) => ({
    VAULT__blobServiceUri: SETTINGS.VAULT__blobServiceUri,
    SOURCE__blobServiceUri: blobServiceUri,
    SOURCE__accountName: 'source1',
    SOURCE__tableServiceUri: tableServiceUri,
  });

  it.each<[string, Record<string, string | undefined>]>([
    ['the account', SETTINGS],
    ['the emulator', settings('UseDevelopmentStorage=true')],
    [
      'the emulator, whatever else is said',
      settings('UseDevelopmentStorage=true;BlobEndpoint=http://127.0.0.1:10000/a'),
    ],
    ['that of the blobs', identity('https://source1.blob.core.windows.net/')],
    [
      'that of the blobs, in a connection string',
      settings('BlobEndpoint=https://a.blob.example.com;SharedAccessSignature=sv=1&se=2999-01-01&sig=abc'),
    ],
    ['a setting', identity('https://files.example.com', 'https://tables.example.com')],
    ['the connection string', settings(`${domain};TableEndpoint=https://tables.example.com`)],
  ])('is known by %s', (_, settings) => {
    expect(load([job()], settings).jobs).toHaveLength(1);
  });

  it.each<[Record<string, string | undefined>, string]>([
    [identity('https://files.example.com'), 'add the app setting "SOURCE__tableServiceUri", for example https://'],
    [
      settings(domain),
      'add "TableEndpoint=…", for example https://myaccount.table.core.windows.net, to the connection string in ' +
        'the app setting "SOURCE"',
    ],
    [
      settings('BlobEndpoint=https://files.example.com;SharedAccessSignature=sv=1&se=2999-01-01&sig=abc'),
      'add "TableEndpoint=…"',
    ],
  ])('is asked for, once, where nothing tells it: %#', (settings, words) => {
    const found = problems([job(), job({}, { name: 'two' })], settings);
    expect(found).toEqual([
      expect.stringMatching(/^jobs\[0\]\.source\.account: a job backs up tables of this account, /),
    ]);
    expect(found[0]).toContain(words);
    expect(found[0]).not.toContain('example.com');
    expect(found[0]).not.toContain(KEY.slice(0, 12));
  });

  it('is not asked for where no table is read', () => {
    const destination = { account: 'VAULT', container: '{container}backup' };
    expect(load([job({ containers: ['*'], tables: [] }, { destination })], settings(domain)).jobs).toHaveLength(1);
  });

  it('is asked for also where something else of the source is wrong', () => {
    expect(problems([job({ tables: ['a-b'] })], settings(domain))).toEqual([
      expect.stringContaining('jobs[0].source.tables[0]'),
      expect.stringContaining('add "TableEndpoint=…"'),
    ]);
  });

  it.each([
    'nowhere',
    'ftp://a.table.core.windows.net',
    `https://a.table.core.windows.net?sig=${KEY}`,
    `https://a:${KEY}@b`,
  ])('is refused as %s', (endpoint) => {
    const found = problems([job()], settings(`${SETTINGS.SOURCE};TableEndpoint=${endpoint}`));
    expect(found).toEqual([expect.stringContaining('has a table endpoint that is not a plain http or https address')]);
    expect(found.join()).not.toContain(KEY.slice(0, 12));
  });
});
