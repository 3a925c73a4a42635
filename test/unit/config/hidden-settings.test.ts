import { describe, expect, it, test } from 'vitest';
import { loadConfiguration } from '#config/configuration.ts';
import { ConfigurationError } from '#config/configuration-error.ts';

const ACCOUNTS = {
  SOURCE: 'DefaultEndpointsProtocol=https;AccountName=source1;AccountKey=a2V5;EndpointSuffix=core.windows.net',
  VAULT: 'DefaultEndpointsProtocol=https;AccountName=vault1;AccountKey=a2V5;EndpointSuffix=core.windows.net',
};

function configuration() {
  const source = {
    account: 'SOURCE',
    containers: ['images', 'tenant-*'],
    prefix: '',
    exclude: ['*.tmp'],
    tables: ['orders'],
  };
  const destination = { account: 'VAULT', container: '{container}backup', prefix: 'p/' };
  const rule = { account: 'SOURCE', container: 'incoming', include: ['*'] };
  return {
    jobs: [
      { name: 'one', schedule: '0 0 0 * * *', timeZone: 'UTC', mode: 'full', method: 'auto', source, destination },
      {
        name: 'two',
        source: { account: 'SOURCE', containers: ['docs'] },
        destination,
        retention: { account: 'VAULT', keepLast: 3 },
      },
    ],
    archives: [
      {
        name: 'uploads',
        source: rule,
        destination: { account: 'VAULT', container: '{container}archive', folders: 'none', tier: 'Hot' },
        events: { queue: 'queue', queueAccount: 'EVENTS', blobTrigger: 'scan' },
        reconcile: '0 0 * * * *',
        receipts: { account: 'VAULT', keepDays: 1 },
      },
    ],
    accounts: ['VAULT'],
  };
}

function problems(value: unknown, settings: Record<string, string>): string {
  try {
    loadConfiguration({ text: JSON.stringify(value), file: 'strongroom.json', settings: { ...ACCOUNTS, ...settings } });
    return '';
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
}

/** The configuration with a text in the place of each of its texts, one after another. */
function* replaced(text: string, node: unknown = configuration()): Generator<unknown> {
  if (typeof node === 'string') yield text;
  else if (Array.isArray(node)) {
    for (const [index, item] of node.entries()) for (const each of replaced(text, item)) yield node.with(index, each);
  } else if (typeof node === 'object' && node !== null) {
    for (const [key, item] of Object.entries(node))
      for (const each of replaced(text, item)) yield { ...node, [key]: each };
  }
}

describe('what an app setting holds is in no message, wherever it is named', () => {
  test.each([
    'Hunter2-Pass!word',
    'hunter2',
    'HUNTER_2',
    'hunter2 pass word',
    '0 0 hunter2 * * *',
    '{container}hunter2backup',
    'strongroom-hunter2-{container}',
    'hunter2*',
    '-hunter2-',
    'images',
    `DefaultEndpointsProtocol=https;AccountName=hunter2;AccountKey=aHVudGVyMg==`,
  ])('%s', (secret) => {
    const hidden = /hunter|pass.?word|aHVu/i;
    let wrong = 0;
    for (const text of ['%DBPASS%', 'x%DBPASS%', '%DBPASS%{container}', '%DBPASS%-%DBPASS%*']) {
      for (const value of replaced(text)) {
        const message = problems(value, { DBPASS: secret });
        expect(message).not.toMatch(hidden);
        if (message.includes('"DBPASS"')) wrong++;
      }
    }
    expect(wrong).toBeGreaterThan(10);
  });
});

describe('a message says which settings are to be looked at', () => {
  it('in the place of one option', () => {
    const value = configuration();
    value.jobs[0]!.schedule = '%WHEN%';
    expect(problems(value, { WHEN: 'at night' })).toMatch(
      /jobs\[0\]\.schedule: this is not valid with the app setting "WHEN" in place; what an app setting holds/,
    );
    expect(problems(value, {})).toMatch(/jobs\[0\]\.schedule: "%WHEN%" refers to the app setting "WHEN"/);
    value.jobs[0]!.schedule = '%WHEN% %GONE%';
    expect(problems(value, { WHEN: 'at night' })).toMatch(/"%GONE%" refers to the app setting "GONE"/);
  });

  it('of several options together', () => {
    const value = configuration();
    value.jobs[0]!.destination = { account: 'VAULT', container: '%WHERE%', prefix: '' };
    expect(problems(value, { WHERE: 'hunter2' })).toMatch(
      /jobs\[0\]\.destination\.container: this does not fit other options with the app setting "WHERE" in place/,
    );
    value.jobs[1]!.source.containers = ['images'];
    value.jobs[1]!.source.account = '%FROM%';
    value.jobs[0]!.destination = value.jobs[1]!.destination;
    expect(problems(value, { FROM: 'VAULT' })).toMatch(
      /jobs\[1\]\.destination: this does not fit jobs\[0\] with the app setting "FROM" in place/,
    );
  });

  it('and stays as it is where no setting is concerned', () => {
    const value = configuration();
    value.jobs[0]!.schedule = '%WHEN%';
    value.jobs[0]!.timeZone = 'Mars/Olympus';
    expect(problems(value, { WHEN: '0 0 0 * * *' })).toMatch(/"Mars\/Olympus" is not a time zone/);
  });
});
