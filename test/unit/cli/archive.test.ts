import { afterEach, describe, expect, it } from 'vitest';
import { type CannedApp, cannedApp, commandLine } from '../../support/app/command-line.ts';

let app: CannedApp;
afterEach(() => app.stop());

const ID = '5d0a7c1e9b3f42d6a8e0c4b2f1d39e57';
const settlement = { at: '2026-11-22T09:00:00.000Z', reason: 'a\ntest', by: { name: 'ada@example.org', via: 'entra' } };
const SETTLED = { rule: 'uploads', id: ID, code: 'unsupported-name', settledAt: settlement.at, settlement };

async function line(argv: string[], answers: Record<string, unknown>) {
  app = await cannedApp((call) => (call in answers ? { body: answers[call] } : undefined));
  return commandLine(argv, { env: { STRONGROOM_URL: app.url } });
}

describe('archive settle', () => {
  const call = `POST /api/archives/uploads/poison/${ID}/settle`;
  const argv = ['archive', 'settle', 'uploads', ID, '--reason', 'a test'];

  it('sends the reason, and says what stands', async () => {
    expect(await line(argv, { [call]: SETTLED })).toEqual({
      ...{ code: 0, stderr: '' },
      stdout: `${ID}  settled 2026-11-22T09:00:00Z by ada@example.org: a\\u000atest\n`,
    });
    expect(app.asked.map(({ body }) => JSON.parse(body))).toEqual([{ reason: 'a test' }]);
  });

  it('of what a run has archived meanwhile says so, and is the answer as it came with --json', async () => {
    const archived = { ...SETTLED, settlement: null };
    expect((await line(argv, { [call]: archived })).stdout).toContain('archived, or gone');
    await app.stop();
    expect((await line([...argv, '--json'], { [call]: archived })).stdout).toBe(JSON.stringify(archived));
  });

  it('needs a reason', async () => {
    const { code, stderr } = await line(argv.slice(0, 4), {});
    expect([code, stderr, app.asked]).toEqual([2, expect.stringContaining('--reason is required'), []]);
  });
});

it('uploads that were settled are listed with who did, and why', async () => {
  const upload = {
    ...{ id: ID, container: 'incoming', name: 'a', etag: null, since: settlement.at, at: settlement.at, times: 1 },
    ...{ code: 'unsupported-name', message: 'x', hint: 'y', state: 'settled', settledAt: settlement.at, settlement },
  };
  const answers = {
    'GET /api/archives/uploads/poison?state=settled&limit=100': { rule: 'uploads', uploads: [upload], next: null },
  };
  const { stdout } = await line(['archive', 'poison', 'uploads', '--settled'], answers);
  expect(stdout.split('\n')[1]).toContain('by ada@example.org: a\\u000atest');
});
