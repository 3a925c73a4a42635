import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfiguration, readConfiguration } from '#config/configuration.ts';
import { ConfigurationError } from '#config/configuration-error.ts';
import { readLimits } from '#config/limits.ts';
import { retentionProblem } from '#domain/prune/retention.ts';
import { parsePortion } from '#domain/verify/portion.ts';

const KEY = Buffer.alloc(64, 'the canary key that must never be shown to anybody at all').toString('base64');
const SIGNATURE = 'CanarySignature1234567890abcdefghijklmnopqrs%3D';
const SETTINGS: Record<string, string> = {
  SOURCE: `DefaultEndpointsProtocol=https;AccountName=source1;AccountKey=${KEY};EndpointSuffix=core.windows.net`,
  VAULT:
    'BlobEndpoint=https://vault1.blob.core.windows.net/;SharedAccessSignature=' +
    `sv=2025-01-05&ss=b&srt=sco&sp=rwlt&se=2126-01-01&sig=${SIGNATURE}`,
  OTHER__blobServiceUri: 'https://other1.blob.core.windows.net',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
};

const configuration = () => ({
  $schema: './strongroom.schema.json',
  jobs: [
    {
      name: 'nightly',
      schedule: '0 30 23 * * *',
      timeZone: 'Europe/Berlin',
      mode: 'incremental',
      source: {
        account: 'SOURCE',
        containers: ['images', 'tenant-*'],
        prefix: 'a/',
        include: ['**/*.jpg'],
        exclude: ['tmp/**'],
      },
      destination: { account: 'VAULT', container: '{container}backup', prefix: '{container}/' },
      method: 'auto',
      retention: {
        keepLast: 3,
        keepWithin: '30d',
        schedule: '0 0 4 * * *',
        marginHours: 24,
        account: 'VAULT',
        brake: { percent: 50, blobs: 100 },
      },
      verify: { afterRun: 'quick', schedule: '0 0 5 * * *', kind: 'deep', portion: '1/7' },
    },
    {
      name: 'weekly',
      source: { account: 'OTHER', containers: ['*'] },
      destination: { account: 'VAULT', container: 'other-{container}' },
    },
  ],
  archives: [
    {
      name: 'uploads',
      source: { account: 'SOURCE', container: 'incoming', prefix: 'a/', include: ['**/*.jpg'], exclude: ['tmp/**'] },
      destination: {
        account: 'VAULT',
        container: '{container}archive',
        prefix: '{container}/',
        tier: 'Archive',
        folders: 'version',
      },
      events: { blobTrigger: 'scan', queue: 'strongroom-uploads', queueAccount: 'AzureWebJobsStorage' },
      reconcile: '0 0 * * * *',
      timeZone: 'Europe/Berlin',
      method: 'auto',
      receipts: { keepDays: 90, account: 'VAULT' },
    },
  ],
  accounts: ['OTHER'],
});

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const deep = (depth: number): Json => JSON.parse(`${'[{"a":'.repeat(depth)}1${'}]'.repeat(depth)}`);

const NASTY: Json[] = [
  ...[
    null,
    true,
    false,
    0,
    -0,
    -1,
    0.5,
    1e308,
    2 ** 53,
    '',
    ' ',
    '\u0000',
    'NaN',
    'Infinity',
    '-1',
    '1e999',
    'null',
    'undefined',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    '\ud800',
    '\udc00x',
    '\ufeff',
    '\u202e',
    '\u001b[31m',
    '{container}',
    '%SOURCE%',
    '%VAULT%',
  ],
  ...[
    '%OTHER__blobServiceUri%',
    '%NONE%',
    '%%',
    '%__proto__%',
    '*',
    '**',
    '$web',
    '$root',
    '$logs',
    '..',
    '../x',
    'a\\b',
    '[',
    '{a',
    '!x',
    '/x',
  ],
  ...[
    'x'.repeat(100_000),
    '*'.repeat(500),
    '{a,b}'.repeat(100),
    '日'.repeat(70),
    'strongroom',
    'Images',
    'SOURCE',
    'VAULT',
    'OTHER',
  ],
  ...[
    '* * * * * *',
    '60 0 0 * * *',
    '0 0 0 31 2 *',
    '0 0 * * *',
    'Europe/Nowhere',
    'UTC+25',
    SETTINGS.SOURCE!,
    SETTINGS.VAULT!,
  ],
  ...[
    [],
    [[]],
    {},
    { a: {} },
    [null],
    ['a', 'a'],
    deep(5),
    deep(100),
    Array.from({ length: 2_000 }, (_, index) => index),
  ],
];

/** Every place in a JSON value that something can be done to; not the bottom of what is very deep. */
function placesOf(value: Json, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null || path.length > 8) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([key, item]) =>
      placesOf(item, [...path, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

interface Change {
  at: number;
  what: 'replace' | 'remove' | 'add' | 'double';
  key: string;
  nasty: number;
}

const anyChange: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(),
  what: fc.constantFrom('replace' as const, 'replace' as const, 'remove' as const, 'add' as const, 'double' as const),
  key: fc.oneof(
    fc.constantFrom(
      '__proto__',
      'constructor',
      'prototype',
      'hasOwnProperty',
      'Name',
      'jobs',
      'account',
      '',
      ' ',
      'x'.repeat(5_000),
    ),
    fc.string({ unit: 'binary' }),
  ),
  // By number: the values themselves are too large to be printed.
  nasty: fc.nat(NASTY.length - 1),
});

function change(root: Json, { at, what, key, nasty }: Change): Json {
  const value = structuredClone(NASTY[nasty]!);
  const places = placesOf(root);
  const path = places[at % places.length]!;
  if (path.length === 0) return what === 'replace' ? value : root;
  const parent = path.slice(0, -1).reduce<Json>((node, step) => (node as Record<string, Json>)[step]!, root) as Record<
    string,
    Json
  >;
  const last = path.at(-1)!;
  const own = (name: string | number, given: Json) =>
    Object.defineProperty(parent, name, { value: given, enumerable: true, configurable: true, writable: true });
  if (what === 'replace') own(last, value);
  else if (Array.isArray(parent)) {
    if (what === 'remove') parent.splice(Number(last), 1);
    else parent.push(what === 'double' ? structuredClone(parent[Number(last)]!) : value);
  } else if (what === 'remove') delete parent[last];
  else own(what === 'double' ? `${last}2` : key, what === 'double' ? parent[last]! : value);
  return root;
}

/** Changes to the text itself, which may leave it JSON or not. */
const anyTextChange = fc.oneof(
  fc.constant((text: string) => text),
  fc
    .constantFrom('\ufeff', '\ufeff\ufeff', '// comment\n', '/* comment */', '#', '\u0000', '\ufffe')
    .map((before) => (text: string) => before + text),
  fc
    .constantFrom(
      ',',
      '}',
      ']',
      '"',
      "'",
      '\\',
      '\u0000',
      'NaN',
      '/*',
      '\ud800',
      '\n',
      '1e',
      '"__proto__":{},',
      '"jobs":[],',
    )
    .chain((piece) =>
      fc
        .nat()
        .map(
          (at) => (text: string) => text.slice(0, at % (text.length + 1)) + piece + text.slice(at % (text.length + 1)),
        ),
    ),
  fc.nat().map((at) => (text: string) => text.slice(0, at % (text.length + 1))),
  fc.tuple(fc.nat(), fc.nat(30)).map(
    ([at, length]) =>
      (text: string) =>
        text.slice(0, at % text.length) + text.slice((at % text.length) + length),
  ),
);

const load = (text: string, settings: Record<string, string | undefined> = SETTINGS) =>
  loadConfiguration({ text, file: 'strongroom.json', settings });

/** The error, if it is one that may be thrown; undefined when the configuration was taken. */
function refusal(work: () => ReturnType<typeof load>): ConfigurationError | undefined {
  try {
    const { jobs, archives, accounts, otherAccounts } = work();
    expect(jobs.length + archives.length).toBeGreaterThan(0);
    for (const { source, destination, receipts } of archives) {
      expect(accounts.has(source.account) && accounts.has(destination.account)).toBe(true);
      expect(accounts.has(receipts?.account ?? destination.account)).toBe(true);
      expect(destination.tier === 'Archive' && destination.folders !== 'version').toBe(false);
    }
    for (const { source, destination, retention, verify } of jobs) {
      expect(accounts.has(source.account) && accounts.has(destination.account)).toBe(true);
      if (retention) {
        expect(retentionProblem(retention)).toBeUndefined();
        expect(retention.marginHours).toBeGreaterThanOrEqual(0);
        expect(accounts.has(retention.account ?? destination.account)).toBe(true);
      }
      if (verify) expect(parsePortion(verify.portion)).toBeDefined();
    }
    for (const alias of otherAccounts) expect(accounts.has(alias)).toBe(true);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    expect(error.problems.length).toBeGreaterThan(0);
    for (const { place, message } of error.problems) {
      expect(place.length * message.length).toBeGreaterThan(0);
      expect(error.message).toContain(`${place}: ${message}`);
    }
    return error;
  }
}

/** In whatever form somebody may have written it down. */
function expectNoSecret(error: Error | undefined, secrets: string[]): void {
  if (error === undefined) return;
  const shown = `${error.message}\n${error.stack}\n${JSON.stringify(error)}`;
  for (const secret of secrets) {
    for (const form of [
      secret,
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
      Buffer.from(secret).toString('base64'),
    ]) {
      expect(shown.includes(form), `${form} in ${error.message.slice(0, 500)}`).toBe(false);
    }
  }
}

describe('a configuration changed by chance', () => {
  it('is read, or refused with the place of each problem, and nothing else', () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.array(anyChange, { maxLength: 4 }), anyTextChange, (changes, changeText) => {
        const value = changes.reduce(change, configuration() as Json);
        const text = changeText(JSON.stringify(value, undefined, 1));
        const error = refusal(() => load(text));
        if (error === undefined) taken++;
        expectNoSecret(error, [KEY, SIGNATURE]);
      }),
      { numRuns: 600, seed: 5 },
    );
    expect(taken).toBeGreaterThan(20);
  });

  it('shows all of its problems at once', () => {
    const breakages: [string, (root: ReturnType<typeof configuration>) => void][] = [
      ['jobs[0].name', ({ jobs }) => Object.assign(jobs[0]!, { name: 'UPPER' })],
      ['jobs[0].schedule', ({ jobs }) => Object.assign(jobs[0]!, { schedule: 'now' })],
      ['jobs[0].timeZone', ({ jobs }) => Object.assign(jobs[0]!, { timeZone: 5 })],
      ['jobs[0].mode', ({ jobs }) => Object.assign(jobs[0]!, { mode: 'partial' })],
      ['jobs[0].extra', ({ jobs }) => Object.assign(jobs[0]!, { extra: null })],
      ['jobs[0].source.containers[1]', ({ jobs }) => jobs[0]!.source.containers.splice(1, 1, 'Not Valid')],
      ['jobs[0].source.include[0]', ({ jobs }) => Object.assign(jobs[0]!.source, { include: ['['] })],
      ['jobs[0].source.account', ({ jobs }) => Object.assign(jobs[0]!.source, { account: 'MISSING' })],
      ['jobs[0].destination.prefix', ({ jobs }) => Object.assign(jobs[0]!.destination, { prefix: '../{container}/' })],
      ['jobs[0].retention.keepLast', ({ jobs }) => Object.assign(jobs[0]!.retention!, { keepLast: 0 })],
      ['jobs[0].retention.keepWithin', ({ jobs }) => Object.assign(jobs[0]!.retention!, { keepWithin: '1w' })],
      ['jobs[0].retention.account', ({ jobs }) => Object.assign(jobs[0]!.retention!, { account: 'OTHER' })],
      ['jobs[0].retention.brake.percent', ({ jobs }) => Object.assign(jobs[0]!.retention!.brake, { percent: 0 })],
      ['jobs[0].verify.portion', ({ jobs }) => Object.assign(jobs[0]!.verify!, { portion: '5' })],
      ['jobs[1].retention', ({ jobs }) => Object.assign(jobs[1]!, { retention: { marginHours: 1 } })],
      ['jobs[1].verify', ({ jobs }) => Object.assign(jobs[1]!, { verify: {} })],
      ['accounts[0]', ({ accounts }) => accounts.splice(0, 1, 'NOT AN ALIAS')],
      ['jobs[1].name', ({ jobs }) => Object.assign(jobs[1]!, { name: '' })],
      ['jobs[1].source.prefix', ({ jobs }) => Object.assign(jobs[1]!.source, { prefix: '%NONE%' })],
      ['jobs[1].destination.container', ({ jobs }) => Object.assign(jobs[1]!.destination, { container: 'A_B' })],
      ['jobs[1].method', ({ jobs }) => Object.assign(jobs[1]!, { method: [] })],
      ['archives[0].name', ({ archives }) => Object.assign(archives[0]!, { name: 'nightly!' })],
      ['archives[0].source.container', ({ archives }) => Object.assign(archives[0]!.source, { container: '*' })],
      ['archives[0].destination.tier', ({ archives }) => Object.assign(archives[0]!.destination, { folders: 'day' })],
      ['archives[0].events.queue', ({ archives }) => Object.assign(archives[0]!.events, { queue: 'a-poison' })],
      ['archives[0].receipts.account', ({ archives }) => Object.assign(archives[0]!.receipts, { account: 'OTHER' })],
      ['another', (root) => Object.assign(root, { another: 1 })],
    ];
    fc.assert(
      fc.property(fc.subarray(breakages, { minLength: 1 }), (chosen) => {
        const root = configuration();
        for (const [, breakIt] of chosen) breakIt(root);
        const places = refusal(() => load(JSON.stringify(root)))?.problems.map(({ place }) => place);
        expect(places).toEqual(expect.arrayContaining(chosen.map(([place]) => place)));
      }),
      { numRuns: 100, seed: 6 },
    );
  });

  it.each([
    ['a text of 8 MB that is not closed', `{"jobs": "${'x'.repeat(8_000_000)}`],
    ['a text of 8 MB before the error', `{"jobs": "${'x'.repeat(8_000_000)}" oops`],
    ['a text of 8 MB of escapes before the error', `{"jobs": "${'\\n'.repeat(4_000_000)}" oops`],
    ['a number of 1 MB', `{"jobs": ${'1'.repeat(1_000_000)}`],
    ['many brackets', '['.repeat(200_000)],
    ['many objects', '{"a":'.repeat(200_000)],
    ['many jobs that are none', `{"jobs":[${'{},'.repeat(500)}{}]}`],
    ['deep nesting that is right', `{"jobs":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ])('of %s is refused', (_what, text) => {
    expect(refusal(() => load(text))).toBeInstanceOf(ConfigurationError);
  });

  it('has each option once: JSON would take the last, and drop the others without a word', () => {
    const text = JSON.stringify(configuration()).replace('"jobs":', '"jobs":[],"jobs":');
    expect(refusal(() => load(text))?.problems).toMatchObject([{ place: 'jobs' }]);
  });

  it('is read from any file, or refused', () => {
    const folder = mkdtempSync(join(tmpdir(), 'strongroom-fuzz-'));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'strongroom.json');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), fc.boolean(), (bytes, at, within) => {
        const text = Buffer.from(JSON.stringify(configuration()));
        const from = at % text.length;
        writeFileSync(file, within ? Buffer.concat([text.subarray(0, from), bytes, text.subarray(from)]) : bytes);
        const error = refusal(() => readConfiguration({ env: SETTINGS, cwd: folder, appRoot: folder }));
        expectNoSecret(error, [KEY, SIGNATURE]);
      }),
      { numRuns: 200, seed: 7 },
    );
  });
});

describe('app settings changed by chance', () => {
  const anyParts = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          'AccountName=source1',
          'AccountName=',
          'AccountName',
          'UseDevelopmentStorage=true',
          'UseDevelopmentStorage=True',
        ),
        fc.constantFrom(
          `AccountKey=${KEY}`,
          `accountkey=${KEY}`,
          ` AccountKey = ${KEY} `,
          `AccountKey=${KEY}!`,
          `AccountKey="${KEY}"`,
          `AccountKey:${KEY}`,
          KEY,
        ),
        fc.constantFrom(
          `SharedAccessSignature=sv=1&se=2126-01-01&sig=${SIGNATURE}`,
          `SharedAccessSignature=?sig=${SIGNATURE}`,
          `sig=${SIGNATURE}`,
        ),
        fc.constantFrom(
          'BlobEndpoint=https://a.blob.core.windows.net/',
          'BlobEndpoint=ftp://a',
          `BlobEndpoint=https://a/?sig=${SIGNATURE}`,
          `BlobEndpoint=https://u:${KEY}@a/`,
          'BlobEndpoint=x',
        ),
        fc.constantFrom(
          'DefaultEndpointsProtocol=https',
          'DefaultEndpointsProtocol=',
          'EndpointSuffix=',
          'EndpointSuffix=a b',
          'TableEndpoint=x',
          '=',
          ';;',
          '\n',
          '\u0000',
        ),
      ),
      { maxLength: 6 },
    )
    .map((parts) => parts.join(';'));
  const anyConnection = fc.oneof(
    { weight: 4, arbitrary: anyParts },
    { weight: 1, arbitrary: fc.constantFrom(SETTINGS.SOURCE!, SETTINGS.VAULT!) },
  );
  const anySettings = fc.record(
    {
      SOURCE: anyConnection,
      SOURCE__blobServiceUri: fc.constantFrom(
        'https://a.blob.core.windows.net',
        `https://a/?sig=${SIGNATURE}`,
        `https://u:${KEY}@a`,
        'http://a',
        'x',
        ' ',
      ),
      SOURCE__tableServiceUri: fc.constantFrom('https://a.table.core.windows.net', `x?sig=${SIGNATURE}`),
      SOURCE__credential: fc.constantFrom('managedidentity', `AccountKey=${KEY}`),
      VAULT: fc.oneof(fc.constant(SETTINGS.VAULT!), anyConnection),
    },
    { requiredKeys: [] },
  );

  it('reach the accounts, or are refused, and what they hold is never shown', () => {
    const text = JSON.stringify({ jobs: configuration().jobs.slice(0, 1) });
    let taken = 0;
    fc.assert(
      fc.property(anySettings, (settings) => {
        const error = refusal(() => load(text, settings));
        if (error === undefined) taken++;
        expectNoSecret(error, [KEY, SIGNATURE]);
      }),
      { numRuns: 600, seed: 8 },
    );
    expect(taken).toBeGreaterThan(5);
  });

  it('put into the wrong place are not shown either', () => {
    fc.assert(
      fc.property(anySettings, fc.array(anyChange, { maxLength: 2 }), fc.nat(), (settings, changes, at) => {
        const value = changes.reduce(change, configuration() as Json);
        const misplaced = change(value, { at, what: 'replace', key: '', nasty: NASTY.indexOf('%SOURCE%') });
        expectNoSecret(
          refusal(() => load(JSON.stringify(misplaced), { ...settings, SOURCE: SETTINGS.SOURCE! })),
          [KEY, SIGNATURE],
        );
      }),
      { numRuns: 150, seed: 9 },
    );
  });
});

describe('limits changed by chance', () => {
  const names = Object.keys(readLimits(undefined));
  const anyLimits = fc.oneof(
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc
      .dictionary(
        fc.oneof(fc.constantFrom(...names, '__proto__', 'constructor'), fc.string()),
        fc.oneof(fc.double(), fc.constantFrom(0, -1, 0.5, 1, 'x', null, '1', true, [], {})),
      )
      .map((value) => JSON.stringify(value)),
    fc.string(),
    fc.constantFrom(
      '{',
      '{"sliceBlobs":1e400}',
      '{"__proto__":{"sliceBlobs":1}}',
      '{"sliceBlobs":NaN}',
      '\ufeff{}',
      ' ',
      'undefined',
    ),
  );

  it('are whole numbers above 0, or refused with the name of the setting', () => {
    fc.assert(
      fc.property(anyLimits, (text) => {
        let limits: ReturnType<typeof readLimits>;
        try {
          limits = readLimits(text);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError);
          expect((error as Error).message).toContain('STRONGROOM_LIMITS');
          return;
        }
        expect(Object.keys(limits)).toEqual(names);
        for (const value of Object.values(limits)) expect(Number.isSafeInteger(value) && value > 0).toBe(true);
      }),
      { numRuns: 1_500, seed: 10 },
    );
  });

  it.each(['null', 'true', '5', '[]', '""', '{"copiesAtOnce":0.5}', '{"sliceBlobs":1e400}'])(
    '%s is refused',
    (text) => {
      expect(() => readLimits(text)).toThrow(ConfigurationError);
    },
  );
});
