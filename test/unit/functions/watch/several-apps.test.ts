import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import type { Notify } from '#config/notify.ts';
import { newRunId } from '#domain/run/run-id.ts';
import type { Message } from '#domain/watch/notices.ts';
import { EMPTY_STATE } from '#domain/watch/state.ts';
import { watchHandler } from '#functions/watch/watch.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { type Call, MemoryBlobs } from '../../../../prove/memory/memory-blobs.ts';
import { jobOf, Vault } from '../../../support/builders/prune-vault.ts';

/** The channels of all apps have one name, and other addresses. */
const NOTIFY: Notify = {
  every: '0 */5 * * * *',
  timeZone: 'UTC',
  channels: [{ name: 'ops', kind: 'slack', url: 'https://ops.example' }],
  send: [{ to: ['ops'], when: ['all'], recovered: true }],
  pings: new Map(),
  severity: {},
  names: true,
};

/** An app with one job of its own. */
class App {
  readonly sent: string[] = [];
  readonly ids = new Set<string>();
  readonly logged: string[] = [];
  takes = true;
  /** Called before each write of the state of the watch. */
  beforeWrite: () => unknown = () => {};
  readonly pass: () => Promise<void>;

  constructor(vault: Vault, given: Dependencies, job: string) {
    const network = async <T>({ writes, name }: Call, carryOut: () => T): Promise<T> => {
      if (writes === true && name === 'watch/state.json') await this.beforeWrite();
      return carryOut();
    };
    const deps = {
      ...given,
      configuration: {
        ...given.configuration,
        jobs: [jobOf(job, {})],
        notify: NOTIFY,
        accounts: new Map([
          ['SOURCE', {}],
          ['VAULT', {}],
        ]),
      },
      blobs: (alias: string) => new MemoryBlobs(alias === 'SOURCE' ? vault.source : vault.vault, network),
      telemetry: {
        ...given.telemetry,
        watchPassed: () => {},
        warn: (name: string) => this.logged.push(name),
        conditionChanged: (to: string, { id }: { id: string }) => this.logged.push(`${to} ${id}`),
      },
      notifier: {
        send: async (_: object, { id, notices }: Message) => {
          if (!this.takes) throw new Error('HTTP 500');
          this.ids.add(id);
          for (const { type, condition } of notices) this.sent.push(`${type} ${condition.id}`);
        },
        ping: async () => {},
      },
    } as unknown as Dependencies;
    this.pass = watchHandler(deps);
  }
}

class Room {
  readonly vault = new Vault();
  readonly given = this.vault.deps();
  readonly names: readonly string[];
  readonly apps: readonly App[];

  constructor(names: readonly string[]) {
    this.names = names;
    this.apps = names.map((name) => this.app(name));
  }

  app(job: string): App {
    return new App(this.vault, this.given, job);
  }

  async runsEnd(status: string, names = this.names): Promise<void> {
    this.vault.pass(1);
    const startedAt = new Date(this.vault.clock.app);
    // A vault that has runs and no control container has lost it.
    this.vault.vault.createContainer('strongroom');
    for (const job of names) {
      await this.given.catalog('VAULT').put({
        ...{ id: newRunId(job, startedAt, 'aaaaaa'), job, mode: 'incremental', trigger: 'timer', dryRun: false },
        ...{ status, startedAt: startedAt.toISOString(), finishedAt: startedAt.toISOString(), counts: {} },
      });
    }
  }

  async state() {
    return (await new WatchStore(this.given.blobs('VAULT')).readState()).state!;
  }

  /**
   * A pass of each app at once: which of them goes to its next write, the choices say, then the first that waits.
   * Returns how many waited each time.
   */
  async passAtOnce(choices: readonly number[]): Promise<number[]> {
    const waiting = new Map<App, () => void>();
    const active = new Set(this.apps);
    const passes = this.apps.map((app) => {
      app.beforeWrite = () =>
        new Promise<void>((resolve) => {
          waiting.set(app, resolve);
          active.delete(app);
        });
      return app.pass().finally(() => active.delete(app));
    });
    const waited: number[] = [];
    while (true) {
      while (active.size > 0) await setImmediate();
      const those = this.apps.filter((app) => waiting.has(app));
      const next = those[choices[waited.length] ?? 0];
      if (!next) break;
      waited.push(those.length);
      active.add(next);
      const resume = waiting.get(next)!;
      waiting.delete(next);
      resume();
    }
    await Promise.all(passes);
    for (const app of this.apps) app.beforeWrite = () => {};
    return waited;
  }
}

/** Every order in which the writes of passes at once can be, or in which the first of them can be. */
async function everyOrder(
  play: (choices: readonly number[]) => Promise<number[]>,
  first = Number.POSITIVE_INFINITY,
): Promise<number> {
  let choices: number[] = [];
  for (let count = 1; ; count++) {
    const waited = (await play(choices)).slice(0, first);
    const taken = waited.map((_, index) => choices[index] ?? 0);
    const last = taken.findLastIndex((choice, index) => choice + 1 < waited[index]!);
    if (last === -1) return count;
    choices = [...taken.slice(0, last), taken[last]! + 1];
  }
}

/** Each app sends and logs what concerns its job, and nothing else. */
function expectEach(room: Room, types: readonly (readonly [notice: string, change: string])[]): void {
  for (const [index, app] of room.apps.entries()) {
    const id = `failed/backup/${room.names[index]}`;
    expect(app.sent).toEqual(types.map(([notice]) => `${notice} ${id}`));
    expect(app.logged).toEqual(types.map(([, change]) => `${change} ${id}`));
  }
}

describe('apps with one vault whose passes are at the same second', () => {
  const OPENED = ['opened', 'open'] as const;
  const CLOSED = ['closed', 'closed'] as const;

  it.for<[string[], number?]>([
    [['a', 'b']],
    // Of their first writes: each fails once or twice in them.
    [['a', 'b', 'c'], 5],
  ])('report what opens, in every order of their writes: %s', async ([names, first]) => {
    const count = await everyOrder(async (choices) => {
      const room = new Room(names);
      await room.runsEnd('failed');
      const waited = await room.passAtOnce(choices);
      expectEach(room, [OPENED]);
      const { open, outbox, changes = [] } = (await room.state()).notices;
      expect(Object.keys(open)).toHaveLength(names.length);
      expect([outbox, changes]).toEqual([[], []]);
      return waited;
    }, first);
    expect(count).toBeGreaterThan(names.length);
  });

  it('report what closes, and what others open meanwhile', async () => {
    await everyOrder(async (choices) => {
      const room = new Room(['a', 'b']);
      await room.runsEnd('failed');
      await room.passAtOnce([]);
      await room.runsEnd('succeeded');
      const waited = await room.passAtOnce(choices);
      expectEach(room, [OPENED, CLOSED]);
      expect((await room.state()).notices).toEqual({ open: {}, outbox: [] });
      return waited;
    });
  });

  it('send what a channel refused, each only its own', async () => {
    const room = new Room(['a', 'b']);
    await room.runsEnd('failed');
    room.apps[0]!.takes = false;
    await room.passAtOnce([]);
    expect(room.apps[0]!.sent).toEqual([]);
    for (let pass = 0; pass < 3; pass++) await room.apps[1]!.pass();
    expect(room.apps[1]!.sent).toEqual(['opened failed/backup/b']);
    room.apps[0]!.takes = true;
    await room.passAtOnce([]);
    expect(room.apps.map(({ sent }) => sent)).toEqual([['opened failed/backup/a'], ['opened failed/backup/b']]);
  });

  it('do not lose what one of them claimed before its process ended', async () => {
    await everyOrder(async (choices) => {
      const room = new Room(['a', 'b']);
      await room.runsEnd('failed');
      room.apps[0]!.takes = false;
      const waited = await room.passAtOnce(choices);
      const { outbox } = (await room.state()).notices;
      expect(outbox.map(({ condition }) => condition.id)).toEqual(['failed/backup/a']);
      const next = room.app('a');
      await next.pass();
      expect([...next.ids]).toEqual(outbox.map(({ id }) => id));
      return waited;
    });
  });

  it('report that one of them cannot keep what it finds, if others write before it in each try', async () => {
    const room = new Room(['a', 'b']);
    const [app] = room.apps;
    const store = new WatchStore(room.given.blobs('VAULT'));
    let count = 0;
    app!.beforeWrite = async () => {
      const { state = EMPTY_STATE, expect } = await store.readState();
      await store.writeState({ ...state, refused: { other: String(++count) } }, expect);
    };
    await room.runsEnd('failed');
    await app!.pass();
    expect(app!.logged).toEqual(['watch-not-kept']);
    await app!.pass();
    await app!.pass();
    expect(app!.sent).toEqual(['opened out-of-reach/VAULT']);
    app!.beforeWrite = () => {};
    await app!.pass();
    expect(app!.sent.slice(1).toSorted()).toEqual(['closed out-of-reach/VAULT', 'opened failed/backup/a']);
  });
});
