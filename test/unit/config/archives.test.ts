import { describe, expect, it } from 'vitest';
import { loadConfiguration } from '#config/configuration.ts';
import { ConfigurationError } from '#config/configuration-error.ts';

const SETTINGS = {
  SOURCE__blobServiceUri: 'https://source1.blob.core.windows.net',
  SOURCE__queueServiceUri: 'https://source1.queue.core.windows.net',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  Uploads__Queue: 'UseDevelopmentStorage=true',
  VAULT__blobServiceUri: 'https://vault1.blob.core.windows.net',
  PRUNER__blobServiceUri: 'https://VAULT1.blob.core.windows.net/',
  OTHER__blobServiceUri: 'https://other1.blob.core.windows.net',
  SOURCE2__blobServiceUri: 'https://source1.privatelink.blob.core.windows.net',
};

/** A rule that is right, with some of it replaced. */
function rule(changes: Record<string, unknown> = {}, source = {}, destination = {}) {
  return {
    name: 'uploads',
    source: { account: 'SOURCE', container: 'incoming', ...source },
    destination: { account: 'VAULT', container: '{container}archive', ...destination },
    ...changes,
  };
}

function job(changes: Record<string, unknown> = {}, source = {}, destination = {}) {
  return {
    name: 'nightly',
    source: { account: 'SOURCE', containers: ['*'], ...source },
    destination: { account: 'VAULT', container: '{container}backup', ...destination },
    ...changes,
  };
}

const load = (value: object, settings: Record<string, string> = SETTINGS) =>
  loadConfiguration({ text: JSON.stringify(value), file: 'strongroom.json', settings });

/** The problems as `place: message`; none where the configuration is taken. */
function problems(value: object, settings?: Record<string, string>): string[] {
  try {
    load(value, settings);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ place, message }) => `${place}: ${message}`);
  }
}

describe('an archive rule', () => {
  it('has every default filled in, needs no job beside it, and has its accounts resolved', () => {
    const { jobs, archives, accounts } = load({ archives: [rule()] });
    expect(jobs).toEqual([]);
    expect(archives).toEqual([
      {
        name: 'uploads',
        source: { account: 'SOURCE', container: 'incoming', prefix: '', include: [], exclude: [] },
        destination: { account: 'VAULT', container: '{container}archive', prefix: '', folders: 'none' },
        reconcile: '0 0 * * * *',
        timeZone: 'UTC',
        method: 'auto',
      },
    ]);
    expect([...accounts.keys()]).toEqual(['SOURCE', 'VAULT']);
  });

  it('may say everything', () => {
    const full = {
      name: 'uploads',
      source: { account: 'SOURCE', container: '$web', prefix: 'a/', include: ['**/*.jpg'], exclude: ['**/*.tmp'] },
      destination: {
        account: 'VAULT',
        container: 'archive',
        prefix: '{container}/',
        tier: 'Archive',
        folders: 'version',
      },
      events: { blobTrigger: 'event-grid', queue: 'strongroom-uploads', queueAccount: 'Uploads:Queue' },
      reconcile: '0 */5 * * * *',
      timeZone: 'Europe/Berlin',
      method: 'blocks',
      quietMinutes: 10,
      receipts: { keepDays: 90, account: 'PRUNER' },
    };
    const { archives, accounts } = load({ jobs: [], archives: [full] });
    expect(archives).toEqual([full]);
    // The account of the queue is the host's to reach, not ours.
    expect([...accounts.keys()]).toEqual(['SOURCE', 'VAULT', 'PRUNER']);
  });

  it.each([
    [{ queue: 'uploads' }, { queue: 'uploads', queueAccount: 'AzureWebJobsStorage' }],
    [{ blobTrigger: 'scan' }, { blobTrigger: 'scan', queueAccount: 'AzureWebJobsStorage' }],
  ])('with events %j has its queue in the storage of the app', (events, read) => {
    expect(load({ archives: [rule({ events })] }).archives[0]!.events).toEqual(read);
  });

  it.each([0, -1, 1.5, 1441, '10', null])('refuses to wait for %j minutes of quiet', (quietMinutes) => {
    expect(problems({ archives: [rule({ quietMinutes })] })).toEqual([
      expect.stringMatching(/^archives\[0\]\.quietMinutes: /),
    ]);
    for (const fine of [1, 1440]) expect(problems({ archives: [rule({ quietMinutes: fine })] })).toEqual([]);
  });

  it.each(['Hot', 'Cool', 'Cold'])('may archive into tier %s with any folders', (tier) => {
    for (const folders of ['none', 'day', 'version']) {
      expect(problems({ archives: [rule({}, {}, { tier, folders })] })).toEqual([]);
    }
  });

  it('reports every problem at once, with its path', () => {
    const wrong = {
      name: 'Uploads',
      source: { account: 'a b', container: 'in*', prefix: 7, include: '*', exclude: ['[a'], containers: ['a'] },
      destination: { account: 'NOWHERE', container: 'A', prefix: '../', tier: 'cool', folders: 'daily', accounts: 1 },
      events: { blobTrigger: 'eventgrid', queue: 'A_B', queueAccount: 'a b', quee: 'x' },
      reconcile: 'hourly',
      timeZone: 'Mars',
      method: 'copy',
      receipts: { keepDays: 0, account: '' },
      schedule: '0 0 * * * *',
    };
    const found = problems({ jobs: [job({ method: 'x' })], archives: [rule(), wrong], archive: [] });
    expect(found.map((text) => text.slice(0, text.indexOf(': ')))).toEqual([
      'archive',
      'jobs[0].method',
      ...[
        'name',
        'source.account',
        'source.container',
        'source.prefix',
        'source.include',
        'source.exclude[0]',
        'source.containers',
        'destination.container',
        'destination.prefix',
        'destination.tier',
        'destination.folders',
        'destination.accounts',
        'events.blobTrigger',
        'events.queue',
        'events.queueAccount',
        'events.quee',
        'reconcile',
        'timeZone',
        'method',
        'receipts.keepDays',
        'receipts.account',
        'schedule',
        'destination.account',
      ].map((place) => `archives[1].${place}`),
    ]);
    const about = (place: string) => found.find((text) => text.includes(`${place}: `));
    expect(about('archive')).toContain('did you mean "archives"?');
    expect(about('source.container')).toContain('a rule has one container');
    expect(about('source.containers')).toContain('did you mean "container"?');
    expect(about('destination.tier')).toContain('"Hot" or "Cool" or "Cold" or "Archive"; did you mean "Cool"?');
    expect(about('destination.folders')).toContain('"none" or "day" or "version"');
    expect(about('events.blobTrigger')).toContain('"scan" or "event-grid"; did you mean "event-grid"?');
    expect(about('events.quee')).toContain('did you mean "queue"?');
    expect(about('receipts.keepDays')).toContain('a whole number from 1 to 10000');
    expect(about('destination.account')).toContain('"NOWHERE"');
  });

  it('is missed where there is neither a job nor a rule', () => {
    const none = 'jobs: the configuration has nothing to do; add at least one job here, or one rule to "archives"';
    for (const value of [{}, { jobs: [] }, { archives: [] }, { jobs: [], archives: [] }]) {
      expect(problems(value)).toEqual([none]);
    }
    expect(problems({ archives: 'x' })).toEqual(['archives: this must be a list [ … ]']);
    expect(problems({ archives: [7] })).toEqual(['archives[0]: this must be an object { … }']);
  });

  it('has a name of its own among rules and jobs', () => {
    const other = { container: 'other' };
    expect(problems({ jobs: [job()], archives: [rule(), rule({ name: 'nightly' }, other)] })).toEqual([
      'archives[1].name: jobs[0] already has the name "nightly"; choose another name',
    ]);
    expect(problems({ archives: [rule(), rule({}, other)] })).toEqual([
      'archives[1].name: archives[0] already has the name "uploads"; choose another name',
    ]);
  });
});

describe('the queue', () => {
  const about = (queue: string) => problems({ archives: [rule({ events: { queue } })] });

  it.each(['abc', '0-1', 'a'.repeat(56), 'poison', 'poison-a'])('%s is taken', (queue) => {
    expect(about(queue)).toEqual([]);
  });

  it.each([
    ['ab', 'is not a queue name'],
    ['a'.repeat(64), 'is not a queue name'],
    ['Abc', 'is not a queue name'],
    ['a--b', 'is not a queue name'],
    ['-abc', 'is not a queue name'],
    ['abc-', 'is not a queue name'],
    ['a_b', 'is not a queue name'],
    ['abc\n', 'is not a queue name'],
    ['uploads-poison', 'is the poison queue of another queue'],
    ['a'.repeat(57), 'the maximum is 56'],
  ])('%j is refused', (queue, words) => {
    expect(about(queue)).toEqual([expect.stringMatching(/^archives\[0\]\.events\.queue: /)]);
    expect(about(queue)[0]).toContain(words);
  });

  it.each(['', ' ', '1a', 'a b', 'a;b', 'a=b', 'x'.repeat(128)])('is in no account called %j', (queueAccount) => {
    expect(problems({ archives: [rule({ events: { queue: 'abc', queueAccount } })] })).toEqual([
      expect.stringMatching(/^archives\[0\]\.events\.queueAccount: a connection is the name of an app setting/),
    ]);
  });

  it('may be shared by rules', () => {
    const events = { queue: 'strongroom-uploads' };
    expect(problems({ archives: [rule({ events }), rule({ name: 'two', events }, { container: 'other' })] })).toEqual(
      [],
    );
  });

  it('or a blob trigger must be there, where events are', () => {
    for (const events of [{}, { queueAccount: 'X' }]) {
      expect(problems({ archives: [rule({ events })] })).toEqual([
        expect.stringMatching(/^archives\[0\]\.events: no source of events is set; add "blobTrigger", "queue" or both/),
      ]);
    }
  });
});

describe('tier Archive', () => {
  it.each(['none', 'day', undefined])('is refused with folders %s', (folders) => {
    expect(problems({ archives: [rule({}, {}, { tier: 'Archive', folders })] })).toEqual([
      expect.stringMatching(/^archives\[0\]\.destination\.tier: .* add "folders": "version"/),
    ]);
  });

  it('is refused also where something else is wrong', () => {
    expect(problems({ archives: [rule({ method: 'x' }, {}, { tier: 'Archive', container: 7 })] })).toEqual([
      expect.stringContaining('archives[0].destination.container: '),
      expect.stringContaining('archives[0].destination.tier: '),
      expect.stringContaining('archives[0].method: '),
    ]);
  });
});

describe('blob triggers', () => {
  it('are of one kind', () => {
    const rules = ['scan', undefined, 'event-grid', 'scan', 'event-grid'].map((blobTrigger, index) =>
      rule({ name: `rule${index}`, events: { blobTrigger, queue: 'abc' } }, { container: `container${index}` }),
    );
    expect(problems({ archives: rules })).toEqual(
      [2, 4].map(
        (index) =>
          `archives[${index}].events.blobTrigger: "event-grid" differs from the blob trigger of archives[0]: all ` +
          'blob triggers of the app share one listener, so set this to "scan" as well, or use "queue"',
      ),
    );
    expect(problems({ archives: [rules[1], rules[2], rules[4]] })).toEqual([]);
  });
});

describe('the control container', () => {
  it('is neither archived nor archived into', () => {
    expect(problems({ archives: [rule({}, { container: 'strongroom' })] })).toEqual([
      expect.stringMatching(/^archives\[0\]\.source\.container: "strongroom" is the control container of a vault/),
    ]);
    for (const [container, template] of [
      ['incoming', 'strongroom'],
      ['room', 'strong{container}'],
    ]) {
      expect(problems({ archives: [rule({}, { container }, { container: template })] })).toEqual([
        expect.stringMatching(/^archives\[0\]\.destination\.container: .* nothing may be copied into it/),
      ]);
    }
  });

  it.each(['$web', '$root'])('is not the only name that needs care: %s', (container) => {
    expect(problems({ archives: [rule({}, { container })] })).toEqual([
      expect.stringContaining(
        `turns "${container}" into "${container}archive", which is not a valid container name; write the ` +
          'container name in full',
      ),
    ]);
    expect(problems({ archives: [rule({}, { container }, { container: 'web-archive' })] })).toEqual([]);
  });
});

describe('the destination of a rule', () => {
  it.each([
    ['in the same account', 'SOURCE', 'both are in SOURCE'],
    ['by another alias', 'SOURCE2', 'SOURCE and SOURCE2 are the same account'],
  ])('is not inside its source, %s', (_, account, words) => {
    const inside = (container: string) =>
      problems({ archives: [rule({}, {}, { account, container, prefix: 'archive/' })] });
    for (const container of ['incoming', '{container}']) {
      expect(inside(container)).toEqual([
        'archives[0].destination: the destination is inside the source, and the rule would archive its own ' +
          `copies: ${words}, in the container "incoming"; use another account or container`,
      ]);
    }
    expect(inside('{container}archive')).toEqual([]);
  });

  const shared = (place: string) => [
    expect.stringMatching(new RegExp(`^archives\\[1\\]\\.destination: ${place} copies to the same destination`)),
  ];

  it.each<[string, object, object, boolean]>([
    ['the same source and mapping', {}, {}, false],
    ['the same source, another container', {}, { container: 'second' }, true],
    ['the same source, overlapping prefixes, another container', { prefix: '2026/' }, { container: 'second' }, true],
    ['the same source, other prefixes, one destination', { prefix: '2026/' }, {}, false],
    ['the same source, another account', {}, { account: 'OTHER' }, true],
    ['the same source, prefixes of which neither holds the other', {}, { prefix: 'b/' }, true],
    ['the same source, one prefix in the other', {}, { prefix: 'a/b/' }, false],
    ['another source, the container written out', { container: 'other' }, { container: 'incomingarchive' }, false],
    ['another source by the same template', { container: 'other' }, {}, true],
    ['the same account by another alias', {}, { account: 'PRUNER' }, false],
  ])('beside another rule: %s', (_, source, destination, right) => {
    const rules = [rule({}, {}, { prefix: 'a/' }), rule({ name: 'two' }, source, { prefix: 'a/', ...destination })];
    expect(problems({ archives: rules })).toEqual(right ? [] : shared('archives\\[0\\]'));
  });

  it('has no folders that could make two destinations of one', () => {
    const rules = [rule({}, {}, { folders: 'day' }), rule({ name: 'two' }, {}, { prefix: '2026/11/21/' })];
    expect(problems({ archives: rules })).toEqual(shared('archives\\[0\\]'));
  });

  it('is not that of a job, not even with the same mapping', () => {
    const backup = { container: '{container}backup' };
    const found = (source: object, destination: object) =>
      problems({ jobs: [job({}, { containers: ['incoming'] })], archives: [rule({}, source, destination)] });
    const words = [expect.stringMatching(/^archives\[0\]\.destination: jobs\[0\] copies to the same destination/)];
    expect(found({}, backup)).toEqual(words);
    expect(found({ container: 'other' }, { container: 'incomingbackup' })).toEqual(words);
    expect(found({}, { ...backup, account: 'OTHER' })).toEqual([]);
    expect(found({ container: 'other' }, backup)).toEqual([]);
    expect(problems({ jobs: [job()], archives: [rule({}, {}, backup)] })).toEqual(words);
    expect(problems({ jobs: [job()], archives: [rule()] })).toEqual([]);
  });

  it('does not come back to the source through other rules and jobs', () => {
    const back = rule(
      { name: 'back' },
      { account: 'VAULT', container: 'incomingarchive' },
      { account: 'SOURCE', container: 'incoming' },
    );
    expect(problems({ archives: [rule(), back] })).toEqual([
      'archives[0].destination: these copy in a circle, each from the destination of the one before, and would ' +
        'back up their own copies: archives[0] → archives[1] → archives[0]; give one of them another destination ' +
        'container or account',
    ]);
    const homeward = job(
      {},
      { account: 'VAULT', containers: ['*archive'] },
      { account: 'SOURCE', container: 'incoming', prefix: '{container}/' },
    );
    expect(problems({ jobs: [homeward], archives: [rule()] })).toEqual([
      expect.stringContaining('jobs[0] → archives[0] → jobs[0]; give one of them another'),
    ]);
    const onward = job({}, { account: 'VAULT', containers: ['*archive'] }, { account: 'OTHER' });
    expect(problems({ jobs: [onward], archives: [rule()] })).toEqual([]);
  });
});

describe('receipts', () => {
  it('are in the vault, whichever account removes them', () => {
    const found = (account: string) => problems({ archives: [rule({ receipts: { keepDays: 1, account } })] });
    expect(found('PRUNER')).toEqual([]);
    expect(found('OTHER')).toEqual([
      'archives[0].receipts.account: OTHER is not the same storage account as VAULT, which the rule copies to ' +
        'and where the rule keeps its receipts; name an alias of that account, or remove this option',
    ]);
    expect(found('NOWHERE')).toEqual([
      expect.stringMatching(/^archives\[0\]\.receipts\.account: the account "NOWHERE" has no app setting/),
    ]);
  });

  it.each([0, 1.5, '90', 10_001, undefined])('are not kept for %j days', (keepDays) => {
    expect(problems({ archives: [rule({ receipts: { keepDays } })] })).toEqual([
      'archives[0].receipts.keepDays: this must be a whole number from 1 to 10000',
    ]);
  });
});
