import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runOnce } from '../../../host/once/run-once.ts';
import type { PACE } from '../../../host/once/run-watch.ts';
import type { Unfinished } from '../../../host/triggers/durable.ts';

const FAST: typeof PACE = {
  tick: 2,
  firstPoll: 4,
  slowestPoll: 10,
  firstReport: 20,
  slowestReport: 1_000,
  grace: 40,
  shared: 20,
  patience: 60_000,
  contended: 2,
  askAgain: 50,
};

const RUN = 'nightly-20261121T233000Z-k3f9q2';
const OTHER = 'nightly-20261121T220000Z-aaaaaa';

interface Answer {
  status: number;
  body?: object;
  location?: string;
}

const started: Answer = { status: 202, location: `/api/runs/${RUN}` };
const inProgress: Answer = { status: 409, body: { code: 'run-in-progress', detail: 'Run is in progress', run: OTHER } };
const isNow = (status: string): Answer => ({ status: 200, body: { status, counts: { copied: 3 } } });
const outOfReach: Answer = { status: 502, body: { code: 'unreachable', detail: 'The vault does not answer' } };

let server: Server;
let printed: string[];
let calls: string[];
/** The answers to each call; the last one repeats. */
let script: Record<string, Answer[]>;
let unfinished: () => Unfinished[];

beforeEach(async () => {
  [printed, calls, script, unfinished] = [[], [], {}, () => []];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed.push(String(text).trim());
    return true;
  });
  server = createServer((request, response) => {
    const call = `${request.method} ${request.url}`;
    calls.push(call);
    const answers = script[call] ?? [{ status: 404, body: { detail: 'There is no such thing' } }];
    const answer = (answers.length > 1 ? answers.shift() : answers[0])!;
    const headers = answer.location === undefined ? {} : { location: answer.location };
    response.writeHead(answer.status, headers).end(JSON.stringify(answer.body ?? {}));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});

afterEach(() => {
  vi.restoreAllMocks();
  server.closeAllConnections();
  server.close();
});

const times = (call: string) => calls.filter((each) => each === call).length;

function run(
  signal = new AbortController().signal,
  key?: string,
  pace = FAST,
  mode: 'full' | 'configured' = 'configured',
): Promise<number> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const host = { url, unfinished: () => unfinished() };
  return runOnce(host, { job: 'nightly', mode, key }, signal, pace);
}

const START = 'POST /api/jobs/nightly/runs';
const STATUS = `GET /api/runs/${RUN}`;
const OF_OTHER = `GET /api/runs/${OTHER}`;

describe('a process that runs one job', () => {
  test.each([
    ['succeeded', 0],
    ['completed-with-failures', 3],
    ['failed', 4],
    ['cancelled', 5],
  ])('has an exit code for a run that is %s', async (status, code) => {
    script = { [START]: [started], [STATUS]: [isNow('running'), isNow(status)] };
    expect(await run()).toBe(code);
    expect(printed).toEqual([`nightly: ${status} · ${RUN} · 3 copied`]);
  });

  test('prints each problem with what to do, and names no call that nothing serves', async () => {
    const problem = { container: 'data', message: '1 blob: gone', hint: `Retry: POST /api/runs/${RUN}/retry` };
    const ended = { status: 200, body: { status: 'failed', problems: Array.from({ length: 25 }, () => problem) } };
    script = { [START]: [started], [STATUS]: [ended] };
    expect(await run()).toBe(4);
    expect(printed).toHaveLength(22);
    expect(printed[1]).toMatch(/^data: 1 blob: gone\. Retry: curl -X POST http:\S+\/retry\. These calls need a host/);
    expect(printed.at(-1)).toBe('and 5 more problems');
  });

  test('continues while the status of the run is unknown for a while', async () => {
    script = { [START]: [started], [STATUS]: [outOfReach, outOfReach, isNow('running'), isNow('succeeded')] };
    expect(await run()).toBe(0);
    expect(printed[0]).toMatch(/^Cannot get the status of run \S+, and asks again: The vault does not answer\.$/);
    expect(printed.filter((line) => line.startsWith('Cannot'))).toHaveLength(1);
  });

  test('ends with a code of its own if the status stays unknown', async () => {
    script = { [START]: [started], [STATUS]: [outOfReach] };
    await expect(run(undefined, undefined, { ...FAST, patience: 30 })).rejects.toMatchObject({ exitCode: 69 });
  });

  test('waits as long as the run is in this process, even if its status is unknown', async () => {
    script = { [START]: [started], [STATUS]: [...Array<Answer>(8).fill(outOfReach), isNow('succeeded')] };
    unfinished = () => (times(START) > 0 && times(STATUS) < 9 ? [{ id: RUN, root: RUN }] : []);
    expect(await run(undefined, undefined, { ...FAST, patience: 0 })).toBe(0);
  });

  test('starts again until no other call starts at the same time, and ends with 11 if that lasts', async () => {
    const contended: Answer = {
      status: 409,
      body: { code: 'lock-contended', detail: 'Several calls', hint: 'Try again' },
    };
    script = { [START]: [contended, contended, started], [STATUS]: [isNow('succeeded')] };
    expect(await run()).toBe(0);
    script = { [START]: [contended] };
    await expect(run()).rejects.toMatchObject({ exitCode: 11 });
  });

  test.each([
    [{ status: 400, body: { code: 'body-invalid' } }, 8],
    [{ status: 409, body: { code: 'job-not-found' } }, 8],
    [outOfReach, 69],
    [{ status: 500, body: { code: 'internal' } }, 1],
    [{ status: 401 }, 12],
  ])('does not start where the API refuses: %j', async (answer, exitCode) => {
    script = { [START]: [answer as Answer] };
    await expect(run()).rejects.toMatchObject({ exitCode });
  });

  test('waits for a run of another host with ever fewer lines that say how to end it, and then starts', async () => {
    script = {
      [START]: [...Array<Answer>(5).fill(inProgress), started],
      [OF_OTHER]: [isNow('running')],
      [STATUS]: [isNow('succeeded')],
    };
    expect(await run(undefined, 'a key of many letters')).toBe(0);
    expect(printed[0]).toBe(`nightly: waiting for run ${OTHER}, which is in progress elsewhere.`);
    const lines = printed.filter((line) => line.includes('running'));
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.length).toBeLessThan(6);
    expect(lines[0]).toMatch(
      /running · \S+ · 3 copied\. To end it, in another terminal: curl -X POST http:\S+\/cancel -H "x-functions-key: \$STRONGROOM_KEY"$/,
    );
    // Only a start takes over from a run that is stuck.
    expect(calls.filter((call) => call === START)).toHaveLength(6);
  });

  test('says of a silent run since when it is silent, until when it waits, and what ends it at once', async () => {
    const now = Date.now();
    const [lastSign, countsAsLostAt] = [now - 240_500, now + 359_500].map((at) => new Date(at).toISOString());
    const silent = { status: 200, body: { status: 'running', counts: { copied: 3 }, lastSign, countsAsLostAt } };
    script = { [START]: [inProgress, started], [OF_OTHER]: [silent, isNow('failed')], [STATUS]: [isNow('succeeded')] };
    expect(await run()).toBe(0);
    expect(printed[1]).toMatch(
      /^It gave its last sign of life 4 min \d s ago, at [\d:]{8} UTC\. If its host has stopped, it counts as lost at [\d:]{8} UTC, in 5 min \d+ s, and this run starts then\. To end it at once, in another terminal: curl -X POST http:\S+\/cancel -d '\{"force":true\}'$/,
    );
  });

  test('prints its numbers for people', async () => {
    const ended = {
      status: 'completed-with-failures',
      ...{ startedAt: '2026-11-21T23:30:00Z', finishedAt: '2026-11-21T23:32:05Z' },
      counts: { listed: 12_345, copied: 1_200, unchanged: 11_144, skipped: 0, failed: 1 },
      bytes: { listed: 999, copied: 3_565_158, unchanged: 5, skipped: 0, failed: 1 },
      noLongerHeld: { deleted: 2, skipped: 0, failed: 0, notSelected: 1 },
      ...{ progress: { fraction: 1, blobsPerSecond: 9 }, requests: { list: 3 }, chain: { number: 7 } },
    };
    script = { [START]: [started], [STATUS]: [{ status: 200, body: ended }] };
    await run();
    expect(printed).toEqual([
      `nightly: completed-with-failures · ${RUN} · 12,345 listed: 1,200 copied (3.4 MiB), 11,144 unchanged (5 bytes), ` +
        '1 failed (1 byte) · no longer held: 2 deleted, 1 not selected · took 2 min 5 s',
    ]);
  });

  test('finishes a run of an earlier start before it starts its own', async () => {
    const there = [
      { id: 'other-20261121T220000Z-aaaaaa', root: 'other-20261121T220000Z-aaaaaa' },
      { id: OTHER, root: OTHER },
      { id: `${OTHER}:0001`, root: OTHER },
    ];
    let asked = 0;
    unfinished = () => (asked++ < 20 ? there : []);
    script = { [START]: [started], [OF_OTHER]: [isNow('succeeded')], [STATUS]: [isNow('failed')] };
    expect(await run()).toBe(4);
    expect(printed.slice(0, 2)).toEqual([
      `nightly: run ${OTHER} of an earlier start continues first.`,
      `nightly: succeeded · ${OTHER} · 3 copied`,
    ]);
    expect(calls.indexOf(START)).toBeGreaterThan(calls.indexOf(OF_OTHER));
  });

  test('starts its own run where the vault does not have the run of an earlier start', async () => {
    let asked = 0;
    unfinished = () => (asked++ < 20 ? [{ id: OTHER, root: OTHER }] : []);
    script = { [START]: [started], [STATUS]: [isNow('succeeded')] };
    expect(await run()).toBe(0);
    expect(printed[1]).toMatch(/^Cannot get the status of run nightly-20261121T220000Z-aaaaaa: There is no such thing/);
  });

  test.each([
    ['succeeded', 'failed', 4],
    ['completed-with-failures', 'failed', 3],
    ['succeeded', 'succeeded', 0],
  ])('waits for a run that follows: %s, then %s', async (first, second, code) => {
    const own = { id: RUN, root: RUN };
    unfinished = () => {
      // It is none of an earlier start, and it ends when the other has ended.
      if (times(START) === 0 || times(OF_OTHER) >= 2) return [];
      return times(STATUS) > 0 ? [own, { id: OTHER, root: RUN }] : [own];
    };
    script = { [START]: [started], [STATUS]: [isNow(first)], [OF_OTHER]: [isNow('running'), isNow(second)] };
    expect(await run()).toBe(code);
  });

  test.each([
    ['failed', 4],
    ['succeeded', 0],
  ])('finds a run that followed and has ended before it looks: %s', async (end, code) => {
    const followers = {
      runs: [
        { id: 'unrelated', follows: 'another' },
        { id: OTHER, follows: RUN },
      ],
    };
    script = {
      [START]: [started],
      [STATUS]: [isNow('succeeded')],
      'GET /api/runs?job=nightly&trigger=run&limit=20': [{ status: 200, body: followers }],
      [OF_OTHER]: [isNow(end)],
    };
    expect(await run()).toBe(code);
    expect(printed).toContain(`nightly: run ${OTHER} follows.`);
  });

  test('a run that engages the safety brake has a code of its own', async () => {
    const problems = [{ code: 'brake-engaged', message: 'most of images is gone', hint: 'Look' }];
    script = { [START]: [started], [STATUS]: [{ status: 200, body: { status: 'succeeded', problems } }] };
    expect(await run()).toBe(6);
  });

  test('a signal cancels the run, or leaves it to the next start if it does not end in time', async () => {
    const signal = new AbortController();
    script = {
      [START]: [started],
      [STATUS]: [isNow('running'), isNow('running'), isNow('running'), isNow('cancelled')],
      [`POST /api/runs/${RUN}/cancel`]: [{ status: 202 }],
    };
    setTimeout(() => signal.abort('SIGTERM'), 10);
    expect(await run(signal.signal)).toBe(143);
    script[STATUS] = [isNow('running')];
    expect(await run(AbortSignal.abort('SIGINT'))).toBe(130);
    const late = new AbortController();
    setTimeout(() => late.abort('SIGINT'), 10);
    expect(await run(late.signal)).toBe(130);
    expect(printed.at(-1)).toContain('ends with the next start: npm start, or --once nightly');
  });

  test('a run that ends in the last moment of its grace is seen, though its last answer is older', async () => {
    const late = new AbortController();
    setTimeout(() => late.abort('SIGTERM'), 10);
    script = { [START]: [started], [STATUS]: [isNow('running')], [`POST /api/runs/${RUN}/cancel`]: [{ status: 202 }] };
    const ended = run(late.signal, undefined, { ...FAST, shared: 100 });
    await expect.poll(() => times(`POST /api/runs/${RUN}/cancel`), { interval: 1 }).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, FAST.grace + 30));
    script[STATUS] = [isNow('cancelled')];
    expect(await ended).toBe(143);
    expect(printed.at(-1)).toBe(`nightly: cancelled · ${RUN} · 3 copied`);
  });

  const RULE = 'POST /api/archives/nightly/reconcile';
  const noJob = { status: 404, body: { code: 'job-not-found', detail: 'No job', hint: 'The jobs are: weekly' } };
  const noRule = { status: 404, body: { code: 'rule-not-found', detail: 'No rule', hint: 'The rules are: uploads' } };

  test('a name that is neither a job nor an archive rule is a wrong option, and both are listed', async () => {
    script = { [START]: [noJob], [RULE]: [noRule] };
    await expect(run()).rejects.toMatchObject({
      message: 'There is no job or archive rule "nightly". The jobs are: weekly. The rules are: uploads.',
      exitCode: 2,
    });
  });

  test('a mode is refused where there is no job, and no reconciliation starts', async () => {
    script = { [START]: [noJob], [RULE]: [started], [STATUS]: [isNow('succeeded')] };
    const signal = new AbortController().signal;
    await expect(run(signal, undefined, FAST, 'full')).rejects.toMatchObject({
      message: expect.stringContaining('leave out --mode'),
      exitCode: 2,
    });
    expect(times(RULE)).toBe(0);
    expect(await run()).toBe(0);
  });

  test('without a key that the app knows, it says which setting to set', async () => {
    const hint = 'Send a key in the header x-functions-key';
    script = {
      [START]: [{ status: 401, body: { code: 'sign-in-needed', detail: 'It is not known who calls', hint } }],
    };
    await expect(run()).rejects.toMatchObject({
      message:
        'Cannot start "nightly": It is not known who calls. ' +
        'Set STRONGROOM_KEY to one of the keys in "access.keys" of strongroom.json.',
      exitCode: 12,
    });
  });

  test('the line of a verification that follows says so, with its kind and its verdict', async () => {
    const verify = { kind: 'quick', point: RUN };
    const verified = (status: string, verdict: string) => ({
      status: 200,
      body: { status, mode: 'verify', verify, counts: { failed: 0 }, ...(verdict && { verdict }) },
    });
    for (const [status, verdict] of [
      ['succeeded', '230 items checked, by listing only, none wrong'],
      ['failed', ''],
    ] as const) {
      unfinished = () =>
        times(STATUS) > 0 && times(OF_OTHER) === 0
          ? [
              { id: RUN, root: RUN },
              { id: OTHER, root: RUN },
            ]
          : [];
      [printed, calls] = [[], []];
      script = { [START]: [started], [STATUS]: [isNow('succeeded')], [OF_OTHER]: [verified(status, verdict)] };
      await run();
      expect(printed.at(-1)).toBe(
        `nightly: quick verification ${status} · ${OTHER}${verdict && ` · restore point ${RUN}: ${verdict}`} · 0 failed`,
      );
    }
  });

  test('a signal ends the wait for the run of another host, which is not cancelled', async () => {
    const signal = new AbortController();
    script = { [START]: [inProgress], [OF_OTHER]: [isNow('running')] };
    setTimeout(() => signal.abort('SIGTERM'), 30);
    expect(await run(signal.signal)).toBe(143);
    expect(calls.some((call) => call.endsWith('/cancel'))).toBe(false);
  });
});
