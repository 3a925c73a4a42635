import type { DurableClient } from 'durable-functions';
import { describe, expect, it, test } from 'vitest';
import { jobContextOf } from '#app/job-context.ts';
import { DEFAULT_BRAKE } from '#domain/prune/safety-brake.ts';
import { readersPrefix, signsPath } from '#domain/run/control-paths.ts';
import type { RunRef } from '#domain/run/run.ts';
import { endRunsWithoutJob } from '#functions/run/end-runs-without-job.ts';
import { readersInProgress } from '#functions/run/readers.ts';
import { startRun } from '#functions/run/start-run.ts';
import { StorageError } from '#storage/storage-error.ts';
import { jobOf, Vault } from '../../../support/builders/prune-vault.ts';

/** Another host, which knows none of the orchestrations. */
const client = {
  getStatus: async () => {
    throw new Error('HTTP 404');
  },
  startNew: async () => '',
} as unknown as DurableClient;

const verifying = (point: string) =>
  ({ mode: 'verify', verify: { point, kind: 'quick', portion: '100%', turn: 0, sample: 0 } }) as const;

/** Whether the start of another host leaves a run in progress. */
async function isLeft(vault: Vault, run: RunRef): Promise<boolean> {
  const deps = vault.deps();
  if (run.mode === 'verify') {
    const readers = await readersInProgress(deps, jobContextOf(deps, 'nightly'), client);
    return readers.some(({ id }) => id === run.id);
  }
  const wanted = { job: 'nightly', mode: 'full', trigger: 'http', dryRun: false } as const;
  const started = await startRun(deps, client, wanted);
  return 'running' in started && started.running.id === run.id;
}

describe('F6: after an outage of the vault that is longer than runs may be silent', () => {
  it.each(['incremental', 'verify'] as const)('a run with mode %s that gives a sign now stays', async (mode) => {
    for (const continues of [true, false]) {
      const vault = new Vault({ silentMs: 40 });
      const { id: point } = await vault.backup();
      const run = await vault.begin(mode === 'verify' ? verifying(point) : { mode });
      const sign = () => vault.control.signOfLife(run, new Date(vault.clock.app));
      await sign();
      vault.pass(1);
      let asked = 0;
      vault.before = async ({ name }) => {
        if (name === signsPath(run) && ++asked === 4 && continues) {
          vault.clock.service += 1_000;
          await sign();
        }
      };
      expect(await isLeft(vault, run), `continues: ${continues}`).toBe(continues);
      expect((await vault.control.readSummary(run))?.status).toBe(continues ? undefined : 'failed');
    }
  });

  it('a run that never began is not waited for', async () => {
    const vault = new Vault({ silentMs: 40 });
    await vault.backup();
    const run = await vault.begin({ mode: 'incremental' });
    vault.pass(1);
    let asked = 0;
    vault.before = ({ name }) => {
      if (name === signsPath(run)) asked++;
    };
    expect(await isLeft(vault, run)).toBe(false);
    expect(asked).toBe(1);
  });
});

test('F30: a verification whose occurrence could not be marked as served leaves no reader, and is started again', async () => {
  const vault = new Vault();
  const { id: point } = await vault.backup();
  const due = { what: 'verify', at: new Date(vault.clock.app), schedule: '', ticked: false } as const;
  const wanted = { job: 'nightly', trigger: 'timer', dryRun: false, ...verifying(point) } as const;
  const start = () => startRun(vault.deps(), client, wanted, due);
  for (const answerIsLost of [false, true]) {
    let isDown = true;
    vault.before = async ({ name, writes }) => {
      if (!isDown || name !== 'locks/nightly.json' || !writes) return;
      isDown = false;
      if (answerIsLost) await vault.control.markServed({ job: 'nightly', id: [...(await readers())][0]! }, due, due.at);
      throw new StorageError('unreachable', 'No answer');
    };
    const readers = async () => (await vault.control.openReaders('nightly')).locks.map(({ value }) => value.run.id);
    await expect(start()).rejects.toThrow('No answer');
    expect(await readers(), readersPrefix('nightly')).toEqual([]);
    const again = await start();
    expect(again).toMatchObject({ started: { mode: 'verify' } });
    // So that the next round has an occurrence of its own.
    due.at.setTime(due.at.getTime() + 24 * 3_600_000);
    vault.pass(24);
    for (const id of await readers()) await vault.control.releaseLock({ job: 'nightly', id, mode: 'verify' }, due.at);
  }
});

describe('I4: a run of a job that the configuration no longer has', () => {
  const keeping = jobOf('other', { retention: { keepLast: 1, marginHours: 0, brake: DEFAULT_BRAKE } });
  const prune = (vault: Vault) =>
    startRun(vault.deps(), client, { job: 'other', mode: 'prune', trigger: 'http', dryRun: true, prune: {} });

  it.each(['full', 'verify'] as const)(
    'with mode %s is ended by a prune of another job, once it is silent',
    async (mode) => {
      const vault = new Vault({ silentMs: 40 });
      vault.jobs = [jobOf('nightly', {}), keeping];
      const { id: point } = await vault.backup();
      const run = await vault.begin(mode === 'verify' ? verifying(point) : { mode });
      await vault.control.signOfLife(run, new Date(vault.clock.app));
      vault.jobs = [keeping];
      vault.pass(1);
      expect(await prune(vault)).toMatchObject({ started: { mode: 'prune' } });
      expect(await vault.control.readSummary(run)).toMatchObject({
        status: 'failed',
        problems: [{ code: 'run-lost' }],
      });
    },
  );

  it('is ended also beside one whose lock is damaged', async () => {
    const vault = new Vault({ silentMs: 40 });
    vault.jobs = [jobOf('nightly', {}), jobOf('broken', {}), keeping];
    for (const job of ['broken', 'nightly']) {
      const run = await vault.begin({ mode: 'full' }, job);
      await vault.control.signOfLife(run, new Date(vault.clock.app));
    }
    const { run } = (await vault.control.readLock('nightly'))!.value;
    vault.vault.write('strongroom', { name: 'locks/broken.json', body: Buffer.from('damaged') });
    vault.jobs = [keeping];
    vault.pass(1);
    await endRunsWithoutJob(vault.deps(), jobContextOf(vault.deps(), 'other'), client);
    expect(await vault.control.readSummary(run!)).toMatchObject({ status: 'failed' });
  });

  it('keeps no prune from starting if it cannot be looked at', async () => {
    const vault = new Vault();
    vault.jobs = [keeping];
    let listings = 0;
    vault.before = ({ operation }) => {
      // The first is of the readers of the job itself.
      if (operation === 'ListBlobs' && ++listings > 1) throw new StorageError('access-denied', 'No');
    };
    expect(await prune(vault)).toMatchObject({ started: { mode: 'prune' } });
    expect(listings).toBe(2);
  });

  it('is left alone while it gives signs of life', async () => {
    const vault = new Vault();
    vault.jobs = [jobOf('nightly', {}), keeping];
    const run = await vault.begin({ mode: 'full' });
    await vault.control.signOfLife(run, new Date(vault.clock.app));
    vault.jobs = [keeping];
    expect(await prune(vault)).toMatchObject({ started: { mode: 'prune' } });
    expect(await vault.control.readSummary(run)).toBeUndefined();
  });
});
