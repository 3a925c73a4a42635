import { describe, expect, it, test } from 'vitest';
import { loadConfiguration } from '#config/configuration.ts';
import { ConfigurationError } from '#config/configuration-error.ts';

const KEY = Buffer.alloc(64, 'a key that must never be seen').toString('base64');
const account = (name: string) => `DefaultEndpointsProtocol=https;AccountName=${name};AccountKey=${KEY}`;
const SAS = 'SharedAccessSignature=sv=2025-01-05&ss=bq&srt=sco&sp=rwlatup&se=2126-01-01&sig=abc';
const IDENTITY = { SOURCE__blobServiceUri: 'https://source1.blob.core.windows.net' };
const STORAGE = { AzureWebJobsStorage: account('sthost') };

/** The problems as `place: message`, with one rule for each of the events. */
function problems(settings: Record<string, string>, ...events: object[]): string[] {
  const archives = events.map((each, index) => ({
    name: `rule${index}`,
    source: { account: 'SOURCE', container: `incoming${index}` },
    destination: { account: 'VAULT', container: '{container}archive' },
    events: each,
  }));
  const jobs = [
    { name: 'nightly', source: { account: 'SOURCE', tables: ['orders'] }, destination: { account: 'VAULT' } },
  ];
  const text = JSON.stringify(archives.length > 0 ? { archives } : { jobs });
  try {
    loadConfiguration({ text, file: 'strongroom.json', settings: { VAULT: account('vault1'), ...settings } });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    expect(error.message).not.toContain(KEY.slice(0, 12));
    return error.problems.map(({ place, message }) => `${place}: ${message}`);
  }
}

const SCAN = { blobTrigger: 'scan' };
const QUEUE = { queue: 'uploads', queueAccount: 'UPLOAD' };

describe('a trigger has a connection', () => {
  it.each([
    [{ SOURCE: account('source1'), ...STORAGE }, SCAN],
    [{ ...IDENTITY, SOURCE__queueServiceUri: 'https://source1.queue.core.windows.net', ...STORAGE }, SCAN],
    [{ ...IDENTITY, SOURCE__accountName: 'source1', AzureWebJobsStorage__accountName: 'sthost' }, SCAN],
    [{ SOURCE: 'UseDevelopmentStorage=true', AzureWebJobsStorage: 'UseDevelopmentStorage=true' }, SCAN],
    [{ ...IDENTITY, UPLOAD: account('upload1') }, QUEUE],
    [{ ...IDENTITY, UPLOAD: `QueueEndpoint=https://upload1.queue.core.windows.net;${SAS}` }, QUEUE],
    [{ ...IDENTITY, UPLOAD__queueServiceUri: 'https://upload1.queue.core.windows.net' }, QUEUE],
    [
      { ...IDENTITY, Uploads__Queue: account('upload1') },
      { queue: 'uploads', queueAccount: 'Uploads:Queue' },
    ],
    [{ ...IDENTITY, AzureWebJobsStorage__queueServiceUri: 'https://h.queue.core.windows.net' }, { queue: 'uploads' }],
  ])('with %j', (settings, events) => {
    expect(problems(settings, events)).toEqual([]);
  });
});

describe('a connection that the host needs is named', () => {
  it.each<[Record<string, string>, object, (string | RegExp)[]]>([
    [IDENTITY, QUEUE, [/^archives\[0\]\.events\.queueAccount: .*"UPLOAD", and no .* add "UPLOAD" with a connection s/]],
    [IDENTITY, { queue: 'uploads' }, [/^AzureWebJobsStorage: .* the queue of events in the account "AzureWebJobsStor/]],
    [
      { ...IDENTITY, UPLOAD__blobServiceUri: 'https://upload1.blob.core.windows.net' },
      QUEUE,
      [/no app setting has its address; add "UPLOAD__queueServiceUri", such as https:\/\/myaccount\.queue\./],
    ],
    [
      { ...IDENTITY, ...STORAGE },
      { blobTrigger: 'event-grid' },
      [/^archives\[0\]\.source\.account: .* the poison queue .* add "SOURCE__queueServiceUri", such as/],
    ],
    [
      { SOURCE: account('source1') },
      SCAN,
      [/^AzureWebJobsStorage: .*__blobServiceUri".*, and "Azure.*__queueServiceUri"/],
    ],
    [
      { SOURCE: `BlobEndpoint=https://source1.blob.core.windows.net;${SAS}`, ...STORAGE },
      SCAN,
      ['archives[0].source.account: the app setting "SOURCE" does not show the address of the queues; add "QueueEn'],
    ],
    [{ ...IDENTITY, UPLOAD: `"${account('upload1')}"` }, QUEUE, ['"UPLOAD" is in quotes']],
    [
      { ...IDENTITY, UPLOAD: 'AccountName=x' },
      QUEUE,
      ['"UPLOAD" is not a complete', '"UPLOAD" has an invalid AccountN'],
    ],
    [
      { ...IDENTITY, UPLOAD: `QueueEndpoint=https://upload1.blob.core.windows.net;${SAS}` },
      QUEUE,
      ['"UPLOAD" has a queue endpoint that is the address of another service ("blob")'],
    ],
    [
      { ...IDENTITY, UPLOAD__queueServiceUri: 'https://upload1.queue.core.window.net' },
      QUEUE,
      ['"UPLOAD__queueServiceUri" ends almost in "core.windows.net"'],
    ],
  ])('with %j and %j', (settings, events, expected) => {
    const found = problems(settings, events);
    expect(found).toHaveLength(expected.length);
    for (const [index, each] of expected.entries())
      expect(found[index]).toEqual(
        typeof each === 'string' ? expect.stringContaining(each) : expect.stringMatching(each),
      );
  });

  it('once for all rules, beside the other problems, and not if its account has a problem of its own', () => {
    expect(problems({}, SCAN, SCAN, QUEUE, QUEUE).map((each) => each.split(':')[0])).toEqual([
      'AzureWebJobsStorage',
      'archives[0].source.account',
      'archives[2].events.queueAccount',
    ]);
  });
});

test('what the host reads as it is has no blanks around it', () => {
  const named = (settings: Record<string, string>, ...events: object[]) =>
    problems(settings, ...events).map((each) => each.replace(/ has blanks around its value, which the host .*/, ' …'));
  const fit = { SOURCE: account('source1'), UPLOAD: account('upload1'), ...STORAGE };
  const about = (name: string) => [`${name}: the app setting "${name}" …`];
  for (const [name, value] of Object.entries({ ...fit, STRONGROOM_HUB: 'strongroom' })) {
    expect(named({ ...fit, [name]: ` ${value}` }, SCAN, QUEUE)).toEqual(about(name));
    expect(named({ ...fit, [name]: `${value}\n` }, SCAN, QUEUE)).toEqual(about(name));
    expect(named({ ...fit, [name]: value }, SCAN, QUEUE)).toEqual([]);
  }
  expect(named({ ...fit, UPLOAD__clientId: 'abc ' }, QUEUE)).toEqual(about('UPLOAD__clientId'));
  expect(named({ ...fit, STRONGROOM_HUB: ' ' }, QUEUE)).toEqual(about('STRONGROOM_HUB'));
  // Without triggers, only the app reads the accounts.
  expect(named({ ...fit, VAULT: ` ${account('vault1')} `, UPLOAD: ' x ' })).toEqual([]);
});

test('the storage of the host is checked even if no trigger needs it', () => {
  const valid = { ...IDENTITY, ...STORAGE };
  expect(problems(valid)).toEqual([]);
  expect(problems({ ...valid, AzureWebJobsStorage: 'x' })).toEqual([
    expect.stringMatching(/^AzureWebJobsStorage: the app setting "AzureWebJobsStorage" /),
    expect.stringMatching(/^AzureWebJobsStorage: the app setting "AzureWebJobsStorage" /),
  ]);
  const addresses = {
    AzureWebJobsStorage__blobServiceUri: 'https://h.blob.core.windows.net',
    AzureWebJobsStorage__queueServiceUri: 'https://h.blob.core.windows.net',
    AzureWebJobsStorage__tableServiceUri: 'x',
  };
  expect(problems({ ...IDENTITY, ...addresses })).toEqual([
    expect.stringContaining('"AzureWebJobsStorage__queueServiceUri" is the address of another service'),
    expect.stringContaining('"AzureWebJobsStorage__tableServiceUri" is not an address'),
  ]);
});

test('a connection with mistakes of several kinds has all of them named', () => {
  const SOURCE = `BlobEndpoint=https://source1.dfs.core.windows.net;${SAS.replace('ss=bq&srt=sco&sp=rwlatup', 'ss=bt&srt=c&sp=r')}`;
  const named = problems({ SOURCE, ...STORAGE }).map((each) => /"dfs"|\(srt\)|permissions l \(sp\)/.exec(each)?.[0]);
  expect(named.sort()).toEqual(['"dfs"', '(srt)', 'permissions l (sp)']);
});
