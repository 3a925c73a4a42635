import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OVERVIEW, PLANNED, POINTS, PREVIEW, REPORT, ROW, RUNNING, RUNS } from '../../support/app/canned-answers.ts';
import { type CannedApp, cannedApp, commandLine } from '../../support/app/command-line.ts';

let app: CannedApp;
const env = () => ({ STRONGROOM_URL: app.url });
const line = (text: string, columns?: number) =>
  commandLine(text.split(' '), { env: env(), ...(columns !== undefined && { columns }) });

/** Pages of runs: 5 in all, 2 at a time. */
function page(cursor: number, limit: number) {
  const ids = [1, 2, 3, 4, 5].slice(cursor, cursor + Math.min(limit, 2));
  const next = cursor + ids.length < 5 ? String(cursor + ids.length) : null;
  return { runs: ids.map((id) => ({ ...ROW, id: `many-${id}` })), next };
}

beforeAll(async () => {
  app = await cannedApp((call) => {
    const { pathname, searchParams: query } = new URL(call.split(' ')[1]!, 'http://x');
    if (query.get('job') === 'many') return { body: page(Number(query.get('cursor')), Number(query.get('limit'))) };
    if (query.get('job') === 'none') return { body: { runs: [], next: null } };
    if (pathname === '/api/runs') return { body: RUNS };
    if (pathname === '/api/restore-points') return { body: POINTS };
    if (pathname === '/api/overview') return { body: OVERVIEW };
    if (pathname === '/api/restores/preview') return { body: PREVIEW };
    if (pathname === `/api/runs/${PLANNED.id}`) return { body: PLANNED };
    if (pathname === '/api/runs/running') return { body: RUNNING };
    return pathname === `/api/runs/${REPORT.id}` ? { body: REPORT } : undefined;
  });
});
afterAll(() => app.stop());

describe('what is printed', () => {
  it.each([
    ['status --utc', 80],
    ['status --utc', 200],
    ['status', undefined],
    ['runs list --utc', 80],
    ['runs list --utc', 200],
    ['runs list', undefined],
    [`runs show ${REPORT.id}`, undefined],
    ['runs show running', undefined],
    ['points list --utc', 80],
    ['points list --utc', 200],
    ['points list', undefined],
    [`prune show ${PLANNED.id} --all`, undefined],
    ['restore --preview --container images --existing if-different', undefined],
  ])('by %s in %s columns', async (text, columns) => {
    const { stdout, stderr } = await line(text, columns);
    const name = text.replace(/ (?:nightly-\S+|--utc)/g, '').replaceAll(' ', '-');
    await expect(`${stdout}${stderr === '' ? '' : `--- stderr\n${stderr}`}`).toMatchFileSnapshot(
      `golden/${name}-${columns ?? 'pipe'}.txt`,
    );
    // Titles and ids may be wider; what shrinks fits.
    if (columns !== undefined && text.startsWith('runs list')) {
      for (const each of stdout.split('\n')) expect(each.length).toBeLessThanOrEqual(columns);
    }
  });

  it('has colors at a terminal only, and not with NO_COLOR or --no-color', async () => {
    const coloured = { ...env(), NO_COLOR: '', TERM: 'xterm' };
    const run = async (more: string[], columns?: number) =>
      (await commandLine(['runs', 'list', ...more], { env: coloured, ...(columns && { columns }) })).stdout;
    expect(await run([], 80)).toContain('\x1b[33mincomplete\x1b[39m');
    expect(await run(['--no-color'], 80)).not.toContain('\x1b');
    expect(await run([])).not.toContain('\x1b');
    expect((await line('runs list', 80)).stdout).not.toContain('\x1b');
  });
});

const POINT = OVERVIEW.jobs.find(({ restorePoint }) => restorePoint !== null)!.restorePoint;

describe('status', () => {
  it('ends with 6 if something needs attention', async () => {
    expect((await line('status')).code).toBe(6);
    expect((await line('status --json')).code).toBe(6);
  });

  it.each<[string, object, object[], string]>([
    ['nothing is wrong', {}, [], 'Everything is all right'],
    ['a job is paused', {}, [{ paused: { since: '2026-11-30T10:00:00.000Z', until: null } }], '1 is paused'],
    ['a job has no backup', {}, [{ restorePoint: null }], '1 job has no backup yet'],
    ['no job has one', { restorePoint: null }, [{ restorePoint: null }], 'Nothing has been backed up yet'],
  ])('says so if %s, and ends with 0 without a condition', async (_, first, others, text) => {
    const [job] = OVERVIEW.jobs;
    const jobs = [first, ...others].map((change) => ({ ...job!, restorePoint: POINT, paused: null, ...change }));
    const conditions = { info: 0, warning: 0, error: 0, critical: 0 };
    const totals = { ...OVERVIEW.totals, conditions };
    const body = { ...OVERVIEW, totals, conditions: [], jobs, archives: [] };
    const calm = await cannedApp(() => ({ body }));
    const { code, stdout } = await commandLine(['status'], { env: { STRONGROOM_URL: calm.url } });
    await calm.stop();
    expect([code, stdout.split('  ')[0]]).toEqual([0, text]);
  });

  it('that is watched continues until Ctrl-C, also while the app does not answer', async () => {
    const interrupt = new AbortController();
    const gone = await cannedApp(() => ({ status: 503, body: '' }));
    setTimeout(() => interrupt.abort(), 150);
    const options = { env: { STRONGROOM_URL: gone.url }, interrupted: interrupt.signal };
    const { code, stderr } = await commandLine(['status', '--watch'], options);
    expect([code, stderr]).toEqual([130, 'The answer is HTTP 503, without a body; asking again\n']);
    await gone.stop();
    expect((await line('status --watch --json')).code).toBe(2);
  });
});

describe('a list', () => {
  const urls = () => app.asked.map(({ url }) => url);

  it('is as long as asked for, over several pages, and says if there are more', async () => {
    const before = app.asked.length;
    const { stdout, stderr } = await line('runs list --job many --limit 3 --quiet');
    expect(stdout).toBe('many-1\nmany-2\nmany-3\n');
    expect(stderr).toContain('There are more than these 3: --all');
    expect(urls().slice(before)).toEqual(['/api/runs?job=many&limit=3', '/api/runs?job=many&limit=1&cursor=2']);
  });

  it('has everything with --all', async () => {
    const { stdout, stderr } = await line('runs list --job many --all --quiet');
    expect([stdout.split('\n').length - 1, stderr]).toEqual([5, '']);
  });

  it('is the answer as it came with --json, a page at a time', async () => {
    const first = await line('runs list --job many --json --limit 2');
    expect(first.stdout).toBe(JSON.stringify(page(0, 2)));
    expect(first.stderr).toContain('pass "next" as --cursor');
    const second = await line('runs list --job many --json --limit 2 --cursor 2');
    expect(JSON.parse(second.stdout).runs[0].id).toBe('many-3');
    expect((await line('runs list --json --all')).code).toBe(2);
    expect((await line('runs list --cursor 2')).code).toBe(2);
  });

  it('is a line of JSON for each with --jsonl', async () => {
    const { stdout } = await line('runs list --job many --all --jsonl');
    expect(
      stdout
        .trim()
        .split('\n')
        .map((each) => JSON.parse(each).id),
    ).toEqual(['many-1', 'many-2', 'many-3', 'many-4', 'many-5']);
  });

  it('has the columns that are asked for', async () => {
    expect((await line('runs list --columns started,run', 80)).stdout.split('\n')[0]).toMatch(/^STARTED +RUN$/);
    const wrong = await line('runs list --columns rnu');
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('Did you mean "run"?')]);
  });

  it('asks for no more than what reads it takes', async () => {
    const before = app.asked.length;
    const argv = 'runs list --job many --all --quiet'.split(' ');
    expect((await commandLine(argv, { env: env(), closesAfter: 2 })).code).toBe(0);
    expect(urls().slice(before)).toHaveLength(2);
  });

  it('has room for 80 columns if the terminal says that it has none', async () => {
    expect((await line('runs list --utc', 0)).stdout).toBe((await line('runs list --utc', 80)).stdout);
  });

  it('says on the other stream that there is nothing', async () => {
    expect(await line('runs list --job none')).toEqual({ code: 0, stdout: '', stderr: 'There are no such runs.\n' });
  });
});
