import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandLine } from '../../support/app/command-line.ts';

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'strongroom-config-'));
});
afterAll(() => rmSync(cwd, { recursive: true }));

const JOB = {
  ...{ name: 'nightly', schedule: '0 30 23 * * 1-5', timeZone: 'Europe/Berlin' },
  source: { account: 'SOURCE', containers: ['images'] },
  destination: { account: 'VAULT', container: '{container}backup' },
};
/** Everything that needs an app setting. */
const WHOLE = {
  jobs: [{ ...JOB, ping: 'PING_URL', retention: { keepLast: 3, schedule: '0 0 5 * * *' } }],
  archives: [
    {
      ...{ name: 'uploads', reconcile: '0 0 * * * *', source: { account: 'SOURCE', container: 'incoming' } },
      destination: { account: 'VAULT', container: '{container}archive' },
      events: { queue: 'uploads' },
    },
  ],
  access: { keys: [{ name: 'ci', setting: 'KEY_CI', role: 'operator' }] },
  notify: { channels: [{ name: 'ops', kind: 'slack', url: 'SLACK_URL' }], send: [{ to: ['ops'], when: ['error'] }] },
};

function check(config: unknown, ...more: string[]) {
  writeFileSync(join(cwd, 'strongroom.json'), typeof config === 'string' ? config : JSON.stringify(config));
  return commandLine(['config', 'check', ...more], { cwd });
}

describe('config check', () => {
  it('of a file that needs settings lists them as not checked, and finds nothing wrong', async () => {
    const { code, stdout, stderr } = await check(WHOLE);
    expect([code, stdout]).toEqual([0, 'ok  strongroom.json: 1 job, 1 archive rule\n']);
    for (const setting of ['SOURCE', 'VAULT', 'PING_URL', 'KEY_CI', 'SLACK_URL', 'STRONGROOM_AUTH']) {
      expect(stderr).toMatch(new RegExp(`^not checked: .*${setting}`, 'm'));
    }
  });

  it('of a wrong file names each problem with its place, and ends with 2', async () => {
    const wrong = { jobs: [{ ...JOB, schedule: 'at night', source: { account: 'SOURCE', containers: ['Images'] } }] };
    const { code, stdout } = await check(wrong);
    expect(code).toBe(2);
    expect(stdout).toMatch(/^jobs\[0\]\.schedule {2}/m);
    expect(stdout).toMatch(/^jobs\[0\]\.source\.containers\[0\] {2}/m);
  });

  it.each([
    [
      'the name of a setting',
      { ...WHOLE, notify: { channels: [{ name: 'ops', kind: 'slack', url: 'https://secret' }] } },
    ],
    ['the alias of an account', { jobs: [{ ...JOB, source: { account: 'not a name', containers: ['*'] } }] }],
    ['the setting of a key', { ...WHOLE, access: { keys: [{ name: 'ci', setting: '1-2', role: 'operator' }] } }],
  ])('does not take a wrong %s for one that is not set', async (_, config) => {
    const { code, stdout } = await check(config);
    expect([code, stdout]).toEqual([2, expect.stringContaining('name of an app setting')]);
  });

  it('of a text that is no JSON says where it is wrong', async () => {
    const { code, stdout } = await check('{\n  "jobs": [}\n');
    expect([code, stdout]).toEqual([2, expect.stringContaining('line 2, column')]);
  });

  it('has the answer of the API with --json, and what was not checked', async () => {
    const { stdout } = await check({ jobs: [JOB] }, '--json');
    const { notChecked, ...answer } = JSON.parse(stdout);
    expect(answer).toEqual({ isValid: true, problems: [], jobs: 1, archives: 0 });
    expect(notChecked.map(({ path }: { path: string }) => path)).toEqual([
      'jobs[0].source.account',
      'jobs[0].destination.account',
    ]);
  });

  it('reads standard input, and says if a file is not there', async () => {
    const options = { cwd, stdin: JSON.stringify({ jobs: [JOB] }) };
    expect((await commandLine(['config', 'check', '-'], options)).stdout).toContain('ok  standard input: 1 job');
    const { code, stderr } = await commandLine(['config', 'check', 'none.json'], { cwd });
    expect([code, stderr]).toEqual([2, expect.stringContaining('none.json cannot be read')]);
  });
});

describe('config next', () => {
  it('shows the next times of every schedule, in words', async () => {
    writeFileSync(join(cwd, 'strongroom.json'), JSON.stringify(WHOLE));
    const { code, stdout } = await commandLine(['config', 'next', '--count', '2'], { cwd });
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.replace(/ {2,}/g, '  '))).toEqual([
      'JOB  KIND  SCHEDULE  NEXT',
      'nightly  backup  Monday to Friday at 23:30 (Europe/Berlin)  2026-11-23T22:30:00Z, 2026-11-24T22:30:00Z',
      'nightly  prune  every day at 05:00 (Europe/Berlin)  2026-11-23T04:00:00Z, 2026-11-24T04:00:00Z',
      'uploads  reconcile  every hour (UTC)  2026-11-22T13:00:00Z, 2026-11-22T14:00:00Z',
      '',
    ]);
  });

  it('of a wrong file points to the check', async () => {
    const { code, stderr } = await commandLine(['config', 'next', '-'], { stdin: '{"jobs": 1}' });
    expect([code, stderr]).toEqual([2, expect.stringContaining('strongroom config check')]);
  });
});

it('config schema is the schema of the repository', async () => {
  const file = readFileSync(join(import.meta.dirname, '../../../strongroom.schema.json'), 'utf8');
  expect((await commandLine(['config', 'schema'])).stdout).toBe(file.replaceAll('\r\n', '\n'));
});
