import fc from 'fast-check';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { makeActivities } from '#activities/index.ts';
import { endRun } from '#app/close-run.ts';
import type { Job } from '#config/configuration.ts';
import { CONTROL_CONTAINER, lockPath, notesPath, runPrefix, summaryPath } from '#domain/run/control-paths.ts';
import type { Notes } from '#domain/run/restore-point.ts';
import type { PruneRef, RunRef, RunSummary } from '#domain/run/run.ts';
import { emptyTally } from '#domain/run/tally.ts';
import { refusal } from '../../../../prove/memory/memory-account.ts';
import type { Call } from '../../../../prove/memory/memory-blobs.ts';
import { held } from '../../../support/builders/held-run.ts';
import { BACKUP, jobOf, Vault } from '../../../support/builders/prune-vault.ts';
import { Random } from '../../../support/builders/random.ts';

let room: Vault;
const retaining = (more: Partial<NonNullable<Job['retention']>>) =>
  jobOf('nightly', {
    retention: { keepLast: 1, marginHours: 0, brake: { percent: 50, blobs: 100, days: 30 }, ...more },
  });

beforeEach(() => {
  room = new Vault();
});

/** Three restore points of which the policy keeps the newest: `a` was changed each time, `old` is only in the first. */
async function threeDays(): Promise<[RunSummary, RunSummary, RunSummary]> {
  const days: RunSummary[] = [];
  for (let day = 0; day < 3; day++) {
    room.put('a', `day ${day}`);
    if (day === 0) for (const name of ['old', 'same']) room.put(name, name);
    else room.source.remove('data', 'old');
    days.push(await room.backup());
  }
  return days as [RunSummary, RunSummary, RunSummary];
}

describe('a prune', () => {
  it('a prune deletes content that only removed restore points name, and base blobs whose source is gone', async () => {
    const [first, , last] = await threeDays();
    expect(await room.prune()).toMatchObject({ status: 'succeeded', counts: { removed: 3 } });
    expect(room.contents()).toEqual({ a: ['day 2'], same: ['same'] });
    expect(room.left(first.id)).toEqual([]);
    expect(await room.lost(last)).toEqual([]);
  });

  it('a prune removes restore points one at a time where each takes as long as an activity may', async () => {
    const [first, second, last] = await threeDays();
    room.limits.scanMs = 0;
    expect(await room.prune()).toMatchObject({ status: 'succeeded' });
    expect([room.left(first.id), room.left(second.id)]).toEqual([[], []]);
    expect(await room.lost(last)).toEqual([]);
  });

  it('F10: a prune leaves content that the source lacks while one restore point names it', async () => {
    room.jobs = [retaining({ keepLast: 3 })];
    const points = await threeDays();
    expect(await room.prune()).toMatchObject({ counts: { removed: 0 } });
    for (const point of points) expect(await room.lost(point)).toEqual([]);
  });

  it('a prune leaves a base blob that is not needed while an earlier state of it is needed', async () => {
    room.put('a', 'one');
    const first = await room.backup();
    room.put('a', 'two');
    await room.backup();
    room.source.remove('data', 'a');
    await room.backup();
    await room.note(first.id, () => ({ hold: { at: '2026-05-01T00:00:00.000Z', reason: 'audit' } }));
    expect(await room.prune()).toMatchObject({ status: 'succeeded', counts: { removed: 0 } });
    expect(room.contents()).toEqual({ a: ['two', 'one'] });
    await room.note(first.id, () => ({}));
    await room.prune();
    expect(room.contents()).toEqual({});
  });

  it('a prune leaves the parts of a removed restore point that its retry builds on', async () => {
    for (const name of ['a', 'b']) room.put(name, name);
    room.vault.createContainer(BACKUP);
    room.vault.write(BACKUP, { name: 'a', body: Buffer.from('x') });
    room.vault.alter(BACKUP, 'a', { leased: true }, 'LeaseBlob');
    const first = await room.run({ mode: 'full' });
    expect(first).toMatchObject({ status: 'completed-with-failures', restorePoint: true });
    room.vault.alter(BACKUP, 'a', { leased: undefined }, 'BreakLease');
    const retry = await room.run({ mode: 'retry', retryOf: first.id });
    expect(retry.parts.some(({ path }) => path.includes(first.id))).toBe(true);
    await room.prune();
    expect((await room.notes(first.id)).removed).toBeDefined();
    expect(await room.lost(retry)).toEqual([]);
  });

  it('a prune leaves blobs without a record, incomplete blobs, and names that no request can carry', async () => {
    await threeDays();
    const record = room.vault.blob(BACKUP, 'a')!.metadata;
    room.vault.write(BACKUP, { name: 'foreign', body: Buffer.from('x') });
    const { etag } = room.vault.write(BACKUP, { name: 'twice', body: Buffer.from('x') });
    room.vault.snapshot(BACKUP, 'twice', etag);
    room.vault.write(BACKUP, { name: 'x/../a', body: Buffer.from('x'), metadata: record });
    room.vault.write(BACKUP, {
      name: 'pending',
      metadata: record,
      copy: { id: '1', status: 'pending', source: 'https://other.test' },
    });
    room.pass(1);
    await room.prune();
    expect(room.contents()).toMatchObject({ foreign: ['x'], twice: ['x', 'x'], 'x/../a': ['x'], pending: [''] });
  });

  it.each(['2027-05-01T12:00:00.000Z', '2025-05-01T12:00:00.000Z'])(
    'a prune does not trust a clock of the app that says it is %s',
    async (time) => {
      room.jobs = [retaining({ marginHours: 24 })];
      await threeDays();
      await room.prune();
      const before = room.contents();
      room.clock.app = Date.parse(time);
      expect(await room.prune()).toMatchObject({ plan: { expired: [] } });
      expect(room.contents()).toEqual(before);
    },
  );
});

describe('F13: a prune deletes and marks nothing if anything is missing or altered', () => {
  const partOf = (point: RunSummary) => point.parts[0]!.path;
  const cases: [string, (points: RunSummary[]) => unknown][] = [
    [
      'a part of a restore point that stays is missing',
      ([, , last]) => room.vault.deleteBlob(CONTROL_CONTAINER, ...pinned(partOf(last!))),
    ],
    [
      'a part of a restore point to remove is missing',
      ([first]) => room.vault.deleteBlob(CONTROL_CONTAINER, ...pinned(partOf(first!))),
    ],
    [
      'a part is replaced by another',
      ([first, , last]) => {
        const other = room.vault.blob(CONTROL_CONTAINER, partOf(first!))!;
        room.vault.write(CONTROL_CONTAINER, { ...other, name: partOf(last!) });
      },
    ],
    [
      'the summary of a restore point that stays is missing',
      ([, , last]) => room.vault.deleteBlob(CONTROL_CONTAINER, ...pinned(summaryPath(last!))),
    ],
    [
      'the summary of a restore point to remove is missing',
      ([first]) => room.vault.deleteBlob(CONTROL_CONTAINER, ...pinned(summaryPath(first!))),
    ],
    [
      'half of a summary is missing',
      ([, , last]) => room.alter(summaryPath(last!), (body) => body.subarray(0, body.length / 2)),
    ],
    [
      'everything of the newest restore point is missing',
      ([, , last]) => {
        for (const path of room.left(last!.id)) room.vault.deleteBlob(CONTROL_CONTAINER, ...pinned(path));
      },
    ],
    [
      'everything but the notes of a restore point with a hold is missing',
      async ([first]) => {
        await room.note(first!.id, () => ({ hold: { at: '2026-05-01T00:00:00.000Z', reason: 'audit' } }));
        for (const path of room.left(first!.id)) {
          if (path.startsWith(runPrefix(first!))) room.vault.deleteBlob(CONTROL_CONTAINER, ...pinned(path));
        }
      },
    ],
    [
      'the notes of a restore point are not notes',
      ([first]) => {
        room.vault.write(CONTROL_CONTAINER, { name: notesPath(first!), body: Buffer.from('[]') });
      },
    ],
    [
      'the lock of another job is damaged',
      () => room.vault.write(CONTROL_CONTAINER, { name: lockPath('weekly'), body: Buffer.from('{') }),
    ],
  ];
  const pinned = (path: string): [string, { ifMatch: string }] => [
    path,
    { ifMatch: room.vault.blob(CONTROL_CONTAINER, path)!.etag },
  ];

  it.each(cases)('a prune does nothing if %s', async (_, harm) => {
    const points = await threeDays();
    const plan = await room.plan();
    await harm(points);
    const before = room.contents();
    expect(await room.plan()).toMatchObject({ status: 'failed', problems: [{ code: 'damaged' }] });
    expect(await room.carryOut(plan)).toMatchObject({ status: 'failed', problems: [{ code: 'damaged' }] });
    expect(room.contents()).toEqual(before);
    for (const { id } of points) {
      if (room.left(id).length > 0) expect((await room.notes(id).catch(() => ({}) as Notes)).removed).toBeUndefined();
    }
  });

  it.each(['jobs/nightly/runs/', 'jobs/weekly/runs/', 'jobs/'])(
    'an empty listing of %s stops the prune',
    async (prefix) => {
      const weekly = jobOf('weekly', {});
      room.jobs = [jobOf('nightly', {}), weekly];
      await threeDays();
      await room.backup('incremental', 'weekly');
      const list = room.vault.listBlobs.bind(room.vault);
      room.vault.listBlobs = (container, options) =>
        options.prefix === prefix ? { blobs: [], prefixes: [] } : list(container, options);
      expect(await room.plan()).toMatchObject({ status: 'failed', problems: [{ code: 'damaged' }] });
    },
  );

  it('a part with other bytes than were written stops the plan', async () => {
    const [, , last] = await threeDays();
    room.alter(partOf(last), (body) => Buffer.concat([body, body]));
    expect(await room.plan()).toMatchObject({ status: 'failed', problems: [{ code: 'damaged' }] });
  });

  it.each([
    ['access-denied', 403],
    ['throttled', 503],
  ] as const)('a refused listing stops the prune: %s', async (kind, status) => {
    /** Works on three days, of which so many listings are answered; gives back whether anything was done to them. */
    const struck = async (answered: number, work: (plan: RunSummary) => Promise<RunSummary>) => {
      room = new Vault();
      const points = await threeDays();
      const plan = await room.plan();
      const before = room.contents();
      let listings = 0;
      room.before = ({ operation, container }) => {
        if (operation !== 'ListBlobs' || listings++ !== answered) return;
        throw refusal(kind, status, `Refused a listing of ${container}`);
      };
      // Where it is the listing of its own parts, it is published later.
      const ended = await work(plan).catch(() => undefined);
      room.before = () => {};
      const marked = (await Promise.all(points.map(({ id }) => room.notes(id)))).some(({ removed }) => removed);
      if (!marked) expect(room.contents()).toEqual(before);
      return { ended, marked, listings };
    };
    let listings = 0;
    for (let at = 0; at === 0 || at < listings; at++) {
      const planning = await struck(at, () => room.plan());
      expect(planning.ended?.status).not.toBe('succeeded');
      expect(planning.marked).toBe(false);
      listings = Math.max(listings, planning.listings);
    }
    // What is listed before anything is marked: the vault as it is.
    let before = 0;
    while (!(await struck(before, (plan) => room.carryOut(plan))).marked) before++;
    expect(before).toBeGreaterThan(3);
    expect(listings).toBeGreaterThan(before);
  });
});

test('a plan lists runs that are not restore points without reading them, as there may be one every hour', async () => {
  await threeDays();
  const plans = [await room.plan(), await room.plan()];
  const read: string[] = [];
  room.before = ({ operation, name }) => {
    if (operation === 'GetBlob') read.push(name!);
  };
  expect(await room.plan()).toMatchObject({ status: 'succeeded' });
  expect(read.filter((name) => name.endsWith('/run.json') && plans.some((plan) => name === summaryPath(plan)))).toEqual(
    [],
  );
});

test('F13: a plan reads a summary whose listing does not say what it is', async () => {
  const points = await threeDays();
  for (const point of points) {
    const { body, etag } = room.vault.getObject(CONTROL_CONTAINER, summaryPath(point))!;
    room.vault.putObject(CONTROL_CONTAINER, summaryPath(point), body, {
      contentType: 'application/json',
      expect: { ifMatch: etag },
    });
  }
  expect((await room.plan()).plan?.decisions.map(({ id }) => id)).toHaveLength(points.length);
});

test('ends as cancelled where that is asked for while it reads manifests', async () => {
  const [, , last] = await threeDays();
  const run = await room.begin({ mode: 'prune', dryRun: true, prune: {} });
  const { listContainers, planPrune } = makeActivities(room.deps());
  await listContainers({ run });
  room.before = async ({ operation, name }) => {
    if (operation !== 'GetBlob' || name !== last.parts[0]!.path) return;
    room.before = () => {};
    const lock = (await room.control.readLock('nightly'))!;
    await room.control.writeJson(lockPath('nightly'), { ...lock.value, cancel: true }, { ifMatch: lock.etag });
    room.pass(1);
  };
  expect(await planPrune({ run, container: BACKUP, destination: BACKUP, slice: 0 })).toEqual({ stopped: 'cancelled' });
});

describe('F12: a prune refuses a stale plan', () => {
  it.each<[string, (points: RunSummary[]) => unknown]>([
    ['a backup', () => room.backup()],
    [
      'a hold',
      ([first]) => room.note(first!.id, () => ({ hold: { at: '2026-05-01T00:00:00.000Z', reason: 'audit' } })),
    ],
    [
      'a safety brake',
      ([, second]) => room.note(second!.id, () => ({ brake: { reason: 'half of it', containers: ['data'] } })),
    ],
    ['another policy', () => (room.jobs = [retaining({ keepLast: 2 })])],
    ['another margin', () => (room.jobs = [retaining({ marginHours: 1 })])],
    [
      'another source',
      () => (room.jobs = [jobOf('nightly', { source: { ...room.jobs[0]!.source, account: 'VAULT' } })]),
    ],
    [
      'the backup of another job',
      async () => {
        room.jobs.push(jobOf('weekly', {}));
        await room.backup('full', 'weekly');
      },
    ],
  ])('a plan is stale after %s', async (_, happen) => {
    const points = await threeDays();
    const plan = await room.plan();
    await happen(points);
    const before = room.contents();
    expect(await room.carryOut(plan)).toMatchObject({ status: 'failed', problems: [{ code: 'plan-stale' }] });
    expect(room.contents()).toEqual(before);
    for (const { id } of points) expect((await room.notes(id)).removed).toBeUndefined();
  });

  it('a prune refuses a plan that has been carried out, and another hash', async () => {
    const [first] = await threeDays();
    const plan = await room.plan();
    expect(await room.carryOut(plan, '0'.repeat(32))).toMatchObject({ problems: [{ code: 'plan-stale' }] });
    expect((await room.notes(first.id)).removed).toBeUndefined();
    expect(await room.carryOut(plan)).toMatchObject({ status: 'succeeded' });
    expect(await room.carryOut(plan)).toMatchObject({ status: 'failed', problems: [{ code: 'plan-stale' }] });
  });

  it.each<[string, () => Partial<Notes>]>([
    ['hold', () => ({ hold: { at: '2026-05-01T00:00:00.000Z', reason: 'audit' } })],
    // It may have become the newest restore point that a verification found sound.
    [
      'proof',
      () => ({ proofs: [{ run: 'v', at: '2026-05-01T00:00:00.000Z', kind: 'deep', items: 1, read: 1, failed: 0 }] }),
    ],
  ])('a %s during marking makes the plan stale, and takes the marks back', async (_, noted) => {
    const [first, second] = await threeDays();
    const plan = await room.plan();
    const [early, late] = plan.plan!.remove;
    expect([early, late].sort()).toEqual([first.id, second.id].sort());
    let held: Promise<unknown> | undefined;
    room.before = ({ operation, name }) => {
      if (operation !== 'PutBlob' || name !== notesPath({ job: 'nightly', id: early! })) return undefined;
      held ??= room.note(late!, noted);
      return held;
    };
    const before = room.contents();
    expect(await room.carryOut(plan)).toMatchObject({ status: 'failed', problems: [{ code: 'plan-stale' }] });
    expect(held).toBeDefined();
    expect((await room.notes(early!)).removed).toBeUndefined();
    expect(room.contents()).toEqual(before);
  });
});

describe('F12: two jobs with one backup container', () => {
  beforeEach(() => {
    room.jobs = [jobOf('nightly', {}), jobOf('weekly', { retention: { ...retaining({}).retention!, keepLast: 9 } })];
  });

  it('a prune of one job deletes nothing that a restore point of the other job needs', async () => {
    const points: RunSummary[] = [];
    for (let day = 0; day < 4; day++) {
      room.put('a', `day ${day}`);
      room.put(`only-${day}`, 'x');
      if (day > 0) room.source.remove('data', `only-${day - 1}`);
      if (day % 2 === 0) points.push(await room.backup('incremental', 'weekly'));
      else await room.backup();
    }
    points.push(await room.backup());
    expect(await room.prune()).toMatchObject({ status: 'succeeded' });
    for (const point of points) expect(await room.lost(point)).toEqual([]);
    expect(room.contents().a).toEqual(['day 3', 'day 0', 'day 2']);
  });

  it('base blobs stay while a run of the other job is in progress', async () => {
    await threeDays();
    await room.begin({ mode: 'full' }, 'weekly');
    const done = await room.prune();
    expect(done).toMatchObject({ status: 'succeeded' });
    expect(room.contents().old).toEqual(['old']);
    expect(await room.plan('nightly')).toMatchObject({ counts: { planned: 1 } });
  });

  it('content that became a snapshot after a run of the other job began stays, as that run may need it', async () => {
    room.put('a', 'one');
    await room.backup();
    // It has seen `a`, and has yet to write so.
    await room.begin({ mode: 'incremental' }, 'weekly');
    room.put('a', 'two');
    await room.backup();
    await room.prune();
    expect(room.contents().a).toEqual(['two', 'one']);
  });
});

test('F29: a prune whose lock has been taken over deletes no base blob, even before it notices', async () => {
  await threeDays();
  const plan = await room.plan();
  let other: Promise<unknown> | undefined;
  room.before = ({ operation, name }) => {
    if (operation !== 'GetBlobProperties' || name !== 'old') return undefined;
    other ??= room.begin({ mode: 'full' });
    return other;
  };
  await room.carryOut(plan);
  expect(other).toBeDefined();
  expect(room.contents().old).toEqual(['old']);
});

describe('F12: the margin', () => {
  it('F13: a prune also checks the manifests of marked restore points until the margin is over', async () => {
    room.jobs = [retaining({ marginHours: 24 })];
    const [first] = await threeDays();
    await room.prune();
    expect((await room.notes(first.id)).removed).toMatchObject({ at: expect.any(String) });
    const plan = await room.plan();
    const path = first.parts[0]!.path;
    const { etag } = room.vault.blob(CONTROL_CONTAINER, path)!;
    room.vault.deleteBlob(CONTROL_CONTAINER, path, { ifMatch: etag });
    expect(await room.carryOut(plan)).toMatchObject({ status: 'failed', problems: [{ code: 'damaged' }] });
    expect(await room.plan()).toMatchObject({ status: 'failed', problems: [{ code: 'damaged' }] });
  });

  it('a prune marks a restore point first, and deletes its content when the margin is over', async () => {
    room.jobs = [retaining({ marginHours: 24 })];
    const [first, second, last] = await threeDays();
    const before = room.contents();
    expect(await room.prune()).toMatchObject({ counts: { removed: 0 }, plan: { remove: [second.id, first.id] } });
    expect(await room.notes(first.id)).toMatchObject({ removed: { at: expect.any(String) } });
    room.pass(20);
    expect(await room.prune()).toMatchObject({ counts: { removed: 0 }, plan: { expired: [] } });
    expect(room.contents()).toEqual(before);
    expect(await room.lost(first)).toEqual([]);
    room.pass(10);
    expect(await room.prune()).toMatchObject({ status: 'succeeded', counts: { removed: 3 } });
    expect(room.left(first.id)).toEqual([]);
    expect(await room.lost(last)).toEqual([]);
  });

  it('F28: the next prune removes a late mark of a restore point that is gone', async () => {
    const [first] = await threeDays();
    await room.prune();
    expect(room.left(first.id)).toEqual([]);
    await room.control.changeNotes({ job: 'nightly', id: first.id }, () => ({
      removed: { at: new Date(room.clock.app).toISOString(), run: 'nightly-20260503T120000Z-aaaaaa' },
    }));
    const noted = () => room.vault.blob(CONTROL_CONTAINER, notesPath({ job: 'nightly', id: first.id }));
    expect(noted()).toBeDefined();
    expect(await room.prune()).toMatchObject({ status: 'succeeded' });
    expect(noted()).toBeUndefined();
  });

  it('F29: what is written late of a removed restore point stops no prune, and the next one removes it', async () => {
    for (const write of [
      (point: RunSummary) => room.control.signOfLife(point, new Date(room.clock.app)),
      (point: RunSummary) => room.control.noteProgress(held(point), 'late', emptyTally('data', BACKUP)),
      (point: RunSummary) => room.note(point.id, () => ({ hold: { at: '2026-05-01T00:00:00.000Z', reason: 'late' } })),
    ]) {
      room = new Vault();
      const [first, , last] = await threeDays();
      await room.prune();
      expect(room.left(first.id)).toEqual([]);
      await write(first);
      expect(room.left(first.id)).toHaveLength(1);
      expect(await room.prune()).toMatchObject({ status: 'succeeded' });
      expect(room.left(first.id)).toEqual([]);
      // Of a restore point that no prune has emptied, the same is damage.
      for (const path of room.left(last.id)) {
        room.vault.deleteBlob(CONTROL_CONTAINER, path, { ifMatch: room.vault.blob(CONTROL_CONTAINER, path)!.etag });
      }
      await write(last);
      expect(await room.plan()).toMatchObject({ status: 'failed', problems: [{ code: 'damaged' }] });
    }
  });

  it('the margin protects content that was overwritten within it', async () => {
    room.jobs = [retaining({ marginHours: 24 })];
    await threeDays();
    await room.prune();
    room.pass(30);
    // The policy goes on, and what it removes is not over yet.
    room.put('a', 'day 3');
    const next = await room.backup();
    await room.prune();
    expect(room.contents().a).toEqual(['day 3', 'day 2']);
    expect(await room.lost(next)).toEqual([]);
  });
});

describe('deleting', () => {
  it('F12: a blob written after the plan stays, and so does a base blob whose source is back', async () => {
    await threeDays();
    const plan = await room.plan();
    const [snapshot] = room.vault.listBlobs(BACKUP, { snapshotsAndVersions: true, prefix: 'a' }).blobs;
    room.put('old', 'again');
    expect(await room.carryOut(plan)).toMatchObject({ status: 'succeeded', counts: { removed: 2, unchanged: 1 } });
    expect(room.contents().old).toEqual(['old']);
    expect(room.vault.getProperties(BACKUP, 'a', snapshot!.snapshotOrVersion)).toBeUndefined();
  });

  it('F12: a blob that any writer has overwritten or snapshotted after the plan stays', async () => {
    for (const name of ['gone', 'kept', 'written']) room.put(name, name);
    await room.backup();
    for (const name of ['gone', 'kept', 'written']) room.source.remove('data', name);
    await room.backup();
    const plan = await room.plan();
    room.vault.snapshot(BACKUP, 'kept', room.vault.blob(BACKUP, 'kept')!.etag);
    const { metadata } = room.vault.blob(BACKUP, 'written')!;
    room.vault.write(BACKUP, { name: 'written', body: Buffer.from('by hand'), metadata });
    expect(await room.carryOut(plan)).toMatchObject({ status: 'succeeded', counts: { removed: 1, unchanged: 2 } });
    expect(room.contents()).toEqual({ kept: ['kept', 'kept'], written: ['by hand'] });
  });

  it('F10: of base blobs that are checked together, only those without a source are deleted', async () => {
    for (const name of ['back', 'gone', 'long-gone']) room.put(name, name);
    await room.backup();
    for (const name of ['back', 'gone', 'long-gone']) room.source.remove('data', name);
    await room.backup();
    const plan = await room.plan();
    expect(plan.counts.planned).toBe(3);
    room.put('back', 'of another day');
    expect(await room.carryOut(plan)).toMatchObject({ status: 'succeeded', counts: { removed: 2, unchanged: 1 } });
    expect(room.contents()).toEqual({ back: ['back'] });
  });

  it('F10: base blobs stay if the source cannot be read, and the run reports the source’s refusal', async () => {
    await threeDays();
    const plan = await room.plan();
    room.before = ({ account, operation }) => {
      if (account === 'SOURCE' && operation === 'GetBlobProperties') throw refusal('access-denied', 403, 'Refused');
    };
    const done = await room.carryOut(plan);
    expect(done).toMatchObject({ status: 'completed-with-failures', problems: [{ code: 'access-denied-source' }] });
    expect(room.contents().old).toEqual(['old']);
  });

  it.each(['leased', 'immutable'] as const)(
    'a blob that is %s stays, and so do the manifests that name it',
    async (kind) => {
      const [first] = await threeDays();
      const refuse = ({ operation, container, name }: Call) => {
        if (operation === 'DeleteBlob' && container === BACKUP && name === 'old') throw refusal(kind, 409, kind);
      };
      room.before = refuse;
      expect(await room.prune()).toMatchObject({
        status: 'completed-with-failures',
        counts: { removed: 2, failed: 1 },
      });
      expect(room.left(first.id)).toContain(summaryPath(first));
      expect(await room.notes(first.id)).toMatchObject({ removed: { emptied: expect.any(String) } });
      room.before = () => {};
      expect(await room.prune()).toMatchObject({ status: 'succeeded', counts: { removed: 1, failed: 0 } });
      expect(room.left(first.id)).toEqual([]);
      expect(room.contents()).toEqual({ a: ['day 2'], same: ['same'] });
    },
  );

  it('a prune without the right to delete marks nothing', async () => {
    const [first] = await threeDays();
    room.before = ({ operation }) => {
      if (operation === 'DeleteBlob') throw refusal('access-denied', 403, 'Refused');
    };
    expect(await room.prune()).toMatchObject({ status: 'failed', problems: [{ code: 'access-denied-prune' }] });
    expect(await room.notes(first.id)).toEqual({});
  });
});

describe('a retry', () => {
  it('a retry keeps the parts it builds on, and their content, when the run it completes is removed', async () => {
    for (let index = 0; index < 4; index++) room.put(`blob-${index}`, 'x');
    room.before = ({ operation, name, account }) => {
      if (account === 'VAULT' && /^CopyBlob/.test(operation) && name === 'blob-3')
        throw refusal('leased', 412, 'Leased');
    };
    const first = await room.backup();
    expect(first).toMatchObject({ status: 'completed-with-failures', counts: { failed: 1 } });
    room.before = () => {};
    const retry = await room.run({ mode: 'retry', retryOf: first.id });
    expect(retry).toMatchObject({ status: 'succeeded', restorePoint: true });
    for (let index = 0; index < 4; index++) room.source.remove('data', `blob-${index}`);
    await room.note(retry.id, () => ({ hold: { at: '2026-05-01T00:00:00.000Z', reason: 'audit' } }));
    await room.backup();
    expect(await room.prune()).toMatchObject({
      status: 'succeeded',
      plan: { expired: [first.id] },
      counts: { removed: 0 },
    });
    expect(await room.lost(retry)).toEqual([]);
    expect(room.left(first.id)).toContain(first.parts[0]!.path);
    await room.note(retry.id, () => ({}));
    await room.prune();
    expect(room.contents()).toEqual({});
    await room.prune();
    for (const { id } of [first, retry]) expect(room.left(id)).toEqual([]);
  });
});

describe('F11: the safety brake', () => {
  const fill = (text: string, from = 0, to = 10) => {
    for (let index = from; index < to; index++) room.put(`blob-${index}`, text);
  };
  const brakeOf = async (point: RunSummary) => (await room.notes(point.id)).brake?.reason;

  beforeEach(() => {
    room.jobs = [retaining({ brake: { percent: 50, blobs: 5, days: 30 } })];
    fill('good');
  });

  it.each(['full', 'incremental'] as const)(
    'a %s run that rewrites most blobs protects everything older',
    async (mode) => {
      const good = await room.backup();
      fill('encrypted', 0, 6);
      const bad = await room.backup(mode);
      expect(await brakeOf(bad)).toBe(`data: 6 of 10 blobs changed or lost since ${good.id}, more than 50%`);
      expect(room.braked).toEqual([bad.id]);
      for (let day = 0; day < 30; day++) await room.backup();
      room.pass(24 * 365);
      await room.prune();
      expect(await room.lost(good)).toEqual([]);
      expect((await room.notes(good.id)).removed).toBeUndefined();
      await room.release(bad.id);
      await room.prune();
      expect(room.left(good.id)).toEqual([]);
    },
  );

  it('a run that finds most blobs or the whole container deleted engages the safety brake', async () => {
    const good = await room.backup();
    for (let index = 0; index < 6; index++) room.source.remove('data', `blob-${index}`);
    const bad = await room.backup();
    expect(await brakeOf(bad)).toBe(`data: 6 of 10 blobs changed or lost since ${good.id}, more than 50%`);
    await room.release(bad.id);
    room.jobs = [{ ...room.jobs[0]!, source: { ...room.jobs[0]!.source, containers: ['*'] } }];
    fill('back', 0, 6);
    // The turnover of the first runs is accepted, until there was another.
    for (let run = 0; run < 2; run++) await room.backup();
    const before = await room.backup();
    room.source.deleteContainer('data');
    room.source.createContainer('other');
    const gone = await room.backup();
    expect(await brakeOf(gone)).toBe(`data: 10 of 10 blobs changed or lost since ${before.id}, more than 50%`);
    expect(gone).toMatchObject({ status: 'succeeded', counts: { held: 0 }, noLongerHeld: { deleted: 10 } });
  });

  it('the safety brake counts the copies of earlier cancelled and failed runs', async () => {
    const good = await room.backup();
    fill('encrypted');
    const run = await room.begin({ mode: 'incremental' });
    const work = makeActivities(room.deps());
    const { chunks } = await work.scanSlice({ run, container: 'data', destination: BACKUP, slice: 0 });
    await work.copyChunk({ run, container: 'data', destination: BACKUP, chunk: chunks![0]!, from: 0 });
    await work.publishRun({ run, containers: 1, problems: [], cancelled: true, requests: {} });
    const next = await room.backup();
    expect(next.counts).toMatchObject({ unchanged: 10, copied: 0 });
    expect(await brakeOf(next)).toMatch(/^data: 10 of 10 blobs changed or lost since /);
    await room.prune();
    expect(await room.lost(good)).toEqual([]);
  });

  it('the safety brake ignores a run that could not list the container', async () => {
    room.source.createContainer('more');
    room.put('x', 'x', 'more');
    room.jobs = [{ ...room.jobs[0]!, source: { ...room.jobs[0]!.source, containers: ['*'] } }];
    await room.backup();
    room.before = ({ account, operation, container }) => {
      if (account === 'SOURCE' && operation === 'ListBlobs' && container === 'data') {
        throw refusal('throttled', 503, 'ServerBusy');
      }
    };
    expect(await room.backup()).toMatchObject({ status: 'completed-with-failures' });
    room.before = () => {};
    fill('encrypted');
    expect(await brakeOf(await room.backup())).toMatch(/^data: 10 of 10 blobs changed or lost since /);
  });

  it('a retry engages the safety brake together with the run it completes', async () => {
    const good = await room.backup();
    fill('encrypted');
    room.before = ({ account, operation, name }) => {
      if (account === 'VAULT' && /^CopyBlob/.test(operation) && Number(name?.slice(5)) > 3) {
        throw refusal('leased', 412, 'Leased');
      }
    };
    const part = await room.backup();
    expect(part.counts).toMatchObject({ copied: 4, failed: 6 });
    expect(await brakeOf(part)).toBeUndefined();
    room.before = () => {};
    const retry = await room.run({ mode: 'retry', retryOf: part.id });
    expect(retry).toMatchObject({ restorePoint: true, status: 'succeeded' });
    expect(await brakeOf(retry)).toMatch(/^data: 10 of 10 blobs changed or lost since /);
    await room.prune();
    expect(await room.lost(good)).toEqual([]);
  });

  it('while a safety brake is on, a prune deletes nothing of its container, whatever restore points name', async () => {
    const good = await room.backup();
    // Blobs in the archive tier of the source are skipped.
    for (let index = 0; index < 10; index++) {
      room.source.write('data', { name: `blob-${index}`, body: Buffer.from('bad'), tier: 'Archive' });
    }
    const bad = await room.backup();
    expect(bad).toMatchObject({
      status: 'completed-with-failures',
      noLongerHeld: { skipped: 10 },
      counts: { held: 0 },
    });
    expect(await brakeOf(bad)).toBe(`data: 10 of 10 blobs changed or lost since ${good.id}, more than 50%`);
    expect((await room.notes(bad.id)).brake?.containers).toEqual(['data']);
    for (let index = 0; index < 10; index++) room.source.remove('data', `blob-${index}`);
    // Even if the notes let the restore points go, the content stays.
    await room.note(good.id, () => ({ removed: { at: '2020-01-01T00:00:00.000Z', run: 'x' } }));
    for (let night = 0; night < 3; night++) {
      await room.backup();
      const pruned = await room.prune();
      expect(pruned).toMatchObject({ status: 'succeeded', counts: { removed: 0 }, plan: { expired: [] } });
      expect(pruned.plan!.braked).toEqual([BACKUP]);
    }
    expect(Object.keys(room.contents())).toHaveLength(10);
    expect(room.left(good.id)).not.toEqual([]);
    await room.release(bad.id);
    await room.prune();
    expect(room.contents()).toEqual({});
  });

  it('while a safety brake is on, a prune leaves even what no restore point ever named', async () => {
    await room.backup();
    fill('of a cancelled run');
    const run = await room.begin({ mode: 'incremental' });
    const work = makeActivities(room.deps());
    const { chunks } = await work.scanSlice({ run, container: 'data', destination: BACKUP, slice: 0 });
    await work.copyChunk({ run, container: 'data', destination: BACKUP, chunk: chunks![0]!, from: 0 });
    await work.publishRun({ run, containers: 1, problems: [], cancelled: true, requests: {} });
    fill('encrypted');
    const bad = await room.backup();
    const all = Array(10).fill(['encrypted', 'good', 'of a cancelled run']);
    const kept = () => Object.values(room.contents()).map((texts) => texts.sort());
    expect(await room.prune()).toMatchObject({ status: 'succeeded', counts: { removed: 0 } });
    expect(kept()).toEqual(all);
    await room.release(bad.id);
    await room.prune();
    expect(kept()).toEqual(Array(10).fill(['encrypted']));
  });

  it('while a safety brake is on, a prune empties no restore point of the job', async () => {
    room.jobs = [{ ...room.jobs[0]!, source: { ...room.jobs[0]!.source, containers: ['*'] } }];
    room.source.createContainer('more');
    room.put('x', 'one', 'more');
    await room.backup();
    fill('encrypted');
    const bad = await room.backup();
    room.put('x', 'two', 'more');
    const later = await room.backup();
    room.put('x', 'three', 'more');
    await room.backup();
    const kept = () => room.contents('morebackup').x!.sort();
    expect((await room.prune()).plan).toMatchObject({ remove: [later.id], expired: [], braked: [BACKUP] });
    expect((await room.notes(later.id)).removed).toBeDefined();
    expect(kept()).toEqual(['one', 'three', 'two']);
    await room.release(bad.id);
    await room.prune();
    expect(kept()).toEqual(['three']);
  });

  it('blobs that are added before an attack, or an attack in steps, do not keep the brake from engaging', async () => {
    const good = await room.backup();
    for (let index = 0; index < 11; index++) room.put(`junk-${index}`, 'junk');
    await room.backup();
    fill('encrypted', 0, 5);
    expect(await brakeOf(await room.backup())).toBeUndefined();
    fill('encrypted', 5, 10);
    const bad = await room.backup();
    expect(await brakeOf(bad)).toBe(`data: 10 of 10 blobs changed or lost since ${good.id}, more than 50%`);
    await room.prune();
    expect(await room.lost(good)).toEqual([]);
  });

  it('a container that turns over by design engages the brake once, until that is released', async () => {
    const engaged: string[] = [];
    for (let night = 0; night < 12; night++) {
      for (let index = 0; index < 10; index++) {
        room.put(`log-${night}-${index}`, 'log');
        room.source.remove('data', `${night === 0 ? 'blob' : `log-${night - 1}`}-${index}`);
      }
      const { id } = await room.backup();
      if (await brakeOf({ id } as RunSummary)) engaged.push(id);
      if (night === 2) {
        await room.release(engaged[0]!);
      }
    }
    expect(engaged).toHaveLength(1);
  });

  it('the safety brake is written before its restore point', async () => {
    await room.backup();
    fill('encrypted');
    const run = await room.begin({ mode: 'incremental' });
    const summary = summaryPath(run);
    room.before = ({ operation, name }) => {
      if (operation === 'PutBlob' && name === summary) throw refusal('unreachable', 0, 'Gone');
    };
    await expect(room.work(run)).rejects.toThrow();
    expect((await room.notes(run.id)).brake).toBeDefined();
    // Nobody comes back to it, and it is closed: that a failed run has notes is no damage.
    room.before = () => {};
    await endRun(room.deps(), { run, vault: 'VAULT' }, 'failed');
    expect(await room.plan()).toMatchObject({ status: 'succeeded' });
  });

  it('a damaged earlier summary does not stop a run from ending', async () => {
    const good = await room.backup();
    room.alter(summaryPath(good), () => Buffer.from('{'));
    fill('encrypted');
    expect(await room.backup()).toMatchObject({
      status: 'completed-with-failures',
      problems: [{ code: 'damaged' }, { code: 'brake-engaged' }],
    });
    expect(await room.plan()).toMatchObject({ status: 'failed', problems: [{ code: 'damaged' }] });
  });
});

describe('the prune that follows its plan', () => {
  const begin = async (run: RunRef) => makeActivities(room.deps()).beginNext({ run });
  const planOnSchedule = async () => {
    const by = { name: null, via: 'schedule' } as const;
    const run = await room.begin({ mode: 'prune', by, dryRun: true, prune: { carryOut: true } });
    return { run, plan: await room.work(run) };
  };

  it('F28: the prune after a plan is the same run, however often it is started, and carries out the plan', async () => {
    const [first] = await threeDays();
    const { run, plan } = await planOnSchedule();
    const { next } = await begin(run);
    expect(next).toMatchObject({ mode: 'prune', trigger: 'run', by: run.by, follows: run.id, dryRun: false });
    expect((next as PruneRef).prune).toEqual({ plan: { run: run.id, hash: plan.plan!.hash } });
    expect(await begin(run)).toEqual({ next });
    expect(await room.work(next!)).toMatchObject({ status: 'succeeded', counts: { removed: 3 } });
    expect(room.left(first.id)).toEqual([]);
    // When it has ended, the plan has been carried out, and would be stale.
    expect(await room.work((await begin(run)).next!)).toMatchObject({ problems: [{ code: 'plan-stale' }] });
  });

  it.each<[string, () => Promise<{ run: RunRef }>]>([
    ['there is nothing to do', () => planOnSchedule()],
    [
      'a request started the plan',
      async () => {
        await threeDays();
        const run = await room.begin({ mode: 'prune', dryRun: true, prune: {} });
        await room.work(run);
        return { run };
      },
    ],
    [
      'another run comes first',
      async () => {
        await threeDays();
        const planned = await planOnSchedule();
        await room.begin({ mode: 'full' });
        return planned;
      },
    ],
    [
      'the plan failed',
      async () => {
        const [, , last] = await threeDays();
        room.alter(summaryPath(last), () => Buffer.from('{'));
        return planOnSchedule();
      },
    ],
  ])('the prune after a plan does not start if %s', async (_, prepare) => {
    const { run } = await prepare();
    expect(await begin(run)).toEqual({});
  });
});

test('I4: damaged notes do not stop a verification from ending', async () => {
  const point = await room.backup();
  const verify = { point: point.id, kind: 'quick' as const, portion: '100%', turn: 0, sample: 0 };
  const run = await room.begin({ mode: 'verify', verify });
  room.vault.write(CONTROL_CONTAINER, { name: notesPath(point), body: Buffer.from('{') });
  const { publishRun } = makeActivities(room.deps());
  expect(await publishRun({ run, containers: 0, problems: [], cancelled: false, requests: {} })).toEqual({
    status: 'succeeded',
  });
  expect((await room.control.readLockOf(run))?.value.run).toBeNull();
  expect(room.warned).toEqual(['proof-not-noted']);
});

describe('F23: slices of a listing', () => {
  it('every name is in one slice as a whole, whatever the pages', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 0xffff }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 7 }),
        async (seed, sliceBlobs, longest) => {
          const random = new Random(seed);
          let paging = false;
          const paged = new Vault({
            sliceBlobs,
            chunkBlobs: 3,
            page: (limit) => (paging ? random.between(1, longest) : limit),
          });
          for (let day = 0; day < 4; day++) {
            for (let index = 0; index < 9; index++) {
              if (day === 0 || random.chance(0.6)) paged.put(`n${index}`, `${day} ${index}`);
            }
            await paged.backup();
          }
          const last = Object.fromEntries(
            paged.source.listBlobs('data', {}).blobs.map(({ name, etag }) => [name, etag]),
          );
          const all = Object.values(paged.contents()).flat().length;
          paging = true;
          const plan = await paged.plan();
          expect(plan).toMatchObject({ status: 'succeeded', counts: { listed: all, planned: all - 9 } });
          expect(await paged.carryOut(plan)).toMatchObject({ status: 'succeeded', counts: { removed: all - 9 } });
          paging = false;
          for (const [name, [only, ...more]] of Object.entries(paged.contents())) {
            expect(more).toEqual([]);
            expect(only).toBe(String(paged.source.blob('data', name)!.body));
            expect(paged.vault.blob(BACKUP, name)!.metadata.strongroom_etag).toBe(last[name]);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
