import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { describe, expect, it, test } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import type { Job } from '#config/configuration.ts';
import type { Notify } from '#config/notify.ts';
import { lockPath, notesPath, summaryPath } from '#domain/run/control-paths.ts';
import { acquire, release } from '#domain/run/lock.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { newRunId } from '#domain/run/run-id.ts';
import type { Message } from '#domain/watch/notices.ts';
import { EMPTY_STATE } from '#domain/watch/state.ts';
import { testChannelHandler } from '#functions/watch/test-channel.ts';
import { watchHandler } from '#functions/watch/watch.ts';
import type { CatalogRow } from '#storage/catalog.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import { type Call, MemoryBlobs } from '../../../../prove/memory/memory-blobs.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';
import { jobOf, Vault } from '../../../support/builders/prune-vault.ts';
import { runRef } from '../../../support/builders/run-ref.ts';

const HOUR = 3_600_000;
const NOTIFY: Notify = {
  every: '0 */5 * * * *',
  timeZone: 'UTC',
  channels: [
    { name: 'ops', kind: 'slack', url: 'https://ops.example' },
    { name: 'mail', kind: 'slack', url: 'https://mail.example' },
  ],
  send: [
    { to: ['ops'], when: ['all'], repeat: '24h', recovered: true },
    { to: ['mail'], when: ['error', 'critical'], recovered: true, digest: '0 0 8 * * *' },
  ],
  pings: new Map(),
  severity: {},
  names: true,
};

class Crash extends Error {}

interface Sent {
  channel: string;
  message: string;
  type: string;
  id: string;
  since: string;
  at: number;
}

/** A watched vault in memory, whose runs are rows and locks. */
class Room {
  readonly vault = new Vault();
  readonly sent: Sent[] = [];
  readonly requests: string[] = [];
  readonly logged: string[] = [];
  deps: Dependencies;
  handler: () => Promise<void>;
  /** Called before and after each request of the watch. */
  around: (call: Call, when: 'before' | 'after') => unknown = () => {};
  refuse: (channel: string) => boolean = () => false;

  constructor(job: Partial<Job>, notify = NOTIFY) {
    this.vault.jobs = [jobOf('nightly', job)];
    const given = this.vault.deps();
    const network =
      (account: 'source' | 'vault') =>
      async <T>(call: Call, carryOut: () => T): Promise<T> => {
        this.requests.push(call.operation);
        await this.around({ ...call, account: account === 'source' ? 'SOURCE' : 'VAULT' }, 'before');
        const answer = carryOut();
        await this.around({ ...call, account: account === 'source' ? 'SOURCE' : 'VAULT' }, 'after');
        return answer;
      };
    const catalog = given.catalog('VAULT');
    this.deps = {
      ...given,
      configuration: {
        ...given.configuration,
        notify,
        accounts: new Map([
          ['SOURCE', {}],
          ['VAULT', {}],
        ]),
      },
      blobs: (alias: string) =>
        alias === 'SOURCE'
          ? new MemoryBlobs(this.vault.source, network('source'))
          : new MemoryBlobs(this.vault.vault, network('vault')),
      catalog: () => ({
        ...catalog,
        put: catalog.put.bind(catalog),
        list: (options: { limit: number }) => {
          this.requests.push('QueryEntities');
          return catalog.list(options);
        },
      }),
      telemetry: {
        ...given.telemetry,
        watchPassed: () => {},
        warn: (name: string) => this.logged.push(name),
        conditionChanged: (to: string, { id }: { id: string }) => this.logged.push(`${to} ${id}`),
      },
      notifier: {
        send: async ({ name }: { name: string }, message: Message) => {
          if (this.refuse(name)) throw new Error('HTTP 500');
          for (const { type, condition } of message.notices) {
            const { id, since } = condition;
            this.sent.push({ channel: name, message: message.id, type, id, since, at: this.vault.clock.app });
          }
        },
        ping: async () => {},
      },
    } as unknown as Dependencies;
    this.handler = watchHandler(this.deps);
  }

  get now(): number {
    return this.vault.clock.app;
  }

  /** A run that began now and took an hour. */
  async run(status: string, more: Partial<CatalogRow> = {}): Promise<void> {
    const began = new Date(this.now);
    const { mode } = more;
    const id = newRunId('nightly', began, 'aaaaaa');
    const finishedAt = new Date(this.now + HOUR).toISOString();
    const lock = await this.vault.control.readLock('nightly');
    const ref = runRef({ id, job: 'nightly', startedAt: began.toISOString(), mode: 'incremental' });
    const due = { what: 'backup' as const, at: began, schedule: '0 0 0 * * * UTC', ticked: true };
    const taken = acquire(lock?.value, ref, began, due);
    await this.vault.control.writeJson(
      lockPath('nightly'),
      release(taken, began, status === 'failed' || mode !== undefined ? {} : { point: id }),
      lock ? { ifMatch: lock.etag } : 'absent',
    );
    this.vault.vault.write('strongroom', { name: summaryPath({ job: 'nightly', id }), body: Buffer.from('{}') });
    await this.deps.catalog('VAULT').put({
      ...{ id, job: 'nightly', mode: 'incremental', trigger: 'timer', dryRun: false, status },
      ...{ startedAt: began.toISOString(), finishedAt, counts: { listed: 10, failed: status === 'succeeded' ? 0 : 3 } },
      ...more,
    });
  }

  /** A restore of which a catalog knows more than a vault. */
  async restoreThatDies(status: 'running' | 'failed'): Promise<void> {
    const began = new Date('2026-05-20T12:00:00Z');
    await this.deps.catalog('VAULT').put({
      ...{ id: newRunId('nightly', began, 'aaaaaa'), job: 'nightly', mode: 'restore', trigger: 'http', dryRun: false },
      ...{ status, startedAt: began.toISOString() },
      ...(status === 'failed' && { finishedAt: new Date(this.now).toISOString() }),
    });
  }

  loseState(): Promise<unknown> {
    const blob = { name: 'watch/state.json', body: Buffer.from('{'), metadata: {}, headers: {} };
    return Promise.resolve(this.vault.vault.write('strongroom', blob));
  }

  /** One pass; a crash ends the process, and the next pass is that of another. */
  async pass(): Promise<void> {
    try {
      await this.handler();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.handler = watchHandler(this.deps);
    }
  }

  brake(engaged: boolean): Promise<unknown> {
    const name = notesPath({ job: 'nightly', id: 'nightly-20260501T000000Z-aaaaaa' });
    const notes = {
      brake: { reason: 'x', containers: ['data'], ...(!engaged && { released: '2026-05-20T00:00:00Z' }) },
    };
    return Promise.resolve(
      this.vault.vault.write('strongroom', {
        name,
        body: Buffer.from(JSON.stringify(notes)),
        metadata: { strongroom_notes: JSON.stringify(notes) },
        headers: {},
      }),
    );
  }

  reported(channel = 'ops'): string[] {
    return this.sent.filter((each) => each.channel === channel).map(({ type, id }) => `${type} ${id}`);
  }
}

const DAILY: Partial<Job> = {
  schedule: '0 0 0 * * *',
  verify: { schedule: '0 0 6 * * *', kind: 'quick', portion: '100%', expect: '10d' },
};
const VERIFIED = { mode: 'verify' };

const RESTORE = { mode: 'restore', trigger: 'http' };
const PRUNE = { mode: 'prune', counts: { listed: 10, failed: 0, removed: 4 } };

/** What is done by hand on some days, and a prune. One restore dies, and the next start of the job ends it. */
async function byHand(room: Room, day: number): Promise<void> {
  if (day % 9 === 0) await room.run('succeeded', RESTORE);
  if (day === 13) await room.run('failed', RESTORE);
  if (day === 14) await room.run('succeeded', PRUNE);
  if (day === 16) await room.run('cancelled', RESTORE);
  if (day === 17) await room.run('succeeded', { ...RESTORE, dryRun: true });
  if (day === 20 || day === 21) await room.restoreThatDies(day === 20 ? 'running' : 'failed');
  // While the vault does not answer.
  if (day === 25) await room.run('succeeded', RESTORE);
}

const idAt = (time: string) => newRunId('nightly', new Date(time), 'aaaaaa');
/** In a month: what is reported once. */
const ENDED = [
  `restored/${idAt('2026-05-09T12:00:00Z')}`,
  `restored/${idAt('2026-05-13T12:00:00Z')}`,
  `pruned/${idAt('2026-05-14T12:00:00Z')}`,
  `cancelled/${idAt('2026-05-16T12:00:00Z')}`,
  `restored/${idAt('2026-05-18T12:00:00Z')}`,
  `restored/${idAt('2026-05-20T12:00:00Z')}`,
  `restored/${idAt('2026-05-25T12:00:00Z')}`,
  `restored/${idAt('2026-05-27T12:00:00Z')}`,
];

/** A month: some nights fail, some do not happen, the brake engages, an account and the vault are out of reach. */
async function month(room: Room): Promise<void> {
  room.vault.clock.app = room.vault.clock.service = Date.parse('2026-05-01T00:00:00Z');
  await room.run('succeeded');
  for (let day = 1; day <= 30; day++) {
    if (![7, 8, 15].includes(day))
      await room.run(day === 4 ? 'failed' : day === 12 ? 'completed-with-failures' : 'succeeded');
    if (day === 10) await room.brake(true);
    if (day === 12) await room.brake(false);
    for (let hour = 0; hour < 24; hour += 6) {
      if (hour === 6 && ![18, 19].includes(day)) await room.run('succeeded', VERIFIED);
      if (hour === 12) await byHand(room, day);
      await room.pass();
      room.vault.pass(6);
    }
  }
}

const isDown = (room: Room, account: string | undefined) => {
  const day = new Date(room.now).getUTCDate();
  return (account === 'SOURCE' && day === 22) || (account === 'VAULT' && day === 25);
};

function outages(room: Room) {
  return ({ account }: Call) => {
    if (isDown(room, account)) throw new StorageError('unreachable', 'no connection', 0, 'ECONNREFUSED');
  };
}

const EXPECTED = [
  'failed/backup/nightly',
  'overdue/backup/nightly',
  'incomplete/backup/nightly',
  'brake/nightly',
  'overdue/verify/nightly',
  'unproved/nightly',
  'out-of-reach/SOURCE',
  'out-of-reach/VAULT',
  `stalled/restore/${idAt('2026-05-20T12:00:00Z')}`,
];

describe('a month', () => {
  it('is reported: each condition opens and closes', async () => {
    const room = new Room(DAILY);
    room.around = outages(room);
    await month(room);
    const reported = room.reported();
    for (const id of EXPECTED) {
      expect(reported, id).toContain(`opened ${id}`);
      if (id !== 'unproved/nightly')
        expect(reported.filter((each) => each === `closed ${id}`).length, id).toBe(
          reported.filter((each) => each === `opened ${id}`).length,
        );
    }
    for (const id of EXPECTED) {
      const times = (word: string) => room.logged.filter((each) => each === `${word} ${id}`).length;
      const opened = reported.filter((each) => each === `opened ${id}`).length;
      expect([times('open'), times('closed')], id).toEqual([opened, id === 'unproved/nightly' ? 0 : opened]);
    }
    expect(reported.filter((each) => each === 'opened overdue/backup/nightly')).toHaveLength(2);
    // Of the two nights that did not happen, the second is reported as a repetition.
    expect(reported).toContain('repeated overdue/backup/nightly');
    // What a person or a prune did is reported once, and in its order.
    expect(reported.filter((each) => each.startsWith('ended '))).toEqual(ENDED.map((id) => `ended ${id}`));
    // A digest comes once a day.
    const digests = room.sent.filter(({ channel }) => channel === 'mail');
    expect(new Set(digests.map(({ at }) => new Date(at).getUTCHours()))).toEqual(new Set([12]));
    expect(room.reported('mail')).toContain('opened overdue/backup/nightly');
  });

  const slow = { tags: ['slow'], timeout: 300_000 };
  it(
    'is reported if the watch crashes at any of its writes, and no message has a second id, and no event is lost',
    slow,
    async () => {
      const plain = new Room(DAILY);
      let writes = 0;
      const isWrite = ({ name, writes: w }: Call) => w === true && String(name).startsWith('watch/');
      plain.around = (call, when) => {
        outages(plain)(call);
        if (when === 'before' && isWrite(call)) writes++;
      };
      await month(plain);
      expect(writes).toBeGreaterThan(30);
      const wanted = new Set(plain.reported().filter((each) => !each.startsWith('repeated')));
      const events = new Set(plain.logged.filter((each) => !each.includes('VAULT')));
      for (let at = 1; at <= writes; at++) {
        for (const moment of ['before', 'after'] as const) {
          const room = new Room(DAILY);
          let count = 0;
          room.around = (call, when) => {
            outages(room)(call);
            if (when === moment && isWrite(call) && ++count === at) throw new Crash();
          };
          await month(room);
          const reported = new Set(room.reported().filter((each) => !each.startsWith('repeated')));
          // That a vault does not answer, a process can remember only itself.
          const both = [...reported, ...wanted].filter(
            (each) => !/VAULT/.test(each) && !(reported.has(each) && wanted.has(each)),
          );
          expect(both.join(), `${moment} write ${at}`).toBe('');
          const lost = [...events].filter((each) => !room.logged.includes(each));
          expect(lost.join(), `not logged, ${moment} write ${at}`).toBe('');
          const ids = new Map<string, Set<string>>();
          for (const { channel, type, id, since, message } of room.sent) {
            if (channel !== 'ops' || type === 'repeated') continue;
            const key = `${type} ${id} ${since}`;
            ids.set(key, (ids.get(key) ?? new Set()).add(message));
          }
          for (const [key, messages] of ids) expect(messages.size, `${key} ${moment} write ${at}`).toBe(1);
        }
      }
    },
  );
});

test('a pass costs a fixed number of requests, however many restore points there are', async () => {
  const room = new Room(DAILY);
  for (let day = 0; day < 20; day++) {
    await room.run('succeeded');
    room.vault.pass(24);
  }
  await room.pass();
  await room.pass();
  room.requests.length = 0;
  await room.pass();
  expect(room.requests.toSorted()).toEqual([
    'GetBlob', // the state of the watch
    'GetBlob', // pauses
    'GetBlob', // starts that were not made
    'GetBlob', // the lock of the job
    'GetBlobProperties', // the summary of its newest restore point
    'ListBlobs', // the notes of its restore points
    'ListContainers', // the source
    'QueryEntities', // the catalog
  ]);
});

test('a channel that takes nothing gets everything later, and the others hear of it', async () => {
  const room = new Room(DAILY, {
    ...NOTIFY,
    send: [
      { to: ['ops'], when: ['all'], recovered: true },
      { to: ['mail'], when: ['all'], recovered: true },
    ],
  });
  room.refuse = (channel) => channel === 'ops';
  await room.run('succeeded');
  room.vault.pass(24);
  await room.run('failed');
  room.vault.pass(2);
  for (let pass = 0; pass < 3; pass++) {
    await room.pass();
    room.vault.pass(1);
  }
  expect(room.reported('mail')).toEqual(['opened failed/backup/nightly', 'opened undelivered/ops']);
  expect(room.logged).toContain('message-not-sent');
  room.refuse = () => false;
  await room.pass();
  expect(room.reported('ops')).toEqual(['opened failed/backup/nightly']);
  await room.pass();
  expect(room.reported('mail').at(-1)).toBe('closed undelivered/ops');
});

describe('a channel that takes nothing', () => {
  const send: Notify['send'] = [
    { to: ['ops'], when: ['all'], recovered: true },
    { to: ['mail'], when: ['all'], recovered: true, repeat: '1h' },
  ];
  const toMail = (room: Room) => room.reported('mail').filter((each) => each.includes('undelivered'));

  async function refusing(): Promise<Room> {
    const room = new Room({}, { ...NOTIFY, send });
    room.refuse = (channel) => channel === 'ops';
    await room.run('failed');
    for (let pass = 0; pass < 3; pass++) {
      room.vault.pass(1);
      await room.pass();
    }
    expect(toMail(room)).toEqual(['opened undelivered/ops']);
    return room;
  }

  it('is over when an operator tries it and it takes that, though nothing else waits for it any more', async () => {
    const room = await refusing();
    room.vault.pass(4 * 24);
    await room.pass();
    room.refuse = () => false;
    const request = httpRequest({ body: { channel: 'ops' }, method: 'POST', headers: { 'x-functions-key': 'x' } });
    const call = () => testChannelHandler(room.deps)(request, {} as DurableClient, {} as InvocationContext);
    expect((await call()).status).toBe(200);
    await room.pass();
    expect(toMail(room).at(-1)).toBe('closed undelivered/ops');
    expect(room.reported('ops')).toEqual(['opened test']);
  });

  it.each([
    [2, 5],
    [5, 2],
  ])('from two vaults, since %i and %i hours, does so since the earlier time', async (first, second) => {
    const room = new Room({}, { ...NOTIFY, send });
    const other = new Vault().deps();
    const { blobs, catalog, configuration } = room.deps;
    const [job] = configuration.jobs;
    const elsewhere = { ...job!, name: 'second', destination: { ...job!.destination, account: 'OTHER' } };
    room.deps = {
      ...room.deps,
      configuration: { ...configuration, jobs: [job!, elsewhere] },
      blobs: (alias) => (alias === 'OTHER' ? other.blobs('VAULT') : blobs(alias)),
      catalog: (alias) => (alias === 'OTHER' ? other.catalog('VAULT') : catalog(alias)),
    };
    const ago = (hours: number) => new Date(room.now - hours * HOUR).toISOString();
    for (const [alias, hours] of [['VAULT', first] as const, ['OTHER', second] as const]) {
      const state = { ...EMPTY_STATE, refused: { ops: ago(hours) } };
      await new WatchStore(room.deps.blobs(alias)).writeState(state, 'absent');
    }
    room.handler = watchHandler(room.deps);
    await room.pass();
    expect(room.sent).toMatchObject([{ channel: 'mail', id: 'undelivered/ops', since: ago(5) }]);
  });

  it('and was removed from the configuration is reported no more', async () => {
    const room = await refusing();
    const notify = { ...NOTIFY, channels: NOTIFY.channels.slice(1), send: send.slice(1) };
    room.deps = { ...room.deps, configuration: { ...room.deps.configuration, notify } };
    room.handler = watchHandler(room.deps);
    for (let pass = 0; pass < 3; pass++) {
      room.vault.pass(2);
      await room.pass();
    }
    expect(toMail(room)).toEqual(['opened undelivered/ops']);
  });
});

test('of two processes that watch at once, the one that writes first sends', async () => {
  const room = new Room(DAILY);
  await room.run('failed');
  room.vault.pass(2);
  const other = watchHandler(room.deps);
  let isFirst = true;
  room.around = async ({ writes, name }, when) => {
    if (when !== 'before' || writes !== true || name !== 'watch/state.json' || !isFirst) return;
    isFirst = false;
    await other();
  };
  await room.pass();
  expect(isFirst).toBe(false);
  expect(room.reported()).toEqual(['opened failed/backup/nightly']);
  expect(room.logged).toEqual(['open failed/backup/nightly']);
});

test('a job that is paused is not overdue, and what the pause covered stays forgotten', async () => {
  const room = new Room({ schedule: '0 0 0 * * *' });
  await room.run('succeeded');
  await room.pass();
  const store = new WatchStore(room.deps.blobs('VAULT'));
  await store.changePause('nightly', () => ({ at: new Date(room.now).toISOString(), reason: 'a move' }));
  for (let hour = 0; hour < 60; hour += 6) {
    room.vault.pass(6);
    await room.pass();
  }
  expect(room.reported()).toEqual(['opened paused/nightly', 'repeated paused/nightly']);
  await store.changePause('nightly', (pause) => ({ ...pause!, resumed: new Date(room.now).toISOString() }));
  await room.pass();
  expect(room.reported().at(-1)).toBe('closed paused/nightly');
  room.vault.pass(12);
  await room.pass();
  expect(room.reported().filter((each) => each.includes('overdue'))).toEqual([]);
  room.vault.pass(24);
  await room.pass();
  expect(room.reported().at(-1)).toBe('opened overdue/backup/nightly');
});

test('runs from before a clock was set back hide no later ones', async () => {
  const room = new Room({ schedule: '0 0 0 * * *' });
  room.vault.pass(24 * 365);
  await room.run('succeeded');
  await room.pass();
  room.vault.pass(-24 * 365);
  await room.pass();
  room.vault.pass(30);
  await room.pass();
  expect(room.reported()).toEqual(['opened overdue/backup/nightly']);
  await room.run('succeeded');
  await room.pass();
  expect(room.reported().at(-1)).toBe('closed overdue/backup/nightly');
});

test('another app with the vault keeps what it has open', async () => {
  const room = new Room(DAILY);
  await room.run('failed');
  await room.pass();
  const other = new Room({});
  other.deps = { ...room.deps, configuration: { ...room.deps.configuration, jobs: [jobOf('other', {})] } };
  other.handler = watchHandler(other.deps);
  await other.pass();
  await room.pass();
  expect(room.reported()).toEqual(['opened failed/backup/nightly']);
});

test('another app with the vault closes nothing of an account that it does not have', async () => {
  const room = new Room({});
  room.around = ({ account }) => {
    if (account === 'SOURCE') throw new StorageError('unreachable', 'no connection', 0, 'ECONNREFUSED');
  };
  for (let pass = 0; pass < 3; pass++) await room.pass();
  expect(room.reported()).toEqual(['opened out-of-reach/SOURCE']);
  const { configuration } = room.deps;
  const [job] = configuration.jobs;
  const accounts = new Map([['VAULT', configuration.accounts.get('VAULT')!]]);
  const jobs = [{ ...job!, name: 'other', source: { ...job!.source, account: 'ELSEWHERE' } }];
  await watchHandler({ ...room.deps, configuration: { ...configuration, accounts, jobs } })();
  await room.pass();
  expect(room.reported()).toEqual(['opened out-of-reach/SOURCE']);
});

test('an account is out of reach since the first pass without an answer', async () => {
  const room = new Room({});
  let down: string | undefined;
  room.around = ({ account }) => {
    if (account === down) throw new StorageError('unreachable', 'no connection', 0, 'ECONNREFUSED');
  };
  for (const account of ['VAULT', 'SOURCE']) {
    down = undefined;
    await room.pass();
    room.vault.pass(1);
    down = account;
    const first = new Date(room.now).toISOString();
    for (let pass = 0; pass < 4; pass++) {
      await room.pass();
      room.vault.pass(1);
    }
    expect(room.sent.at(-1)).toMatchObject({ type: 'opened', id: `out-of-reach/${account}`, since: first });
  }
});

test('a vault that has lost its control container is reported, and the watch does not make it again', async () => {
  const room = new Room(DAILY);
  await room.run('succeeded');
  await room.pass();
  room.vault.vault.deleteContainer('strongroom');
  for (let pass = 0; pass < 4; pass++) await room.pass();
  expect(room.reported()).toEqual(['opened out-of-reach/VAULT']);
  expect(room.logged).toEqual(['open out-of-reach/VAULT']);
  await expect(new WatchStore(room.deps.blobs('VAULT')).isGone()).resolves.toBe(true);
});

test('before its first restore point, a job has nothing to verify, and owes no verification for that time', async () => {
  const room = new Room({ ...DAILY, schedule: '0 0 0 * * 0' });
  room.vault.clock.app = room.vault.clock.service = Date.parse('2026-05-05T00:00:00Z');
  for (let hour = 0; hour < 48; hour += 6) {
    await room.pass();
    room.vault.pass(6);
  }
  await room.run('succeeded');
  await room.pass();
  expect(room.reported()).toEqual([]);
  room.vault.pass(12);
  await room.pass();
  expect(room.reported()).toEqual(['opened overdue/verify/nightly']);
});

test('a watch that has lost its memory reports the ends of the last day again, under the same ids', async () => {
  const room = new Room(DAILY);
  await room.run('succeeded', RESTORE);
  room.vault.pass(2);
  await room.pass();
  await room.pass();
  expect(room.sent.map(({ type }) => type)).toEqual(['ended']);
  await room.loseState();
  await room.pass();
  expect(room.sent.map(({ type }) => type)).toEqual(['ended', 'ended']);
  expect(new Set(room.sent.map(({ message }) => message)).size).toBe(1);
  room.vault.pass(48);
  await room.loseState();
  await room.pass();
  expect(room.sent.filter(({ type }) => type === 'ended')).toHaveLength(2);
});

describe('a watch that has lost its memory', () => {
  it.each<[string, Partial<Job>, string[]]>([
    ['a backup that is overdue', { schedule: '0 0 0 * * *' }, ['overdue/backup/nightly']],
    ['a backup that is overdue by its interval', { expect: { every: '26h' } }, ['overdue/backup/nightly']],
    [
      'a verification that is overdue, and that nothing is proved',
      { verify: { schedule: '0 0 0 1 * *', kind: 'quick', portion: '100%', expect: '1d' } },
      ['overdue/verify/nightly', 'unproved/nightly'],
    ],
  ])('reports %s at its next pass, and it stays open', async (_, job, ids) => {
    const room = new Room(job);
    await room.run('succeeded');
    room.vault.pass(1);
    if (job.verify) await room.run('succeeded', VERIFIED);
    await room.pass();
    room.vault.pass(35 * 24);
    await room.pass();
    const opened = ids.map((id) => `opened ${id}`);
    expect(room.reported().toSorted()).toEqual(opened);
    await room.loseState();
    await room.pass();
    await room.pass();
    room.vault.pass(1);
    await room.pass();
    expect(room.reported().toSorted()).toEqual([...opened, ...opened].toSorted());
  });

  it('reports nothing of a job that is new', async () => {
    const room = new Room(DAILY);
    room.vault.vault.createContainer('strongroom');
    await room.loseState();
    room.vault.pass(11);
    await room.pass();
    expect(room.reported()).toEqual([]);
  });
});

test('the end of a restore that no list has any more is found in the vault', async () => {
  const room = new Room(DAILY);
  const backup = await room.vault.backup();
  const id = idAt(new Date(room.now).toISOString());
  const startedAt = new Date(room.now).toISOString();
  const row = { id, job: 'nightly', ...RESTORE, dryRun: false, status: 'running', startedAt };
  let rows: CatalogRow[] = [row];
  room.deps = { ...room.deps, catalog: () => ({ list: async () => ({ rows }) }) } as unknown as Dependencies;
  room.handler = watchHandler(room.deps);
  await room.pass();
  rows = [];
  room.vault.pass(1);
  await room.pass();
  expect(room.reported()).toEqual([`opened stalled/restore/${id}`]);
  const restore = { point: backup.id, target: {}, existing: 'skip' };
  const finishedAt = new Date(room.now).toISOString();
  const summary = { ...backup, ...row, status: 'succeeded', finishedAt, restorePoint: false, restore };
  await room.vault.control.writeSummary(summary as unknown as RunSummary);
  await room.pass();
  await room.pass();
  expect(room.reported().slice(1)).toEqual([`closed stalled/restore/${id}`, `ended restored/${id}`]);
});

test('a severity of the configuration decides who gets a condition, and the end of a run', async () => {
  const severity = { failed: 'info', restored: 'critical' } as const;
  const send: Notify['send'] = [{ to: ['mail'], when: ['error', 'critical'], recovered: true }];
  const room = new Room(DAILY, { ...NOTIFY, send, severity });
  await room.run('failed');
  room.vault.pass(1);
  await room.run('succeeded', RESTORE);
  await room.pass();
  expect(room.reported('mail')).toEqual([expect.stringMatching(/^ended restored\//)]);
});

test('a severity of the configuration decides who hears of a vault that cannot keep its conditions', async () => {
  const send: Notify['send'] = [{ to: ['mail'], when: ['critical'], recovered: true }];
  const room = new Room({}, { ...NOTIFY, send, severity: { 'out-of-reach': 'critical' } });
  room.around = ({ account }) => {
    if (account === 'VAULT') throw new StorageError('unreachable', 'no connection', 0, 'ECONNREFUSED');
  };
  for (let pass = 0; pass < 3; pass++) await room.pass();
  expect(room.reported('mail')).toEqual(['opened out-of-reach/VAULT']);
});

test('names of containers are in nothing that is to be sent, if they may not leave', async () => {
  for (const names of [true, false]) {
    const room = new Room(DAILY, { ...NOTIFY, names });
    const problem = { code: 'access-denied-source' as const, container: 'very-secret', count: 0, message: '' };
    await room.run('failed', { problem });
    await room.brake(true);
    room.vault.pass(1);
    await room.run('failed', { ...RESTORE, problem });
    room.refuse = () => true;
    await room.pass();
    const { state } = await new WatchStore(room.deps.blobs('VAULT')).readState();
    const said = state!.notices.outbox.map(({ condition }) => `${condition.title} ${condition.message}`);
    expect(said).toHaveLength(6);
    expect(said.filter((text) => text.includes('very-secret'))).toHaveLength(names ? 4 : 0);
    expect(said.filter((text) => text.includes('too much of data'))).toHaveLength(names ? 2 : 0);
  }
});

test('an account out of reach has the severity of the configuration', async () => {
  const severities: string[] = [];
  const room = new Room({}, { ...NOTIFY, severity: { 'out-of-reach': 'info' } });
  const telemetry = {
    ...room.deps.telemetry,
    conditionChanged: (_: string, { severity }: { severity: string }) => {
      severities.push(severity);
    },
  };
  room.deps = { ...room.deps, telemetry } as unknown as Dependencies;
  room.handler = watchHandler(room.deps);
  room.around = ({ account }) => {
    if (account === 'VAULT') throw new StorageError('unreachable', 'no connection', 0, 'ECONNREFUSED');
  };
  for (let passes = 0; passes < 3; passes++) await room.pass();
  expect(severities).toEqual(['info']);
});

test('a digest that always comes says which job cannot be read', async () => {
  const digest = { to: ['mail'], recovered: true, digest: '0 0 8 * * *', always: true };
  const room = new Room({}, { ...NOTIFY, send: [{ ...digest, when: ['critical'] }] });
  const titles: string[] = [];
  const notifier = {
    send: async (_: unknown, { notices }: Message) => {
      titles.push(...notices.map(({ condition }) => condition.title));
    },
  };
  room.deps = { ...room.deps, notifier } as unknown as Dependencies;
  room.handler = watchHandler(room.deps);
  room.vault.clock.app = room.vault.clock.service = Date.parse('2026-05-01T00:00:00Z');
  await room.run('succeeded');
  await room.pass();
  room.vault.alter(lockPath('nightly'), () => Buffer.from('damaged'));
  room.vault.pass(9);
  await room.pass();
  expect(titles).toEqual(['Not all is well: 1 condition open, 1 job not read']);
});

describe('a digest that always comes', () => {
  const send: Notify['send'] = [
    { to: ['mail'], when: ['error', 'critical'], recovered: true, digest: '0 0 8 * * *', always: true },
  ];

  /** Two jobs, each with a vault of its own. */
  function twoVaults() {
    const room = new Room({ schedule: '0 0 0 * * *' }, { ...NOTIFY, send });
    const other = new Vault();
    const destination = { account: 'OTHER', container: '{container}backup' };
    const second = { ...jobOf('second', {}), destination };
    const blobsThere = () => new ControlStore(new MemoryBlobs(other.vault));
    const backup = async () => {
      const began = new Date(room.now);
      const id = newRunId('second', began, 'aaaaaa');
      const lock = release(acquire(undefined, runRef({ id, job: 'second' }), began), began, { point: id });
      await blobsThere().writeJson(lockPath('second'), lock, 'absent');
      other.vault.write('strongroom', { name: summaryPath({ job: 'second', id }), body: Buffer.from('{}') });
    };
    const { blobs, catalog, configuration } = room.deps;
    let isDown = false;
    const network = async <T>(_: Call, carryOut: () => T): Promise<T> => {
      if (isDown) throw new StorageError('unreachable', 'no connection', 0, 'ECONNREFUSED');
      return carryOut();
    };
    const texts: string[] = [];
    const notifier = {
      send: async (_: unknown, { notices }: Message) => {
        texts.push(...notices.map(({ condition }) => condition.title));
      },
    };
    room.deps = {
      ...room.deps,
      notifier,
      configuration: { ...configuration, jobs: [...configuration.jobs, second] },
      blobs: (alias: string) => (alias === 'OTHER' ? new MemoryBlobs(other.vault, network) : blobs(alias)),
      catalog: (alias: string) => (alias === 'OTHER' ? other.deps().catalog('VAULT') : catalog(alias)),
    } as unknown as Dependencies;
    room.handler = watchHandler(room.deps);
    const day = async () => {
      for (let hour = 0; hour < 24; hour += 6) {
        if (hour === 0) await room.run('succeeded');
        await room.pass();
        room.vault.pass(6);
      }
      return texts.splice(0);
    };
    room.vault.clock.app = room.vault.clock.service = Date.parse('2026-05-01T00:00:00Z');
    return { room, day, backup, down: (value: boolean) => (isDown = value) };
  }

  it('says that all is well, once a day, if every vault says so', async () => {
    const { day, backup, down } = twoVaults();
    expect(await day()).toEqual(['Not all is well: 1 job without a backup']);
    await backup();
    expect(await day()).toEqual(['All is well: 2 jobs']);
    down(true);
    // By the time of the digest, the third pass has found the vault out of reach.
    expect(await day()).toEqual(['Not all is well: 1 condition open, 1 job not read']);
  });

  it('lists what is still open on the next day, and leaves the first to the digest of it', async () => {
    const { room, day, backup } = twoVaults();
    await backup();
    await day();
    await room.brake(true);
    expect(await day()).toEqual(['nightly: the safety brake is engaged']);
    expect(await day()).toEqual(['Not all is well: 1 condition open']);
  });
});
