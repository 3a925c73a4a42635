import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hostBundle } from '../../support/app/host-bundle.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import { isCopy } from '../../support/faults/fault-proxy.ts';
import { refusal } from '../../support/faults/faults.ts';

const bed = useTestBed();
const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Ends no test on a busy machine: it starts a dozen hosts one after another. */
const LONG = { timeout: 400_000 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'strongroom-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A process that runs `--once`, as cron starts it. */
interface Night {
  code: number | null;
  output: string;
}

const SCHEDULED = {
  name: 'nightly',
  schedule: '0 30 23 * * *',
  timeZone: 'Europe/Berlin',
  source: { account: 'SOURCE', containers: ['data'] },
  destination: { account: 'VAULT', container: '{container}backup' },
};
const OTHER = { ...SCHEDULED, name: 'other', destination: { account: 'VAULT', container: '{container}other' } };

const VERIFIED = {
  ...SCHEDULED,
  name: 'verified',
  destination: { account: 'VAULT', container: '{container}verified' },
  verify: { afterRun: 'quick' },
};

interface Started {
  pid: number;
  printed(pattern: RegExp): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  ended: Promise<Night>;
}

/** `largest`: the size to which a file may grow, in blocks of 512 bytes. */
async function begin(job = 'nightly', { args = [] as string[], largest = '' } = {}): Promise<Started> {
  const config = join(folder, 'strongroom.json');
  writeFileSync(config, JSON.stringify({ jobs: [SCHEDULED, OTHER, VERIFIED] }));
  const command = [
    await hostBundle(),
    '--data',
    bed.dataDir,
    ...(job === '' ? ['--port', '0'] : ['--once', job]),
    ...args,
  ];
  const [file, ...given] = largest
    ? ['sh', '-c', `ulimit -f ${largest}; exec "$@"`, 'sh', process.execPath, ...command]
    : [process.execPath, ...command];
  const child = spawn(file!, given, {
    cwd: root,
    env: {
      ...process.env,
      SOURCE: bed.proxy.connectionString(bed.source),
      VAULT: bed.proxy.connectionString(bed.vault),
      STRONGROOM_CONFIG: config,
      STRONGROOM_LIMITS: JSON.stringify({ sliceBlobs: 10, chunkBlobs: 5 }),
      NODE_OPTIONS: '',
      NODE_ENV: undefined,
      VITEST: undefined,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return {
    pid: child.pid ?? -1,
    printed: (pattern) => expect.poll(() => output, { timeout: 30_000 }).toMatch(pattern),
    kill: (signal) => child.kill(signal),
    ended: once(child, 'close').then(([code]) => ({ code, output })),
  };
}

async function night(job?: string): Promise<Night> {
  return (await begin(job)).ended;
}

/** The night ends with this code, and with a restore point that equals the source. */
async function expectBackedUp({ code, output }: Night): Promise<void> {
  expect([code, output]).toEqual([0, expect.stringMatching(/^nightly: succeeded/m)]);
  expect(output).not.toMatch(/run-in-progress|Cannot start/);
  await bed.expectBackedUp();
}

/** Ends the night in the middle of its copies. */
async function endedInTheMiddle(signal: NodeJS.Signals): Promise<Night> {
  const fast = bed.slowCopies(7_000);
  const started = await begin();
  const copies = () => bed.proxy.requests.filter(({ headers }) => 'x-ms-copy-source' in headers).length;
  const before = copies();
  await expect.poll(copies, { timeout: 30_000 }).toBeGreaterThan(before);
  started.kill(signal);
  const ended = await started.ended;
  fast();
  return ended;
}

/** As if a day had passed since the timers of a host fired last. */
function pastDue(): void {
  const file = join(bed.dataDir, 'timers.json');
  const timers = JSON.parse(readFileSync(file, 'utf8'));
  for (const timer of Object.values(timers) as { Last: string }[]) timer.Last = '2026-01-01T00:00:00.000Z';
  writeFileSync(file, JSON.stringify(timers));
}

describe('fourteen nights of cron', () => {
  let texts = 0;
  const change = () => bed.upload(`new-${texts++}`, `text ${texts}`);

  test('each ends with what happened, and each that was not killed leaves a restore point', LONG, async () => {
    await bed.fill(30);
    // A host was there once, and has left the state of its timers.
    const host = await begin('');
    await host.printed(/^ready/m);
    host.kill('SIGTERM');
    expect((await host.ended).code).toBe(0);

    pastDue();
    await expectBackedUp(await night());
    await change();
    const timers = readFileSync(join(bed.dataDir, 'timers.json'), 'utf8');
    await expectBackedUp(await night());
    // What a host has to make up for is still known.
    expect(readFileSync(join(bed.dataDir, 'timers.json'), 'utf8')).toBe(timers);

    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      await Promise.all(Array.from({ length: 8 }, change));
      const killed = await endedInTheMiddle(signal);
      expect(killed.code).toBe(signal === 'SIGKILL' ? null : 143);
      expect(killed.output).not.toMatch(/(POST|GET) \/api/);
      await change();
      const after = await night();
      // SIGTERM cancels the run, which may still end in time. Then nothing is left to continue.
      if (!/^nightly: cancelled/m.test(killed.output)) {
        expect(after.output).toMatch(/^nightly: run nightly-\S+ of an earlier start continues first\.$/m);
      }
      await expectBackedUp(after);
    }

    // Two nights are missed. A second job starts at the same minute.
    await change();
    const [nightly, other] = await Promise.all([night(), night('other')]);
    await expectBackedUp(nightly);
    expect([other.code, other.output]).toEqual([0, expect.stringMatching(/^other: succeeded/m)]);
    expect(nightly.output + other.output).toMatch(/Waiting until --once (nightly|other) \(process \d+\) ends/);

    // A file that may not grow, as on a full disk.
    await Promise.all(Array.from({ length: 8 }, change));
    if (process.platform !== 'win32') {
      const { code, output } = await (await begin('nightly', { largest: '16' })).ended;
      const words = /^Cannot write \S+: the file may not grow any more\. .* Nothing that it has confirmed is lost/m;
      expect([code, output]).toEqual([74, expect.stringMatching(words)]);
    }
    await expectBackedUp(await night());

    // The data directory is not kept.
    bed.loseData();
    await change();
    await expectBackedUp(await night());
  });
});

test('the run of another job in the journal stays as it is', async () => {
  await bed.fill(20);
  const fast = bed.slowCopies(2_000);
  const killed = await begin('other');
  await expect
    .poll(() => bed.proxy.requests.some(({ headers }) => 'x-ms-copy-source' in headers), { timeout: 30_000 })
    .toBe(true);
  killed.kill('SIGKILL');
  await killed.ended;
  fast();
  const { run } = await bed.lock('other');
  const copies = () =>
    bed.proxy.requests.filter(({ path, method }) => method === 'PUT' && path.includes('/dataother/')).length;
  const before = copies();
  await expectBackedUp(await night());
  expect(copies()).toBe(before);
  expect((await bed.lock('other')).run).toEqual(run);
  const { code, output } = await night('other');
  expect([code, output]).toEqual([0, expect.stringMatching(/^other: succeeded/m)]);
  expect(output).toContain(`run ${run?.id} of an earlier start continues first`);
});

test('the verification that follows a run is waited for, so that the next night has nothing to finish', async () => {
  await bed.fill(5);
  const first = await night('verified');
  expect([first.code, first.output]).toEqual([0, expect.stringMatching(/^verified: run verified-\S+ follows\.$/m)]);
  expect(first.output).toMatch(/^verified: succeeded · verified-/m);
  expect(first.output).toMatch(/^verified: quick verification succeeded · verified-\S+ · restore point \S+: \d+ item/m);
  expect(first.output).toMatch(/: \d+ items? checked, by listing only, none wrong/);
  const second = await night('verified');
  expect(second.output).not.toContain('of an earlier start');
  expect(second.code).toBe(0);
});

test('a host that stays and has the data directory is named, with the call that runs the job there', async () => {
  const host = await begin('');
  await host.printed(/^ready/m);
  const { code, output } = await night();
  expect(code).toBe(11);
  const [, url] = /curl -X POST (http:\S+\/api\/jobs\/nightly\/runs) -d '{"mode": "configured"}'/.exec(output) ?? [];
  const answer = await fetch(url!, { method: 'POST', body: '{"mode": "configured"}' });
  expect(answer.status).toBe(202);
  host.kill('SIGKILL');
  await host.ended;
});

/** Holds every copy until the returned function is called. */
function holdCopies(): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  bed.proxy.rules.push({ match: isCopy, before: () => promise });
  return resolve;
}

test('a run of another host is waited for, and the run that was asked for follows', async () => {
  await bed.fill(20);
  const release = holdCopies();
  const app = await bed.start({ dataDir: join(folder, 'elsewhere') });
  const id = await app.start();
  const started = await begin();
  await started.printed(new RegExp(`^nightly: waiting for run ${id}, which is in progress elsewhere\\.$`, 'm'));
  release();
  const ended = await started.ended;
  expect(ended.output).toMatch(new RegExp(`^nightly: succeeded · ${id} `, 'm'));
  expect(ended.output.match(/^nightly: succeeded/gm)).toHaveLength(2);
  await expectBackedUp(ended);
});

test('a signal ends the wait for a run of another host, which continues', async () => {
  await bed.fill(20);
  const release = holdCopies();
  const app = await bed.start({ dataDir: join(folder, 'elsewhere') });
  const id = await app.start();
  const started = await begin();
  await started.printed(/waiting for run/);
  started.kill('SIGINT');
  expect((await started.ended).code).toBe(130);
  release();
  expect(await app.ended(id)).toMatchObject({ status: 'succeeded' });
});

test('a run whose record is refused is no success until the account takes it', async () => {
  await bed.fill(3);
  bed.proxy.rules.push({
    match: ({ method, path }) => method === 'PUT' && path.includes('/chain/'),
    times: 1,
    answer: () => refusal(403, 'AuthorizationPermissionMismatch'),
  });
  const ended = await night();
  const [before = ''] = ended.output.split(/^nightly: succeeded/m);
  expect(before).toMatch(
    /^nightly: run \S+ cannot be published yet.* VAULT\/\S+\/chain\/\S+: 403 AuthorizationPermissionM/m,
  );
  await expectBackedUp(ended);
});
