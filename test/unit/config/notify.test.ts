import { expect, it, test } from 'vitest';
import { loadConfiguration } from '#config/configuration.ts';
import { ConfigurationError } from '#config/configuration-error.ts';

const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const SETTINGS = {
  SOURCE__blobServiceUri: 'https://a.blob.core.windows.net',
  VAULT__blobServiceUri: 'https://b.blob.core.windows.net',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  HOOK_URL: 'https://hooks.example.net/x-secret-path',
  HOOK_SECRET: SECRET,
  PLAIN: 'http://hooks.example.net/x-secret-path',
  LOCAL: 'http://127.0.0.1:8080/x',
  GARBAGE: 'x-secret-path',
  CHECK: 'https://hc-ping.com/x-secret-path',
};
const JOB = {
  name: 'nightly',
  source: { account: 'SOURCE', containers: ['images'] },
  destination: { account: 'VAULT', container: '{container}backup' },
};

function load(notify: unknown, job: object = {}, settings: object = SETTINGS) {
  const text = JSON.stringify({ jobs: [{ ...JOB, ...job }], ...(notify !== undefined && { notify }) });
  return loadConfiguration({ text, file: 'strongroom.json', settings: settings as Record<string, string> });
}

function problemsOf(notify: unknown, job: object = {}): Record<string, string> {
  try {
    load(notify, job);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    expect(error.message).not.toContain('x-secret-path');
    return Object.fromEntries(error.problems.map(({ place, message }) => [place, message]));
  }
  return {};
}

const HOOK = { name: 'hook', kind: 'webhook', url: 'HOOK_URL', secret: 'HOOK_SECRET' };
const NIGHTLY = { schedule: '0 0 5 * * *' };
const ALL = [{ to: ['hook'], when: ['all'] }];

test('without the option, the watch looks every five minutes and sends nothing', () => {
  expect(load(undefined).notify).toEqual({
    every: '0 */5 * * * *',
    timeZone: 'UTC',
    channels: [],
    send: [],
    pings: new Map(),
    severity: {},
    names: true,
  });
});

test('channels and pings have the values of the app settings that they name', () => {
  const { notify, jobs } = load(
    { channels: [HOOK], send: ALL },
    { ping: 'CHECK', ...NIGHTLY, expect: { grace: '2h' } },
  );
  expect(notify.channels).toEqual([{ name: 'hook', kind: 'webhook', url: SETTINGS.HOOK_URL, secret: SECRET }]);
  expect(notify.send).toEqual([{ to: ['hook'], when: ['all'], recovered: true }]);
  expect(notify.pings.get(jobs[0]!.ping as string)).toBe(SETTINGS.CHECK);
});

test('every problem is reported at once', () => {
  const notify = {
    channels: [
      HOOK,
      { ...HOOK, url: 'NOWHERE' },
      { name: 'plain', kind: 'slack', url: 'PLAIN', token: 'X' },
      { name: 'garbage', kind: 'ntfy', url: 'GARBAGE' },
      { name: 'mail', kind: 'email', url: 'HOOK_URL', to: ['a@example.net'] },
      { name: 'unused', kind: 'teams', url: 'LOCAL' },
      { name: 'weak', kind: 'webhook', url: 'HOOK_URL', secret: 'HOOK_URL' },
    ],
    send: [{ to: ['hook', 'plain', 'garbage', 'mail', 'weak', 'nobody'], when: ['error'], jobs: ['nightly', 'x'] }],
  };
  const found = problemsOf(notify, { ping: 'NO_CHECK', verify: { schedule: '0 0 5 * * *', ping: 'PLAIN' } });
  expect(Object.keys(found).sort()).toEqual([
    'jobs[0].ping',
    'jobs[0].verify.ping',
    'notify.channels[1].name',
    'notify.channels[1].url',
    'notify.channels[2].token',
    'notify.channels[2].url',
    'notify.channels[3].url',
    'notify.channels[4].endpoint',
    'notify.channels[4].from',
    'notify.channels[4].url',
    'notify.channels[5].name',
    'notify.channels[6].secret',
    'notify.send[0].jobs',
    'notify.send[0].to',
  ]);
  expect(found['notify.channels[2].url']).toContain('https://');
  expect(found['notify.channels[1].url']).toBe('the app setting "NOWHERE" is not set');
});

test('a link, severities, names and a digest that always comes are read', () => {
  const { notify } = load({
    channels: [HOOK],
    send: [{ ...ALL[0], when: ['restored', 'info'], digest: '0 0 8 * * *', always: true }],
    link: 'https://backups.example.net/ä b',
    severity: { incomplete: 'error', pruned: 'warning' },
    names: false,
  });
  expect(notify).toMatchObject({
    link: 'https://backups.example.net/%C3%A4%20b',
    severity: { incomplete: 'error', pruned: 'warning' },
    names: false,
    send: [{ when: ['restored', 'info'], always: true }],
  });
  expect(load({ link: 'http://localhost:7071/' }).notify.link).toBe('http://localhost:7071/');
});

it.each([
  ['no address', 'backups.example.net', 'must begin with https://'],
  ['plain HTTP', 'http://backups.example.net', 'begins with https://'],
  ['a script', 'javascript:alert(1)', 'begins with https://'],
  ['a password', 'https://me:x-secret-path@backups.example.net', 'user name or password'],
  ['a key', 'https://backups.example.net/?code=x-secret-path', 'a query'],
  ['a fragment', 'https://backups.example.net/#x-secret-path', 'a fragment'],
])('a link with %s is refused', (_, link, words) => {
  const problems = problemsOf({ link });
  expect(Object.keys(problems)).toEqual(['notify.link']);
  expect(problems['notify.link']).toContain(words);
});

test('an unknown name or severity is refused with the one that was meant', () => {
  const severity = { incomplet: 'error', restore: 'info', failed: 'eror' };
  expect(problemsOf({ severity })).toEqual({
    'notify.severity.incomplet': 'this option does not exist; did you mean "incomplete"?',
    'notify.severity.restore': 'this option does not exist; did you mean "restored"?',
    'notify.severity.failed': expect.stringContaining('did you mean "error"?'),
  });
});

test('a check may take runs with failures as good', () => {
  const ping = { url: 'CHECK', incomplete: 'ok' };
  const { jobs, notify } = load(undefined, { ping, verify: { schedule: '0 0 5 * * *', ping: 'CHECK' } });
  expect(jobs[0]!.ping).toEqual(ping);
  expect(notify.pings).toEqual(new Map([['CHECK', SETTINGS.CHECK]]));
  const places = (job: object) => Object.keys(problemsOf(undefined, job));
  expect(places({ ping: { ...ping, url: 'NOWHERE' } })).toEqual(['jobs[0].ping.url']);
  expect(places({ ping: { ...ping, incomplete: 'maybe' } })).toEqual(['jobs[0].ping']);
  expect(places({ ping: 7 })).toEqual(['jobs[0].ping']);
  // What a verification finds is damage.
  expect(places({ verify: { schedule: '0 0 5 * * *', ping } })).toEqual(['jobs[0].verify.ping']);
});

it.each<[string, unknown, object, string]>([
  ['a condition', { channels: [HOOK], send: [{ to: ['hook'], when: ['overdu'] }] }, {}, 'notify.send[0].when[0]'],
  ['a kind', { channels: [{ ...HOOK, kind: 'pager' }], send: ALL }, {}, 'notify.channels[0].kind'],
  ['a digest without a time', { channels: [HOOK], send: [{ ...ALL[0], always: true }] }, {}, 'notify.send[0].always'],
  ['a duration', { channels: [HOOK], send: [{ ...ALL[0], repeat: '1w' }] }, {}, 'notify.send[0].repeat'],
  ['an option', { channel: [] }, {}, 'notify.channel'],
  ['the grace', undefined, { expect: { grace: 'soon' } }, 'jobs[0].expect.grace'],
  ['a grace without any schedule', undefined, { expect: { grace: '2h' } }, 'jobs[0].expect.grace'],
  [
    'a grace of a policy without a schedule',
    undefined,
    { retention: { keepLast: 3 }, verify: { afterRun: 'quick' }, expect: { grace: '2h', every: '26h' } },
    'jobs[0].expect.grace',
  ],
  [
    'an interval beside a schedule',
    undefined,
    { schedule: '0 0 5 * * *', expect: { every: '26h' } },
    'jobs[0].expect.every',
  ],
])('%s that is wrong is refused', (_, notify, job, place) => {
  expect(Object.keys(problemsOf(notify, job))).toEqual([place]);
});
