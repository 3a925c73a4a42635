import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadConfiguration, readConfiguration } from '#config/configuration.ts';
import { ConfigurationError } from '#config/configuration-error.ts';
import { readLimits } from '#config/limits.ts';
import { jsonErrorOffset, lineAndColumn, repeatedKeys } from '#domain/json-syntax.ts';

const CLIENT = '0a1b2c3d-1111-2222-3333-444455556666';
const KEY = Buffer.alloc(64, 'a key that must never be seen').toString('base64');
const SETTINGS = {
  SOURCE: `DefaultEndpointsProtocol=https;AccountName=source1;AccountKey=${KEY};EndpointSuffix=core.windows.net`,
  VAULT__blobServiceUri: 'https://vault1.blob.core.windows.net',
};

/** A job that is right, with some of it replaced. */
function job(changes: Record<string, unknown> = {}, source = {}, destination = {}) {
  return {
    name: 'nightly',
    source: { account: 'SOURCE', containers: ['*'], ...source },
    destination: { account: 'VAULT', container: '{container}backup', ...destination },
    ...changes,
  };
}

function load(value: unknown, settings: Record<string, string | undefined> = SETTINGS) {
  return loadConfiguration({
    text: typeof value === 'string' ? value : JSON.stringify(value),
    file: 'strongroom.json',
    settings,
  });
}

function errorOf(work: () => unknown): ConfigurationError {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('no error was thrown');
}

/** The problems as `place: message`. */
function problems(value: unknown, settings?: Record<string, string | undefined>): string[] {
  return errorOf(() => load(value, settings)).problems.map(({ place, message }) => `${place}: ${message}`);
}

describe('a configuration that is right', () => {
  it('has every default filled in, and its accounts resolved', () => {
    expect(load({ $schema: './strongroom.schema.json', jobs: [job({ schedule: '0 30 23 * * *' })] })).toEqual({
      jobs: [
        {
          name: 'nightly',
          schedule: '0 30 23 * * *',
          timeZone: 'UTC',
          mode: 'incremental',
          method: 'auto',
          source: {
            account: 'SOURCE',
            containers: ['*'],
            prefix: '',
            include: [],
            exclude: [],
            tables: [],
            tableDeletions: false,
          },
          destination: { account: 'VAULT', container: '{container}backup', prefix: '' },
        },
      ],
      archives: [],
      otherAccounts: [],
      notify: {
        every: '0 */5 * * * *',
        timeZone: 'UTC',
        channels: [],
        send: [],
        pings: new Map(),
        severity: {},
        names: true,
      },
      accounts: new Map([
        ['SOURCE', { alias: 'SOURCE', connectionString: SETTINGS.SOURCE }],
        ['VAULT', { alias: 'VAULT', blobServiceUri: SETTINGS.VAULT__blobServiceUri }],
      ]),
    });
  });

  it('takes app settings in place of %NAME%, once, and leaves other percent signs', () => {
    const settings = { ...SETTINGS, WHEN: '0 0 4 * * *', P: '%WHEN%"' };
    const { jobs } = load(
      { $schema: '%GONE%', jobs: [job({ schedule: '%WHEN%' }, { prefix: 'a%20b 100% %P%' })] },
      settings,
    );
    expect(jobs[0]).toMatchObject({ schedule: '0 0 4 * * *', source: { prefix: 'a%20b 100% %WHEN%"' } });
  });

  it('may begin with a byte order mark', () => {
    expect(load(`\uFEFF${JSON.stringify({ jobs: [job()] })}`).jobs).toHaveLength(1);
  });

  it('accepts the file at the root of the project, and reports the placeholders of the sample settings', () => {
    const root = new URL('../../../', import.meta.url);
    const settings = JSON.parse(readFileSync(new URL('local.settings.sample.json', root), 'utf8'));
    const text = readFileSync(new URL('strongroom.json', root), 'utf8');
    const load = (values: Record<string, string>) =>
      loadConfiguration({ text, file: 'strongroom.json', settings: values });
    expect(() => load(settings.Values)).toThrow(
      /"SOURCE" has an invalid AccountName[\s\S]*"VAULT" has an invalid AccountName/,
    );
    const filled = Object.entries<string>(settings.Values).map(([name, value]) => [
      name,
      value.replace(/<(\w+) account>/, 'contoso$1').replace('<its key>', KEY),
    ]);
    expect(load(Object.fromEntries(filled)).accounts.size).toBe(2);
  });

  it.each([
    [
      'two accounts of one emulator',
      {
        SOURCE: 'UseDevelopmentStorage=true',
        VAULT: `AccountName=other;AccountKey=${KEY};BlobEndpoint=http://127.0.0.1:10000/other`,
      },
    ],
    [
      'a shared access signature',
      {
        SOURCE: 'BlobEndpoint=https://a.blob.core.windows.net/;SharedAccessSignature=sv=1&se=2999-01-01&sig=abc',
        VAULT__blobServiceUri: 'https://b.blob.core.windows.net',
      },
    ],
    [
      'identities',
      {
        SOURCE__blobServiceUri: 'https://a.blob.core.windows.net/',
        SOURCE__credential: 'managedidentity',
        SOURCE__clientId: CLIENT,
        VAULT__blobServiceUri: 'https://b.blob.core.windows.net',
      },
    ],
  ])('reaches accounts by %s', (_, settings) => {
    expect([...load({ jobs: [job()] }, settings).accounts.keys()]).toEqual(['SOURCE', 'VAULT']);
  });

  it('keeps what belongs to an identity', () => {
    const settings = {
      ...SETTINGS,
      VAULT__tableServiceUri: 'https://vault1.table.core.windows.net',
      VAULT__clientId: CLIENT,
      VAULT__credential: 'managedidentity',
    };
    expect(load({ jobs: [job()] }, settings).accounts.get('VAULT')).toEqual({
      alias: 'VAULT',
      blobServiceUri: 'https://vault1.blob.core.windows.net',
      tableServiceUri: 'https://vault1.table.core.windows.net',
      clientId: CLIENT,
    });
  });
});

describe('the error', () => {
  it('lists every problem with its place, in one text', () => {
    const error = errorOf(() =>
      load({
        jobs: [
          job(
            { schedule: '0 30 23 * *', scedule: 1, mode: 'fulll', timeZone: 'Mars', name: 'A B' },
            { containers: ['IMG'], exclud: [], include: ['[a'] },
          ),
          job({ name: '%NOWHERE%', destination: undefined }),
          job({ method: 7 }, {}, { container: 'Backup' }),
        ],
        job: [],
      }),
    );
    expect(error.problems.map(({ place }) => place)).toEqual([
      'job',
      'jobs[0].name',
      'jobs[0].schedule',
      'jobs[0].timeZone',
      'jobs[0].mode',
      'jobs[0].source.containers[0]',
      'jobs[0].source.include[0]',
      'jobs[0].source.exclud',
      'jobs[0].scedule',
      'jobs[1].name',
      'jobs[1].destination',
      'jobs[2].destination.container',
      'jobs[2].method',
    ]);
    expect(error.message).toContain('There are 13 problems in strongroom.json:');
    expect(error.message).toContain('\n  - jobs[0].schedule: "0 30 23 * *" has 5 fields; ');
    expect(error.message).toContain('jobs[0].source.exclud: this option does not exist; did you mean "exclude"?');
    expect(error.message).toContain('jobs[0].scedule: this option does not exist; did you mean "schedule"?');
    expect(error.message).toContain('job: this option does not exist; did you mean "jobs"?');
    expect(error.message).toContain('did you mean "full"?');
    expect(error.message).toContain('refers to the app setting "NOWHERE", which is not set');
    expect(error.message).toContain('jobs[1].destination: this option is missing');
  });

  it('finds what is wrong between jobs, even if other parts of them are wrong as well', () => {
    const found = problems({
      jobs: [job({ schedule: 'x' }), job({ method: 'x' }, { account: 'NEW' }, { container: 'all' })],
    });
    expect(found).toEqual([
      expect.stringMatching(/^jobs\[0\]\.schedule: /),
      expect.stringMatching(/^jobs\[1\]\.method: /),
      expect.stringMatching(/^jobs\[1\]\.name: jobs\[0\] already has the name "nightly"/),
      expect.stringMatching(/^jobs\[1\]\.source\.account: .*"NEW__blobServiceUri"/),
      expect.stringMatching(/^jobs\[1\]\.destination\.container: "all" is the same destination for several/),
    ]);
  });

  it.each([
    ['{"jobs": [\n  {"name": "x",}\n]}', 'line 2, column 16', 'an extra comma'],
    ['', 'line 1, column 1', 'empty'],
    ['{"jobs": [', 'line 1, column 11', 'ends too early'],
    ['{\r\n  // all\r\n}', 'line 2, column 3', 'does not allow comments'],
    ["{'jobs'", 'line 1, column 2', 'double quotes'],
    ['{"a" "b"}', 'line 1, column 6', 'missing'],
    ['{"a": 01}', 'line 1, column 8', 'unexpected "1"'],
    ['{"a": nul}', 'line 1, column 7', 'unexpected "n"'],
  ])('names line and column of %j', (text, place, words) => {
    const [problem, ...more] = errorOf(() => load(text)).problems;
    expect(more).toEqual([]);
    expect(problem).toEqual({ place, message: expect.stringContaining(words) });
  });

  it.each([
    'null',
    '[]',
    '1',
    '"x"',
    '{}',
    '{"jobs":{}}',
    '{"jobs":[]}',
    '{"jobs":[1]}',
    '{"__proto__":1,"jobs":[]}',
    '['.repeat(50_000) + ']'.repeat(50_000),
  ])('has a place for what is not a configuration at all: %.40s', (text) => {
    for (const { place, message } of errorOf(() => load(text)).problems) {
      expect(place).not.toBe('');
      expect(message).not.toBe('');
    }
  });

  it('sees an option called __proto__ as the unknown one that it is', () => {
    const { source, destination } = job();
    const text = JSON.stringify({ jobs: [{ name: 'a', proto: { source, destination } }] }).replace(
      'proto',
      '__proto__',
    );
    expect(errorOf(() => load(text)).problems.map(({ place }) => place)).toEqual([
      'jobs[0].source',
      'jobs[0].destination',
      'jobs[0].__proto__',
    ]);
  });

  it('is the only thing thrown, whatever the JSON', () => {
    const anyText = fc.oneof(
      fc.constantFrom(
        'SOURCE',
        'VAULT',
        '*',
        '%SOURCE%',
        '{container}',
        'strongroom',
        '$web',
        'nightly',
        '0 30 23 * * *',
        '__proto__',
      ),
      fc.string(),
    );
    const anything = fc.oneof(anyText, fc.anything(), fc.jsonValue());
    const key = fc.constantFrom(
      'name',
      'schedule',
      'timeZone',
      'mode',
      'source',
      'destination',
      'method',
      'retention',
      'verify',
      'events',
      'receipts',
      'reconcile',
      '__proto__',
      'x',
    );
    const half = fc.record(
      {
        account: anything,
        containers: fc.oneof(fc.array(anyText), anything),
        container: anything,
        prefix: anything,
        include: fc.array(anyText),
        exclude: anything,
      },
      { requiredKeys: [] },
    );
    const oneJob = fc
      .tuple(fc.dictionary(key, anything), half, half)
      .map(([some, source, destination]) => ({ source, destination, ...some }));
    const list = fc.oneof(fc.array(oneJob), anything);
    const lists = fc.record({ jobs: list, archives: list }, { requiredKeys: [] });
    let wrong = 0;
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), lists), (value) => {
        let text: string | undefined;
        try {
          text = JSON.stringify(value);
        } catch {
          // A BigInt, or something that contains itself, is no JSON.
        }
        fc.pre(text !== undefined);
        try {
          load(text!);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError);
          const { problems } = error as ConfigurationError;
          expect(problems.length).toBeGreaterThan(0);
          expect(problems.filter(({ place, message }) => place === '' || message === '')).toEqual([]);
          wrong++;
        }
      }),
      { numRuns: 1000 },
    );
    expect(wrong).toBeGreaterThan(500);
  });
});

describe('accounts', () => {
  const both = { ...SETTINGS, VAULT: SETTINGS.SOURCE };
  it.each<[string, Record<string, string | undefined>, string]>([
    [
      'no setting',
      { ...SETTINGS, SOURCE: undefined },
      'add "SOURCE" with a connection string, or "SOURCE__blobServiceUri"',
    ],
    ['an empty setting', { ...SETTINGS, SOURCE: ' ' }, 'add "SOURCE"'],
    ['two ways', both, '"VAULT" and "VAULT__blobServiceUri" are both set'],
    ['no account name', { ...SETTINGS, SOURCE: `AccountKey=${KEY}` }, 'lacks AccountName'],
    ['neither name nor key', { ...SETTINGS, SOURCE: KEY }, 'lacks AccountName and AccountKey'],
    ['a key cut off', { ...SETTINGS, SOURCE: `AccountName=abc;AccountKey=${KEY.slice(0, -3)}` }, 'not valid Base64'],
    ['a wrong name', { ...SETTINGS, SOURCE: `AccountName=A_B;AccountKey=${KEY}` }, 'invalid AccountName'],
    [
      'a wrong endpoint',
      { ...SETTINGS, SOURCE: `AccountName=abc;AccountKey=${KEY};BlobEndpoint=nowhere` },
      'blob endpoint',
    ],
    [
      'a URI that is none',
      { ...SETTINGS, VAULT__blobServiceUri: 'vault1' },
      '"VAULT__blobServiceUri" is not an address',
    ],
    ['plain http', { ...SETTINGS, VAULT__blobServiceUri: 'http://a.b' }, 'https://'],
    ['a signature in the URI', { ...SETTINGS, VAULT__blobServiceUri: `https://a.b/?sig=${KEY}` }, 'without query'],
    ['a wrong table URI', { ...SETTINGS, VAULT__tableServiceUri: `https://a:${KEY}@b` }, '"VAULT__tableServiceUri"'],
    ['another credential', { ...SETTINGS, VAULT__credential: KEY }, '"VAULT__credential" must be "managedidentity"'],
  ])('are refused with %s, and nothing secret is repeated', (_, settings, words) => {
    const found = problems({ jobs: [job()] }, settings);
    expect(found).toEqual([expect.stringContaining(words)]);
    expect(found.join()).not.toContain(KEY.slice(0, 12));
  });

  it('are complained of once, where they are named first', () => {
    const jobs = [job(), job({ name: 'two' }, { containers: ['abc'] }, { container: 'two' })];
    expect(problems({ jobs }, {}).map((text) => text.split(':')[0])).toEqual([
      'jobs[0].source.account',
      'jobs[0].destination.account',
    ]);
  });

  it('keep their keys out of messages also when a setting was put in the wrong place', () => {
    const error = errorOf(() =>
      load({ jobs: [job({ schedule: '%SOURCE%', name: '%SOURCE%', mode: '%SOURCE%' }, { containers: ['%SOURCE%'] })] }),
    );
    expect(error.problems.length).toBeGreaterThan(3);
    expect(error.message + JSON.stringify(error.problems)).not.toContain(KEY.slice(0, 12));
  });
});

describe('a destination inside its source', () => {
  const same = { account: 'SOURCE' };
  const again = { ...SETTINGS, VAULT__blobServiceUri: undefined };

  it.each([
    [['*'], '{container}backup'],
    [['abc'], 'abc'],
    [['abc', 'abcbackup'], '{container}backup'],
    [['a*'], '{container}'],
    [['abc-*'], 'abc-{container}'],
  ])('is refused: %j into %s', (containers, container) => {
    const found = problems({ jobs: [job({}, { containers }, { ...same, container })] });
    expect(found).toEqual([
      expect.stringMatching(
        /^jobs\[0\]\.destination: the destination is inside .*both are in SOURCE.*overlaps the source pattern/,
      ),
    ]);
  });

  it.each([
    [['abc'], 'abc-backup'],
    [['tenant-*'], 'b-{container}'],
  ])('is not: %j into %s', (containers, container) => {
    expect(load({ jobs: [job({}, { containers }, { ...same, container })] }).jobs).toHaveLength(1);
  });

  it.each([
    ['the same string', SETTINGS.SOURCE],
    ['an endpoint', `AccountName=source1;AccountKey=${KEY};BlobEndpoint=http://SOURCE1.blob.core.windows.net/`],
    [
      'a private link',
      `AccountName=source1;AccountKey=${KEY};BlobEndpoint=https://source1.privatelink.blob.core.windows.net`,
    ],
  ])('is seen through another alias, by %s', (_, VAULT) => {
    expect(problems({ jobs: [job()] }, { ...again, VAULT })).toEqual([
      expect.stringContaining('SOURCE and VAULT are the same account'),
    ]);
  });

  it('is seen by the secondary, which is no vault at all', () => {
    const VAULT = `AccountName=source1;AccountKey=${KEY};BlobEndpoint=https://source1-secondary.blob.core.windows.net:443`;
    expect(problems({ jobs: [job()] }, { ...again, VAULT })).toEqual([
      expect.stringContaining('SOURCE and VAULT are the same account'),
      expect.stringContaining('the app setting "VAULT" has the address of a secondary region'),
    ]);
  });

  it('is seen on an emulator, however it is addressed', () => {
    const emulator = (host: string, name: string) =>
      `AccountName=${name};AccountKey=${KEY};BlobEndpoint=http://${host}:10000/${name}`;
    const settings = (VAULT: string) => ({ SOURCE: 'UseDevelopmentStorage=true', VAULT });
    for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
      expect(problems({ jobs: [job()] }, settings(emulator(host, 'devstoreaccount1')))).toHaveLength(1);
      expect(load({ jobs: [job()] }, settings(emulator(host, 'devstoreaccount2'))).jobs).toHaveLength(1);
    }
  });

  it('is seen also where an account does not resolve', () => {
    expect(problems({ jobs: [job({}, {}, same)] }, {})).toEqual([
      expect.stringContaining('add "SOURCE"'),
      expect.stringContaining('is inside the source'),
    ]);
  });

  it('is seen over several jobs', () => {
    const back = job({ name: 'back' }, { account: 'VAULT' }, { account: 'SOURCE' });
    expect(problems({ jobs: [job(), back] })).toEqual([expect.stringContaining('jobs[0] → jobs[1] → jobs[0]')]);
    const chain = job({ name: 'on' }, { account: 'VAULT' }, { account: 'THIRD' });
    expect(
      load({ jobs: [job(), chain] }, { ...SETTINGS, THIRD__blobServiceUri: 'https://third.blob.core.windows.net' })
        .jobs,
    ).toHaveLength(2);
    const crossed = [
      job({}, { containers: ['data'] }, { container: 'data-of-a' }),
      job({ name: 'back' }, { account: 'VAULT', containers: ['data'] }, { account: 'SOURCE', container: 'data-of-b' }),
    ];
    expect(load({ jobs: crossed }).jobs).toHaveLength(2);
  });
});

describe('destinations', () => {
  it.each([
    [['abc'], 'strongroom', 'turns "abc" into "strongroom"'],
    [['*'], 'strong{container}', 'turns "room" into "strongroom"'],
    [['strongroom'], '{container}', 'turns "strongroom" into "strongroom"'],
    [['$web'], '{container}backup', 'turns "$web" into "$webbackup"'],
    [['abc', 'abd'], 'all', 'is the same destination for several'],
    [['a*'], 'all', 'is the same destination for several'],
  ])('%j into %s is refused', (containers, container, words) => {
    expect(problems({ jobs: [job({}, { containers }, { container })] })).toEqual([expect.stringContaining(words)]);
  });

  it.each([
    [['abc'], 'all', ''],
    [['abc', 'abc'], 'all', ''],
    [['*'], 'all', '{container}/'],
    [['*'], '{container}', ''],
    [['$web'], '{container}', ''],
    [['*', '$web'], 'all', '{container}/'],
  ])('%j into %s with prefix %j is taken', (containers, container, prefix) => {
    expect(load({ jobs: [job({}, { containers }, { container, prefix })] }).jobs).toHaveLength(1);
  });

  const settings = {
    ...SETTINGS,
    OTHER__blobServiceUri: 'https://other.blob.core.windows.net',
    SOURCE2: SETTINGS.SOURCE,
  };
  it.each<[string, object, object, object, object, boolean]>([
    ['other accounts, same template', {}, {}, { account: 'OTHER' }, {}, false],
    ['other accounts, other prefixes', {}, { prefix: 'a/' }, { account: 'OTHER' }, { prefix: 'b/' }, true],
    ['other accounts, one prefix in the other', {}, { prefix: 'a/' }, { account: 'OTHER' }, { prefix: 'a/b/' }, false],
    [
      'other accounts, containers that differ',
      { containers: ['abc'] },
      {},
      { account: 'OTHER', containers: ['abd'] },
      {},
      true,
    ],
    [
      'other accounts, templates that differ at the end',
      {},
      { container: '{container}-a' },
      { account: 'OTHER' },
      { container: '{container}-b' },
      true,
    ],
    ['the same source for both', { containers: ['abc'] }, {}, {}, {}, true],
    ['the same source by another alias', {}, {}, { account: 'SOURCE2' }, {}, true],
    [
      'one account, two containers, one place',
      { containers: ['abc'] },
      { container: 'all' },
      { containers: ['abd'] },
      { container: 'all' },
      false,
    ],
    [
      'one account, one container, one place',
      { containers: ['abc'] },
      { container: 'all' },
      { containers: ['abc'] },
      { container: 'all' },
      true,
    ],
  ])('of two jobs: %s', (_, source, destination, source2, destination2, right) => {
    const value = { jobs: [job({}, source, destination), job({ name: 'two' }, source2, destination2)] };
    if (right) expect(load(value, settings).jobs).toHaveLength(2);
    else
      expect(problems(value, settings)).toEqual([
        expect.stringMatching(/^jobs\[1\]\.destination: jobs\[0\] copies from another source/),
      ]);
  });
});

describe('retention', () => {
  const pruned = (retention: unknown, settings?: Record<string, string>) =>
    load({ jobs: [job({ retention })] }, settings);
  const wrong = (retention: unknown, settings?: Record<string, string>) =>
    problems({ jobs: [job({ retention })] }, settings);

  it('is not there unless it is asked for', () => {
    expect(load({ jobs: [job()] }).jobs[0]).not.toHaveProperty('retention');
  });

  it('has its defaults filled in', () => {
    expect(pruned({ keepLast: 3 }).jobs[0]!.retention).toEqual({
      keepLast: 3,
      marginHours: 24,
      brake: { percent: 50, blobs: 100, days: 30 },
    });
    expect(pruned({ keepWithin: '30d', brake: { blobs: 5 } }).jobs[0]!.retention).toMatchObject({
      brake: { percent: 50, blobs: 5 },
    });
  });

  it('may say everything', () => {
    const retention = {
      keepLast: 1,
      keepDaily: 7,
      keepWeekly: 4,
      keepMonthly: 12,
      keepYearly: 10_000,
      keepWithin: '12h',
      schedule: '0 0 4 * * *',
      marginHours: 0.5,
      account: 'VAULT',
      brake: { percent: 1, blobs: 1, days: 1 },
    };
    expect(pruned(retention).jobs[0]!.retention).toEqual(retention);
  });

  it.each([{}, { schedule: '0 0 4 * * *' }, { keepNothing: 1 }, { marginHours: 'x' }])(
    '%j is refused, as no rule says what to keep',
    (given) => {
      expect(wrong(given)).toContainEqual(
        expect.stringMatching(
          /^jobs\[0\]\.retention: no rule keeps any restore point; add at least one of "keepLast", /,
        ),
      );
    },
  );

  it.each([1e12, 87_601, -0.1, '24', null])('has no margin of %j hours', (marginHours) => {
    expect(wrong({ keepLast: 1, marginHours }).join()).toContain('marginHours: this must be a number of hours from 0');
  });

  it('reports every problem at once, with its path', () => {
    const found = wrong({
      keepDayly: 7,
      keepLast: 0,
      keepDaily: 1.5,
      keepWeekly: '4',
      keepMonthly: 10_001,
      keepYearly: 1e308,
      keepWithin: '1 month',
      schedule: 'x',
      marginHours: -1,
      account: 'not an alias',
      brake: { percent: 101, blob: 3, blobs: 0 },
    });
    const count = (most: number) => `this must be a whole number from 1 to ${most}`;
    expect(found.map((text) => text.replace('jobs[0].retention.', ''))).toEqual([
      `keepLast: ${count(10_000)}`,
      `keepDaily: ${count(10_000)}`,
      `keepWeekly: ${count(10_000)}`,
      `keepMonthly: ${count(10_000)}`,
      `keepYearly: ${count(10_000)}`,
      expect.stringContaining('keepWithin: "1 month" is not a duration; '),
      expect.stringContaining('schedule: "x" has 1 field; '),
      'marginHours: this must be a number of hours from 0 to 87600, which are ten years',
      expect.stringContaining('account: an account alias is the name of an app setting'),
      `brake.percent: ${count(100)}`,
      `brake.blobs: ${count(1_000_000_000)}`,
      'brake.blob: this option does not exist; did you mean "blobs"?',
      'keepDayly: this option does not exist; did you mean "keepDaily"?',
    ]);
    expect(wrong([])).toEqual(['jobs[0].retention: this must be an object { … }']);
  });

  const vault = (host: string) => ({
    ...SETTINGS,
    PRUNER__blobServiceUri: `https://${host}`,
    PRUNER__clientId: CLIENT,
  });

  it('may name another way to the vault to prune by', () => {
    const { accounts } = pruned({ keepLast: 1, account: 'PRUNER' }, vault('VAULT1.blob.core.windows.net/'));
    expect(accounts.get('PRUNER')).toMatchObject({ alias: 'PRUNER', clientId: CLIENT });
  });

  it('never prunes in another account than the one that is copied to', () => {
    const other = 'jobs[0].retention.account: PRUNER is not the same storage account as VAULT, which the job copies to';
    expect(wrong({ keepLast: 1, account: 'PRUNER' }, vault('vault2.blob.core.windows.net'))).toEqual([
      expect.stringContaining(other),
    ]);
    expect(wrong({ account: 'PRUNER' }, vault('vault2.blob.core.windows.net'))).toEqual([
      expect.stringContaining('no rule keeps any restore point'),
      expect.stringContaining(other),
    ]);
    expect(wrong({ keepLast: 1, account: 'SOURCE' })).toEqual([
      expect.stringContaining('SOURCE is not the same storage account as VAULT'),
    ]);
    expect(wrong({ keepLast: 1, account: 'NOWHERE' })).toEqual([
      expect.stringMatching(/^jobs\[0\]\.retention\.account: the account "NOWHERE" has no app setting/),
    ]);
  });
});

describe('verify', () => {
  const verified = (verify: unknown) => load({ jobs: [job({ verify })] }).jobs[0]!.verify;
  const wrong = (verify: unknown) => problems({ jobs: [job({ verify })] });

  it('is not there unless it is asked for, and has its defaults then', () => {
    expect(load({ jobs: [job()] }).jobs[0]).not.toHaveProperty('verify');
    expect(verified({ afterRun: 'deep' })).toEqual({ afterRun: 'deep', kind: 'quick', portion: '100%' });
    const all = { afterRun: 'quick', schedule: '0 0 5 * * *', kind: 'deep', portion: '1/7' };
    expect(verified(all)).toEqual(all);
  });

  it('is refused with the place of each problem', () => {
    expect(wrong({ kind: 'deep' })).toEqual([
      expect.stringMatching(/^jobs\[0\]\.verify: no time to verify is set; add "afterRun", "schedule" or both/),
    ]);
    expect(wrong({ after: 'x', afterRun: 'quik', schedule: '', kind: 1, portion: '0%' })).toEqual([
      'jobs[0].verify.afterRun: this must be "quick" or "deep"; did you mean "quick"?',
      expect.stringContaining('jobs[0].verify.schedule: the schedule is empty'),
      'jobs[0].verify.kind: this must be "quick" or "deep"',
      expect.stringContaining('jobs[0].verify.portion: "0%" is not a portion; '),
      'jobs[0].verify.after: this option does not exist; the options are "afterRun", "schedule", "kind", "portion", "expect", "ping"',
    ]);
  });
});

describe('further accounts', () => {
  it('are resolved, and named once', () => {
    const settings = { ...SETTINGS, THIRD__blobServiceUri: 'https://third.blob.core.windows.net' };
    const { accounts, otherAccounts } = load({ jobs: [job()], accounts: ['THIRD', 'SOURCE', 'THIRD'] }, settings);
    expect(otherAccounts).toEqual(['THIRD', 'SOURCE']);
    expect([...accounts.keys()]).toEqual(['SOURCE', 'VAULT', 'THIRD']);
  });

  it('are complained of where they are named', () => {
    expect(problems({ jobs: [job()], accounts: ['NOWHERE', 'a b', 7] })).toEqual([
      expect.stringMatching(/^accounts\[1\]: an account alias is the name of an app setting/),
      'accounts[2]: this must be a string in quotes',
      expect.stringMatching(/^accounts\[0\]: the account "NOWHERE" has no app setting/),
    ]);
    expect(problems({ jobs: [job()], accounts: 'SOURCE' })).toEqual(['accounts: this must be a list [ … ]']);
  });
});

describe('readConfiguration', () => {
  function folders() {
    const root = mkdtempSync(join(tmpdir(), 'strongroom-'));
    onTestFinished(() => rmSync(root, { recursive: true }));
    const [cwd, appRoot] = [join(root, 'cwd'), join(root, 'app')];
    for (const folder of [cwd, appRoot]) mkdirSync(folder);
    return { cwd, appRoot };
  }
  const named = (name: string) => JSON.stringify({ jobs: [job({ name })] });

  it('prefers the file that is named, then the working directory, then the app', () => {
    const { cwd, appRoot } = folders();
    const first = (env = {}) => readConfiguration({ env: { ...SETTINGS, ...env }, cwd, appRoot }).jobs[0]!.name;
    writeFileSync(join(appRoot, 'strongroom.json'), named('app'));
    expect(first()).toBe('app');
    writeFileSync(join(cwd, 'strongroom.json'), named('cwd'));
    expect(first()).toBe('cwd');
    writeFileSync(join(cwd, 'other.json'), named('other'));
    expect(first({ STRONGROOM_CONFIG: 'other.json' })).toBe('other');
    expect(first({ STRONGROOM_CONFIG: join(cwd, 'other.json') })).toBe('other');
  });

  it('shows what a file looks like when there is none', () => {
    const { cwd, appRoot } = folders();
    const error = errorOf(() => readConfiguration({ env: {}, cwd, appRoot }));
    expect(error.message).toContain(join(cwd, 'strongroom.json'));
    expect(error.message).toContain(join(appRoot, 'strongroom.json'));
    const example = error.message.slice(error.message.indexOf('{\n'));
    expect(load(example).jobs).toHaveLength(1);
    writeFileSync(join(cwd, 'strongroom.json'), named('cwd'));
    const gone = errorOf(() => readConfiguration({ env: { STRONGROOM_CONFIG: 'gone.json' }, cwd, appRoot }));
    expect(gone.message).toContain(join(cwd, 'gone.json'));
  });

  it('says so when the file cannot be read', () => {
    const { cwd, appRoot } = folders();
    expect(errorOf(() => readConfiguration({ env: { STRONGROOM_CONFIG: '.' }, cwd, appRoot })).message).toContain(
      'cannot be read',
    );
  });
});

describe('jsonErrorOffset', () => {
  it('finds an error exactly where there is one', () => {
    const broken = fc
      .tuple(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', ',', '}', ']', '"', '\\', '0', 'e', ':', '{', '\n', '-', '\u0001'),
      )
      .map(([text, at, put]) => {
        const place = at % (text.length + 1);
        return text.slice(0, place) + put + text.slice(place + 1);
      });
    let errors = 0;
    fc.assert(
      fc.property(broken, (text) => {
        let message: string | undefined;
        try {
          JSON.parse(text);
        } catch (error) {
          message = (error as Error).message;
          errors++;
        }
        const offset = jsonErrorOffset(text);
        expect(offset === undefined).toBe(message === undefined);
        // Where the engine names a position, it is there or, within a text or number, behind its beginning.
        const said = /at position (\d+)/.exec(message ?? '')?.[1];
        if (said !== undefined) expect(/^[^{}[\],:]*$|^"/.test(text.slice(offset, Number(said)))).toBe(true);
        if (said !== undefined) expect(offset).toBeLessThanOrEqual(Number(said));
      }),
      { numRuns: 5000 },
    );
    expect(errors).toBeGreaterThan(1000);
  });

  it('counts lines and columns from 1', () => {
    expect(lineAndColumn('a\nb\r\nc', 0)).toEqual({ line: 1, column: 1 });
    expect(lineAndColumn('a\nb\r\nc', 5)).toEqual({ line: 3, column: 1 });
    expect(lineAndColumn('a\rbc', 3)).toEqual({ line: 2, column: 2 });
  });
});

describe('repeatedKeys', () => {
  it('finds none in what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
        expect(repeatedKeys(JSON.stringify(value, null, indent))).toEqual([]);
      }),
    );
  });

  it('finds the one that is there twice, at any depth, in any spelling', () => {
    const escaped = (key: string) =>
      `"${Array.from({ length: key.length }, (_, at) => `\\u${key.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`;
    const key = fc.oneof(fc.constantFrom('jobs', '__proto__', '', '"', '\\'), fc.string());
    const scene = fc.record({
      key,
      /** What the object is in, from the outside: objects by key, and lists. */
      around: fc.array(fc.oneof(fc.constant(undefined), key), { maxLength: 6 }),
      isEscaped: fc.boolean(),
      values: fc.tuple(fc.json(), fc.json()),
    });
    fc.assert(
      fc.property(scene, ({ key, around, isEscaped, values }) => {
        const before = around.map((each) => (each === undefined ? '[0, ' : `{${JSON.stringify(each)}: `)).join('');
        const after = around.map((each) => (each === undefined ? ']' : '}')).reverse();
        const other = JSON.stringify(`${key}, too`);
        const start = `${before}{${JSON.stringify(key)}: ${values[0]},\n ${other}: 0, `;
        const text = `${start}${isEscaped ? escaped(key) : JSON.stringify(key)}: ${values[1]}}${after.join('')}`;
        const path = [...around.map((each) => each ?? 1), key];
        expect(repeatedKeys(text)).toEqual([{ path, offset: start.length, first: before.length + 1 }]);
      }),
    );
  });

  it('is a problem of the file for each of them, with path and line, beside all others', () => {
    const text = `{
      "jobs": [{ "name": "lost" }],
      "accounts": [1],
      "\\u006aobs": [{
        "name": "nightly",
        "source": { "account": "SOURCE", "containers": ["*"], "account": "SOURCE",
          "account": "SOURCE" },
        "destination": { "account": "VAULT", "container": "{container}backup" }
      }]
    }`;
    const again = (line: number, first: number) =>
      `line ${line} has this key again, after line ${first}, and only the last value would count; merge the two, or remove one`;
    expect(problems(text)).toEqual([
      `jobs: ${again(4, 2)}`,
      'accounts[0]: this must be a string in quotes',
      `jobs[0].source.account: ${again(6, 6)}`,
      `jobs[0].source.account: ${again(7, 6)}`,
    ]);
  });

  it('is a problem of limits as well', () => {
    expect(errorOf(() => readLimits('{"copyMs": 5, "copyM\\u0073": 0}')).problems).toEqual([
      { place: 'copyMs', message: expect.stringContaining('line 1 has this key again') },
      { place: 'copyMs', message: expect.stringContaining('greater than 0') },
    ]);
  });
});
