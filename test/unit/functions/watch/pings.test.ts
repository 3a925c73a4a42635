import { expect, test } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import { pingEnd, pingOf, pingStart } from '#app/ping-check.ts';
import { problemOf } from '#domain/run/problems.ts';
import type { RunSummary } from '#domain/run/run.ts';
import type { CheckOption, Ping } from '#domain/watch/ping.ts';
import { watchHandler } from '#functions/watch/watch.ts';
import { jobOf, Vault } from '../../../support/builders/prune-vault.ts';

/** A vault whose job has a check. */
function room(ping: CheckOption = 'CHECK', style: { names?: boolean; link?: string } = {}) {
  const vault = new Vault();
  vault.jobs = [jobOf('nightly', { ping })];
  vault.put('secret/name.txt', 'content');
  const pings: (Ping & { address: string })[] = [];
  let refuses = false;
  const given = vault.deps();
  const notify = {
    every: '',
    timeZone: 'UTC',
    channels: [],
    send: [],
    pings: new Map([['CHECK', 'https://hc/1']]),
    severity: {},
    ...{ names: true, ...style },
  };
  const deps = {
    ...given,
    configuration: { ...given.configuration, notify, accounts: new Map() },
    telemetry: { ...given.telemetry, watchPassed: () => {}, conditionChanged: () => {} },
    notifier: {
      ping: async (address: string, ping: Ping) => {
        if (refuses) throw new Error('HTTP 500');
        pings.push({ ...ping, address });
      },
    },
  } as unknown as Dependencies;
  vault.deps = () => deps;
  return {
    ...{ vault, deps, pings },
    refuse: (value: boolean) => {
      refuses = value;
    },
    reported: () => pings.map(({ event, run }) => `${event} ${run}`),
  };
}

test('a run reports its start and its end, without names of blobs', async () => {
  const { vault, deps, pings, reported } = room();
  const run = await vault.begin({ mode: 'full' });
  await pingStart(deps, run);
  await vault.work(run);
  expect(reported()).toEqual([`start ${run.id}`, `success ${run.id}`]);
  expect(pings[0]!.address).toBe('https://hc/1');
  expect(pings[1]!.body).toContain('listed 1 · copied 1');
  expect(pings.map(({ body }) => body).join()).not.toContain('name.txt');
});

test('a run that fails is a failure, and says why', async () => {
  const { vault, pings } = room();
  vault.source.deleteContainer('data');
  await vault.run({ mode: 'full' });
  expect(pings).toMatchObject([{ event: 'fail', body: expect.stringContaining('container') }]);
});

/** A run that completed with failures, as its summary says. */
async function withFailures(vault: Vault): Promise<RunSummary> {
  const problem = problemOf('access-denied-source', 0, 'very-secret');
  return { ...(await vault.run({ mode: 'full' })), status: 'completed-with-failures', problems: [problem] };
}

test.each([
  ['CHECK', 'fail'],
  [{ url: 'CHECK', incomplete: 'fail' }, 'fail'],
  [{ url: 'CHECK', incomplete: 'ok' }, 'success'],
] as const)('a run with failures is to the check %o as it says: %s', async (check, event) => {
  const { vault, deps, pings } = room(check);
  await pingEnd(deps, await withFailures(vault));
  expect(pings.at(-1)).toMatchObject({ event, address: 'https://hc/1' });
  await pingEnd(deps, { ...(await withFailures(vault)), status: 'failed' });
  expect(pings.at(-1)).toMatchObject({ event: 'fail' });
});

test('a ping names containers unless they may not leave, and ends with the link', async () => {
  for (const names of [true, false]) {
    const link = 'https://backups.example.net/';
    const { vault, deps, pings } = room('CHECK', { names, link });
    await pingStart(deps, await vault.begin({ mode: 'full' }));
    await pingEnd(deps, await withFailures(vault));
    for (const { body } of pings) expect(body.split('\n').at(-1)).toBe(link);
    expect(pings.at(-1)!.body.includes('very-secret')).toBe(names);
  }
});

test('a run that was cancelled is neither good nor bad to its check', async () => {
  const { vault, deps, pings } = room();
  await pingEnd(deps, { ...(await withFailures(vault)), status: 'cancelled' });
  expect(pings.at(-1)).toMatchObject({ event: 'log' });
});

test('runs of each kind have a check of their own', () => {
  const job = { name: 'nightly', ping: 'JOB', verify: { ping: 'VERIFY' }, retention: { ping: 'PRUNE' } };
  const configuration = { jobs: [job], archives: [{ name: 'uploads', ping: 'RULE' }] };
  const deps = { configuration } as unknown as Dependencies;
  const found = (['backup', 'verify', 'prune', 'reconcile'] as const).map((what) => pingOf(deps, 'nightly', what));
  expect(found).toEqual(['JOB', 'VERIFY', 'PRUNE', undefined]);
  expect(pingOf(deps, 'uploads', 'reconcile')).toBe('RULE');
});

test('dry runs and runs of other kinds report to no check', async () => {
  const { vault, reported } = room();
  await vault.run({ mode: 'full', dryRun: true });
  expect(reported()).toEqual([]);
});

test('the watch sends the end of a run that was lost, once', async () => {
  const { vault, deps, reported, refuse } = room();
  refuse(true);
  const { id } = await vault.backup();
  const watch = watchHandler(deps);
  refuse(false);
  // The run itself may be sending it.
  await watch();
  expect(reported()).toEqual([]);
  vault.clock.app += 10 * 60_000;
  await watch();
  await watch();
  expect(reported()).toEqual([`success ${id}`]);
});

test('the watch sends no end of more than a day ago: the check has raised its alarm', async () => {
  const { vault, deps, reported, refuse } = room();
  refuse(true);
  await vault.backup();
  refuse(false);
  vault.clock.app += 25 * 3_600_000;
  await watchHandler(deps)();
  expect(reported()).toEqual([]);
});

test('the watch sends nothing for a run that reported itself', async () => {
  const { vault, deps, reported } = room();
  const { id } = await vault.backup();
  vault.clock.app += 10 * 60_000;
  await watchHandler(deps)();
  expect(reported()).toEqual([`success ${id}`]);
});
