import { afterEach, describe, expect, it } from 'vitest';
import { kindOf, progressWords } from '../../../cli/runs/describe-run.ts';
import { REPORT, RUNNING } from '../../support/app/canned-answers.ts';
import { type CannedAnswer, type CannedApp, cannedApp, commandLine } from '../../support/app/command-line.ts';

let app: CannedApp | undefined;
afterEach(() => app?.stop());

const STARTED = {
  ...{ id: REPORT.id, job: 'nightly', mode: 'incremental', dryRun: false, status: 'running' },
  location: `/api/runs/${REPORT.id}`,
};

/** An app whose run gives these answers one after another, the last one for good. */
async function watched(answers: CannedAnswer[], others: Record<string, CannedAnswer> = {}) {
  app = await cannedApp((call) => {
    const [path = ''] = call.split('?');
    if (others[path]) return others[path];
    if (path === 'POST /api/jobs/nightly/runs') return { status: 202, body: STARTED };
    if (path.startsWith('GET /api/runs/')) return answers.length > 1 ? answers.shift() : answers[0];
    return undefined;
  });
  return { STRONGROOM_URL: app.url };
}

/** A clock that is so many milliseconds later at each look. */
function clock(step: number): () => Date {
  let time = 0;
  return () => {
    time += step;
    return new Date(time);
  };
}

const ended = (status: string) => ({ body: { ...REPORT, status } });

describe('a run that is watched', () => {
  it.each([
    ['succeeded', 0],
    ['completed-with-failures', 3],
    ['failed', 4],
    ['cancelled', 5],
    ['of a later version', 1],
  ])('has the exit code of %s', async (status, code) => {
    const env = await watched([ended(status)]);
    expect((await commandLine(['runs', 'watch', REPORT.id], { env })).code).toBe(code);
  });

  it('says how it ended, with its problems and the next command', async () => {
    const env = await watched([{ body: RUNNING }, ended('completed-with-failures')]);
    const { stdout, stderr } = await commandLine(['runs', 'watch', REPORT.id], { env });
    expect(stdout).toBe(
      'incomplete  5,020 listed: 14 copied (3.4 MiB), 5,005 unchanged, 1 failed · took 11 min 7 s\n' +
        '  images: 1 blob: leased at the destination  destination-leased\n' +
        '      Break the lease (az storage blob lease break), then retry.\n' +
        `Retry what failed: strongroom runs retry ${REPORT.id}\n`,
    );
    // Not every look is a line where no terminal shows it.
    expect(stderr).toBe('');
  });

  it('shows its progress in one line of a terminal', async () => {
    const env = await watched([{ body: RUNNING }, ended('succeeded')]);
    const { stderr } = await commandLine(['runs', 'watch', REPORT.id], { env, columns: 120 });
    const line = '████████████░░░░░░░░  62 %  copying  3,101 of about 5,002  517/s  2.0 MiB/s  about 4 s left';
    expect(stderr).toBe(`\r\x1b[K${line}\r\x1b[K`);
    // The report of each of thousands of containers would come with each look.
    expect(app!.asked.every(({ url }) => url.endsWith('?containers=none'))).toBe(true);
  });

  it('shows a line every ten seconds elsewhere', async () => {
    const env = await watched([{ body: RUNNING }, { body: RUNNING }, { body: RUNNING }, ended('succeeded')]);
    const { stderr } = await commandLine(['runs', 'watch', REPORT.id], { env, now: clock(2_600) });
    expect(stderr.match(/62 %/g)).toHaveLength(1);
  });

  it('continues through answers that say nothing about it', async () => {
    const env = await watched([{ status: 502, body: 'x' }, { status: 503, body: '' }, ended('succeeded')]);
    expect((await commandLine(['runs', 'watch', REPORT.id], { env })).code).toBe(0);
  });

  it('continues through a restart of the app, during which the platform answers', async () => {
    const restart = [
      { status: 404, body: '' },
      { status: 403, body: '<html>stopped</html>' },
    ];
    const env = await watched([{ body: RUNNING }, ...restart, ended('succeeded')]);
    expect((await commandLine(['runs', 'watch', REPORT.id], { env })).code).toBe(0);
    await app!.stop();
    const never = await watched([{ status: 404, body: '' }, ended('succeeded')]);
    expect((await commandLine(['runs', 'watch', REPORT.id], { env: never })).code).toBe(8);
  });

  it('has a code of its own if it has engaged the safety brake', async () => {
    const problems = [{ ...REPORT.problems[0]!, code: 'brake-engaged' }];
    const of = (status: string) => watched([{ body: { ...REPORT, status, problems } }]);
    expect((await commandLine(['runs', 'watch', REPORT.id], { env: await of('succeeded') })).code).toBe(6);
    await app!.stop();
    expect((await commandLine(['runs', 'watch', REPORT.id], { env: await of('failed') })).code).toBe(4);
  });

  it('has its code, too, if nothing reads the output any more', async () => {
    const start = ['runs', 'start', 'nightly', '--mode', 'incremental', '--watch'];
    const answers = () => [{ body: RUNNING }, { body: RUNNING }, ended('failed')];
    expect((await commandLine(start, { env: await watched(answers()), closesAfter: 1 })).code).toBe(4);
    await app!.stop();
    // Nobody would see the lines to come.
    const { code, stderr } = await commandLine([...start, '--jsonl'], {
      env: await watched(answers()),
      closesAfter: 1,
    });
    expect([code, stderr]).toEqual([75, expect.stringContaining('The run continues.')]);
  });

  it('of a prune is a plan only if it deletes nothing', () => {
    expect([true, false].map((dryRun) => kindOf({ mode: 'prune', dryRun }))).toEqual(['prune plan', 'prune']);
  });

  it.each([
    ['restore', false, 'restoring'],
    ['verify', false, 'verifying'],
    ['prune', false, 'deleting'],
    ['reprocess', false, 'archiving'],
    ['full', true, 'deciding'],
  ] as const)('of mode %s, a dry run: %s, is %s, with its rate and the time left', (mode, dryRun, word) => {
    expect(progressWords({ ...RUNNING, mode, dryRun })).toMatch(
      new RegExp(`62 % {2}${word} {2}3,101 of about 5,002 {2}517/s .* about 4 s left$`),
    );
  });

  it('ends with an answer that does', async () => {
    const env = await watched([
      { status: 404, body: { title: 'Not found', code: 'run-not-found', detail: 'no run x' } },
    ]);
    const { code, stderr } = await commandLine(['runs', 'watch', 'x'], { env });
    expect([code, stderr]).toEqual([8, 'Not found: no run x\n']);
  });

  it('is a line of JSON for each look with --jsonl, and its report as it came with --json', async () => {
    const answers = [{ body: RUNNING }, ended('succeeded')];
    const lines = (await commandLine(['runs', 'watch', REPORT.id, '--jsonl'], { env: await watched(answers) })).stdout;
    const parsed = lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(parsed.map(({ type, run }) => [type, run.status])).toEqual([
      ['progress', 'running'],
      ['end', 'succeeded'],
    ]);
    await app!.stop();
    const bytes = `{ "id": "x",  "status":"succeeded" , "problems":[]}`;
    const { stdout } = await commandLine(['runs', 'watch', REPORT.id, '--json'], {
      env: await watched([{ body: bytes }]),
    });
    expect(stdout).toBe(bytes);
  });

  it('continues when the wait is over, and says how to watch it', async () => {
    const env = await watched([{ body: RUNNING }]);
    const options = { env, now: clock(600) };
    const { code, stderr } = await commandLine(['runs', 'watch', REPORT.id, '--timeout', '1s'], options);
    expect(code).toBe(75);
    expect(stderr).toContain(`The wait is over. The run continues. To watch it: strongroom runs watch ${REPORT.id}`);
  });

  it('continues after Ctrl-C, and says how to watch it', async () => {
    const interrupt = new AbortController();
    const env = await watched([{ body: RUNNING }]);
    const waiting = commandLine(['runs', 'start', 'nightly', '--mode', 'incremental', '--watch'], {
      ...{ env, interrupted: interrupt.signal },
    });
    setTimeout(() => interrupt.abort(), 150);
    const { code, stderr } = await waiting;
    expect(code).toBe(130);
    expect(stderr).toContain(`Interrupted. The run continues. To watch it: strongroom runs watch ${REPORT.id}`);
    expect(app!.asked.some(({ url }) => url.endsWith('/cancel'))).toBe(false);
  });
});

describe('a start', () => {
  it('whose answer is lost is not sent again, and may have started a run', async () => {
    app = await cannedApp(() => ({ isLost: true }));
    const line = ['runs', 'start', 'nightly', '--mode', 'incremental'];
    const { code, stderr } = await commandLine(line, { env: { STRONGROOM_URL: app.url } });
    expect([code, app.asked.length]).toEqual([69, 1]);
    expect(stderr).toContain('The app may have done what was asked all the same.');
  });

  const bodies = () => app!.asked.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body));
  const full = { 'GET /api/jobs/nightly': { body: { mode: 'full' } } };

  it.each([
    [[], { mode: 'configured', dryRun: false }],
    [['--mode', 'incremental'], { mode: 'incremental', dryRun: false }],
    [['--mode', 'full', '--dry-run'], { mode: 'full', dryRun: true }],
  ])('with %j always sends the mode', async (more, body) => {
    const env = await watched([ended('succeeded')]);
    const { code, stdout, stderr } = await commandLine(['runs', 'start', 'nightly', ...more], { env });
    expect([code, bodies()]).toEqual([0, [body]]);
    expect(stdout).toBe(`${REPORT.id}  backup\n`);
    expect(stderr).toContain(`strongroom runs watch ${REPORT.id}`);
  });

  it('prints the id alone, or the answer as it came', async () => {
    const env = await watched([ended('succeeded')]);
    const start = (format: string) =>
      commandLine(['runs', 'start', 'nightly', '--mode', 'incremental', format], { env });
    expect(await start('--quiet')).toEqual({ code: 0, stdout: `${REPORT.id}\n`, stderr: '' });
    expect(await start('--json')).toEqual({ code: 0, stdout: JSON.stringify(STARTED), stderr: '' });
  });

  it.each([
    ['--mode full', ['--mode', 'full'], {}],
    ['a job that is configured so', [], full],
  ])('of a full run, by %s, says first what the last one cost', async (_, more, others) => {
    const env = await watched([ended('succeeded')], { 'GET /api/runs': { body: { runs: [REPORT] } }, ...others });
    const { code, stderr } = await commandLine(['runs', 'start', 'nightly', ...more], { env });
    expect(code).toBe(0);
    expect(stderr).toContain(
      `The last one, ${REPORT.id}, copied 14 (3.4 MiB) for 0.0200 USD at the prices of 2026-09-30, and 1.50 USD a month`,
    );
    expect(bodies()).toHaveLength(1);
  });

  it('of a full run asks at a terminal, and starts nothing without a yes', async () => {
    const env = await watched([ended('succeeded')]);
    const line = ['runs', 'start', 'nightly', '--mode', 'full'];
    const no = await commandLine(line, { env, columns: 80, types: '\n' });
    expect([no.code, bodies()]).toEqual([7, []]);
    expect(no.stderr).toContain('What it costs is not known');
    expect((await commandLine(line, { env, columns: 80, types: 'y\n' })).code).toBe(0);
    expect((await commandLine([...line, '--yes'], { env, columns: 80, types: '' })).code).toBe(0);
    expect(bodies()).toHaveLength(2);
  });

  it('does not need the right to read', async () => {
    const denied = { status: 403, body: { title: 'No', code: 'not-allowed', detail: 'no', needs: 'read' } };
    const env = await watched([ended('succeeded')], { 'GET /api/jobs/nightly': denied, 'GET /api/runs': denied });
    expect((await commandLine(['runs', 'start', 'nightly'], { env })).code).toBe(0);
    expect((await commandLine(['runs', 'start', 'nightly', '--mode', 'full'], { env })).code).toBe(0);
  });
});
