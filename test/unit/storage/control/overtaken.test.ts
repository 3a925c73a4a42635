import { createHash } from 'node:crypto';
import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { describe, expect, it } from 'vitest';
import { makeActivities } from '#activities/index.ts';
import type { Poison } from '#domain/archive/poison.ts';
import type { ChainRecord } from '#domain/run/chain-record.ts';
import { CONTROL_CONTAINER, lockPath, summaryPath } from '#domain/run/control-paths.ts';
import type { RunRef } from '#domain/run/run.ts';
import { cancelRunHandler } from '#functions/run/cancel-run.ts';
import { startRun } from '#functions/run/start-run.ts';
import { ChainStore } from '#storage/control/chain-store.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { PoisonStore } from '#storage/control/poison-store.ts';
import { brokenLock } from '../../../../prove/memory/lock-history.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';
import { jobOf, Vault } from '../../../support/builders/prune-vault.ts';

type Step = () => Promise<unknown>;

/** A change, and a rival that changes the same document. */
interface Race {
  vault: Vault;
  change: Step;
  rival: Step;
  judge(): unknown;
}

/** Repeats the race from the start: the rival acts before the first request of the change, then before the second … */
async function overtake(ready: () => Promise<Race>): Promise<unknown[]> {
  const found: unknown[] = [];
  for (let at = 0; ; at++) {
    const { vault, change, rival, judge } = await ready();
    let sent = 0;
    vault.before = async () => {
      if (sent++ !== at) return;
      vault.before = () => {};
      await rival();
    };
    await change();
    if (sent <= at) return found;
    found.push(await judge());
  }
}

/** A vault with one backup, and a second run that has ended or is about to. */
async function backedUp(holds: 'nothing' | 'its lock' | 'its lock and no end' | 'a plan to carry out') {
  const vault = new Vault();
  vault.jobs = [jobOf('nightly', { verify: { kind: 'quick', portion: '100%', afterRun: 'quick' } })];
  vault.put('a', 'content');
  await vault.backup();
  const isPlan = holds === 'a plan to carry out';
  if (isPlan) await vault.backup('full');
  const run = await vault.begin(isPlan ? { mode: 'prune', dryRun: true, prune: { carryOut: true } } : {});
  const { body } = vault.vault.blob(CONTROL_CONTAINER, lockPath('nightly'))!;
  if (holds !== 'its lock and no end') await vault.work(run);
  if (holds === 'its lock') vault.vault.write(CONTROL_CONTAINER, { name: lockPath('nightly'), body });
  return { vault, run, ...judged(vault), ...stepsOf(vault, run) };
}

/** Collects the writes of the lock that do not follow from the state before them. */
function judged({ vault }: Vault) {
  const broken: string[] = [];
  const put = vault.putObject.bind(vault);
  const path = lockPath('nightly');
  vault.putObject = (container, name, body, options) => {
    const before = vault.blob(container, name);
    const result = put(container, name, body, options);
    const hasEnded = (id: string) => vault.blob(container, summaryPath({ job: 'nightly', id })) !== undefined;
    const reason = name === path && brokenLock(before, vault.blob(container, name)!, hasEnded);
    if (reason) broken.push(reason);
    return result;
  };
  return { judge: () => broken };
}

function stepsOf(vault: Vault, run: RunRef) {
  const deps = vault.deps();
  const client = {
    getStatus: async () => ({ runtimeStatus: 'Running' }),
    startNew: async () => '',
  } as unknown as DurableClient;
  const ended = { run, containers: 1, problems: [], cancelled: false, requests: {} };
  const due = { what: 'backup', at: deps.now(), schedule: '', ticked: false } as const;
  const request = httpRequest({ params: { id: run.id } });
  return {
    start: () => startRun(deps, client, { job: 'nightly', mode: 'full', trigger: 'http', dryRun: false }),
    publish: () => makeActivities(deps).publishRun(ended),
    follow: () => makeActivities(deps).beginNext({ run }),
    startInTime: () => startRun(deps, client, { job: 'nightly', mode: 'full', trigger: 'timer', dryRun: false }, due),
    mark: () => new ControlStore(deps.blobs('VAULT')).markServed(run, { ...due, what: 'verify' }, deps.now()),
    cancel: () => cancelRunHandler(deps)(request, client, { functionName: 'cancel' } as InvocationContext),
    end: () => vault.work(run),
  };
}

describe('every write of the lock follows from the one before it when another process overtakes', () => {
  type Steps = Omit<Awaited<ReturnType<typeof backedUp>>, 'vault' | 'run' | 'judge'>;
  it.each<[string, Parameters<typeof backedUp>[0], (steps: Steps) => Pick<Race, 'change' | 'rival'>]>([
    ['a release: a start', 'its lock', ({ publish, start }) => ({ change: publish, rival: start })],
    ['a release: another release', 'its lock', ({ publish }) => ({ change: publish, rival: publish })],
    ['a start: another start', 'nothing', ({ start }) => ({ change: start, rival: start })],
    ['a start that takes over: another start', 'its lock', ({ start }) => ({ change: start, rival: start })],
    ['a start that takes over: a release', 'its lock', ({ start, publish }) => ({ change: start, rival: publish })],
    ['the prune of a plan: a start', 'a plan to carry out', ({ follow, start }) => ({ change: follow, rival: start })],
    ['the prune of a plan: the same', 'a plan to carry out', ({ follow }) => ({ change: follow, rival: follow })],
    ['a mark: a start', 'nothing', ({ mark, startInTime }) => ({ change: mark, rival: startInTime })],
    ['a mark: the end of the run', 'its lock', ({ mark, publish }) => ({ change: mark, rival: publish })],
    ['a start: a mark', 'nothing', ({ mark, startInTime }) => ({ change: startInTime, rival: mark })],
    ['a release: a mark', 'its lock', ({ mark, publish }) => ({ change: publish, rival: mark })],
    ['a cancel: the end of the run', 'its lock and no end', ({ cancel, end }) => ({ change: cancel, rival: end })],
    [
      'a cancel: the end of the run and a start',
      'its lock and no end',
      ({ cancel, end, start }) => ({ change: cancel, rival: async () => [await end(), await start()] }),
    ],
  ])('%s', async (_, holds, race) => {
    const found = await overtake(async () => {
      const { vault, judge, ...steps } = await backedUp(holds);
      return { vault, judge, ...race(steps) };
    });
    expect(found.length).toBeGreaterThan(1);
    expect(found.flat()).toEqual([]);
  });
});

describe('a chain has no fork and no record twice when another process adds to it', () => {
  const point = (run: string) => ({
    ...({ kind: 'restore-point', run, status: 'succeeded', parts: 0, held: { blobs: 0, entities: 0 } } as const),
    summary: { path: '', sha256: '' },
  });

  it.each([
    ['of another run', ['first', 'other', 'own'], 'other'],
    ['of the same run', ['first', 'own'], 'own'],
  ])('a record %s', async (_, runs, rival) => {
    const found = await overtake(async () => {
      const vault = new Vault();
      const chain = new ChainStore(vault.deps().blobs('VAULT'));
      const append = (run: string) => chain.append('nightly', point(run), new Date(vault.clock.app));
      await append('first');
      return { vault, change: () => append('own'), rival: () => append(rival), judge: () => vault.chain() };
    });
    expect(found.length).toBeGreaterThan(1);
    for (const records of found as ChainRecord[][]) {
      expect(records.map((record) => 'run' in record && record.run).sort()).toEqual([...runs].sort());
      expect(records.map(({ number }) => number)).toEqual(runs.map((_, index) => index + 1));
      const hashes = records.map((record) => {
        const text = `${JSON.stringify(record, undefined, 2)}\n`;
        return createHash('sha256').update(text).digest('hex');
      });
      expect(records.map(({ previous }) => previous)).toEqual([null, ...hashes.slice(0, -1)]);
    }
  });
});

it('notes keep what another process adds while they are changed', async () => {
  const hold = { at: '2026-05-01T00:00:00.000Z', reason: 'audit' };
  const found = await overtake(async () => {
    const vault = new Vault();
    const control = new ControlStore(vault.deps().blobs('VAULT'));
    const point = { job: 'nightly', id: 'nightly-20260501T000000Z-pppppp' };
    await control.changeNotes(point, () => ({ brake: { reason: 'half of it changed', containers: ['data'] } }));
    return {
      vault,
      change: () => control.changeNotes(point, (notes) => ({ ...notes, hold })),
      rival: () =>
        control.changeNotes(point, ({ brake, ...notes }) => ({ ...notes, brake: { ...brake!, released: '' } })),
      judge: async () => {
        const { hold: held, brake } = await control.readNotes(point);
        return [held, brake?.released];
      },
    };
  });
  expect(found.length).toBeGreaterThan(1);
  for (const notes of found) expect(notes).toEqual([hold, '']);
});

it('the entry of a poison upload keeps what another process adds while it is changed', async () => {
  const found = await overtake(async () => {
    const vault = new Vault();
    const store = new PoisonStore(new ControlStore(vault.deps().blobs('VAULT')), 'uploads');
    const entry = { id: 'a', name: 'a', problem: { code: 'throttled' }, since: '', at: '', times: 1, state: 'open' };
    await store.change('a', () => ({ ...entry, format: 1 }) as Poison);
    return {
      vault,
      change: () => store.change('a', (before) => ({ ...before!, times: 2 })),
      rival: () => store.change('a', (before) => ({ ...before!, state: 'settled' })),
      judge: () => store.read('a'),
    };
  });
  expect(found.length).toBeGreaterThan(1);
  for (const entry of found) expect(entry).toMatchObject({ times: 2, state: 'settled' });
});
