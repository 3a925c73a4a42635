import type { InvocationContext } from '@azure/functions';
import type { DurableClient, OrchestrationContext, Task } from 'durable-functions';
import pLimit from 'p-limit';
import { makeActivities } from '#activities/index.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { Job } from '#config/configuration.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import { isRestorePoint } from '#domain/run/restore-point.ts';
import type { RunReport, RunSummary } from '#domain/run/run.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import { isSegment, type Segment } from '#domain/tables/segment.ts';
import { type EntityKey, nameOfKey } from '#domain/tables/table-key.ts';
import { orchestrations } from '#orchestrations/index.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import type { EntityQuery, TableAccount } from '#storage/table-account.ts';
import { httpRequest } from '../../test/support/builders/http-request.ts';
import { plainTraits } from '../../test/support/builders/plain-traits.ts';
import { Random } from '../../test/support/builders/random.ts';
import { MemoryAccount, MemoryStorage } from '../memory/memory-account.ts';
import { MemoryBlobs } from '../memory/memory-blobs.ts';
import { MemoryCatalog } from '../memory/memory-catalog.ts';
import { MemoryTables } from '../memory/memory-tables.ts';
import { handlersOf } from '../memory/worker.ts';
import { LivingTables, traitsOf } from './living-tables.ts';

type Orchestrator = (context: OrchestrationContext) => Generator<Task, unknown, unknown>;
type Activity = (input: unknown) => Promise<unknown>;

/** The text of each entity, without its timestamp, by `partition/row`. */
type Content = Map<string, string>;

/** A restore point, and the content of a restore on its first day. */
interface Point {
  id: string;
  job: string;
  /** By table; `lacking` names tables of which it lacks a key range. */
  held: Map<string, Content>;
  lacking: Set<string>;
}

export interface TableMonth {
  violations: string[];
  trace: string[];
  statistics: Record<string, number>;
}

const HOUR = 3_600_000;
const TABLES = ['orders', 'Logs', 'stock'];
const ORCHESTRATORS = orchestrations as Record<string, Orchestrator>;

/**
 * Plays a month of one seed: the app's own handlers, orchestrations and activities back up, prune and restore changing
 * tables day by day, one step after another. Every restore point that stays can be restored as on its first day.
 */
export async function monthOfTables(seed: number, sabotage: Sabotage = {}): Promise<TableMonth> {
  return new Month(seed, sabotage).play();
}

/** Ways to break the app on purpose, to see that the proof notices. */
export interface Sabotage {
  activities?: (activities: Record<string, Activity>, vault: MemoryAccount) => Record<string, Activity>;
  /** Replaces answers of the source. */
  source?: (tables: TableAccount) => Partial<TableAccount>;
}

class Month {
  readonly #random: Random;
  readonly #sabotage: Sabotage;
  readonly #tables: LivingTables;
  readonly #scratch = new MemoryTables('SCRATCH');
  readonly #vault: MemoryAccount;
  readonly #control: ControlStore;
  readonly #jobs: Job[];
  readonly #activities: Record<string, Activity>;
  readonly #handlers: ReturnType<typeof handlersOf>;
  readonly #points: Point[] = [];
  readonly #said: TableMonth = { violations: [], trace: [], statistics: {} };
  readonly #began: { id: string; input: unknown }[] = [];
  #now = Date.UTC(2026, 4, 1, 2);
  #outage: string | undefined;
  /** Whether the source cannot be listed, so that a backup holds nothing. */
  #isDown = false;
  #rows = 0;

  constructor(seed: number, sabotage: Sabotage) {
    const random = new Random(`month ${seed}`);
    this.#random = random;
    this.#sabotage = sabotage;
    this.#tables = new LivingTables(
      traitsOf({
        now: () => this.#now,
        page: (limit) => Math.min(limit, random.between(1, 20)),
        refuse: (table, { after, upTo }) => this.#refuse(table, after?.partition, upTo?.partition),
      }),
    );
    const storage = new MemoryStorage();
    const traits = plainTraits({ now: () => this.#now });
    this.#vault = new MemoryAccount(storage, 'VAULT', traits);
    const source = new MemoryAccount(storage, 'SOURCE', traits);
    this.#control = new ControlStore(new MemoryBlobs(this.#vault));
    const marginHours = random.pick([0, 20, 50]);
    this.#jobs = ['nightly', 'weekly'].map((name) => jobOf(name, random, marginHours));
    const aliases = ['SOURCE', 'VAULT', 'SCRATCH'];
    const accounts: Record<string, MemoryAccount> = { VAULT: this.#vault, SOURCE: source };
    const rows = new Map();
    const deps = {
      configuration: { jobs: this.#jobs, archives: [], accounts: new Map(aliases.map((alias) => [alias, {}])) },
      limits: {
        ...{
          sliceBlobs: random.pick([3, 5, 10, 50]),
          sliceChunks: 8,
          scanMs: 60_000,
          tasksMs: 15_000,
          chunkBlobs: 10,
          chunkBytes: 2 ** 30,
        },
        ...{ copyMs: 60_000, copiesAtOnce: 4, copyDeadlineMs: 3_600_000, silentMs: 600_000, retryDelayMs: 800 },
        requestMs: 60_000,
      },
      telemetry: {
        failure: (...reasons: unknown[]) => this.#note(`failure ${reasons.map(String)}`),
        warn() {},
        runStarted() {},
        runFinished() {},
        chainHead() {},
        brakeEngaged() {},
      },
      copySlots: pLimit(4),
      blobs: (alias: string) => new MemoryBlobs(accounts[alias] ?? source),
      tables: (alias: string) => (alias === 'SCRATCH' ? this.#scratch : this.#sourceTables()),
      catalog: (alias: string) => new MemoryCatalog(alias, rows),
      now: () => new Date(this.#now),
      random: () => random.letters(6),
    } as unknown as Dependencies;
    const activities = makeActivities(deps) as unknown as Record<string, Activity>;
    this.#activities = Object.assign(activities, sabotage.activities?.({ ...activities }, this.#vault));
    this.#handlers = handlersOf(deps);
  }

  async play(): Promise<TableMonth> {
    const random = this.#random;
    for (const table of TABLES) {
      this.#tables.create(table);
      for (let made = random.pick([0, 3, 12, 30]); made > 0; made--) this.#tables.write(table, this.#newKey());
    }
    const days = random.between(8, 25);
    for (let day = 0; day < days; day++) {
      this.#live();
      const job = random.chance(0.85) ? this.#jobs[0]! : this.#jobs[1]!;
      job.source.tableDeletions = random.chance(0.5);
      if (random.chance(0.1))
        job.source.tables = random.pick([['*'], ['orders'], ['orders', 'l*'], ['ORDERS', 'stock']]);
      await this.#backUp(job.name);
      if (random.chance(0.3)) await this.#prune(job.name, random.chance(0.1));
      if (random.chance(0.15)) await this.#hold();
      if (random.chance(0.3)) await this.#lookAtSome();
      this.#now += random.pick([20, 24, 24, 30]) * HOUR;
    }
    // Prunes delete marked content only after the margin.
    for (const { name } of this.#jobs) {
      for (let turn = 0; turn < 3; turn++) {
        await this.#prune(name);
        this.#now += 60 * HOUR;
      }
    }
    for (const point of this.#points) await this.#restore(point);
    await this.#nothingIsLeftOver();
    return this.#said;
  }

  /** The service ignores the case of table names. */
  #sourceTables(): TableAccount {
    const account = this.#tables.account('SOURCE');
    const source = {
      ...account,
      readEntities: (table: string, query: EntityQuery) => account.readEntities(reallyCalled(table), query),
      listTables: (...asked: Parameters<TableAccount['listTables']>) => {
        if (this.#isDown) throw new StorageError('unreachable', 'No answer');
        return account.listTables(...asked);
      },
    };
    return { ...source, ...this.#sabotage.source?.(source) };
  }

  /** One day of changes by other writers. */
  #live(): void {
    const random = this.#random;
    for (let count = random.pick([0, 0, 1, 4, 15]); count > 0; count--) {
      const table = random.pick(TABLES);
      if (!this.#tables.names.includes(table)) {
        if (random.chance(0.3)) this.#tables.create(table);
        continue;
      }
      const keys = this.#tables.keys(table);
      const kind = random.below(100);
      if (kind < 35 || keys.length === 0) this.#tables.write(table, this.#newKey());
      else if (kind < 65) this.#tables.write(table, random.pick(keys));
      else if (kind < 90) this.#tables.remove(table, random.pick(keys));
      else if (kind < 97) for (const key of keys) random.chance(0.5) && this.#tables.write(table, key);
      else if (kind < 98) for (const key of keys) this.#tables.remove(table, key);
      else if (table !== 'orders') this.#tables.drop(table);
    }
  }

  #newKey(): EntityKey {
    const number = String(++this.#rows).padStart(4, '0');
    return {
      partition: this.#random.pick(['a', 'b', 'b', 'c', '']),
      row: this.#random.chance(0.5) ? number : this.#random.letters(3),
    };
  }

  #refuse(table: string, after: string | undefined, upTo: string | undefined): void {
    if (table !== 'orders' || this.#outage === undefined) return;
    if ((after !== undefined && after > this.#outage) || (upTo !== undefined && upTo < this.#outage)) return;
    throw new StorageError('throttled', 'The partition is busy', 503, 'ServerBusy');
  }

  async #backUp(job: string): Promise<void> {
    const random = this.#random;
    if (random.chance(0.15)) this.#outage = random.pick(['a', 'b', 'c']);
    const mode = random.pick(['full', 'incremental', 'incremental', 'incremental'] as const);
    this.#isDown = random.chance(0.05);
    let report = await this.#run('start', { mode }, { job });
    this.#isDown = false;
    this.#now += random.pick([1, 10, 60]) * 60_000;
    if (report) await this.#judge(report.id, mode);
    if (random.chance(0.8)) this.#outage = undefined;
    if (report && /fail/.test(report.status) && random.chance(0.7)) {
      report = await this.#run('retry', {}, { id: report.id });
      this.#count('retries');
      if (report) await this.#judge(report.id, 'retry');
    }
    this.#outage = undefined;
  }

  /** Restores a new restore point at once, and compares it with the unchanged tables. */
  async #judge(id: string, mode: 'full' | 'incremental' | 'retry'): Promise<void> {
    const summary = await this.#summary(id);
    if (!isRestorePoint(summary)) return this.#count('runs without a restore point');
    const point: Point = { id, job: summary.job, held: new Map(), lacking: new Set() };
    const tasks = new Set(summary.parts.map(({ container }) => container));
    for (const task of tasks) {
      const table = tableOfTask(task)!;
      const segments = await this.#segmentsOf(summary, task);
      const { content, isWhole } = await this.#bring(id, table);
      if (isWhole === segments.some(({ status }) => status === 'failed')) {
        this.#say(
          `${id}: the restore of ${table} ${isWhole ? 'lacks nothing' : 'lacks something'}, unlike the restore point`,
        );
      }
      if (!isWhole) point.lacking.add(table);
      point.held.set(table, content);
      const really = reallyCalled(table);
      // A retry may continue a run from before the table was dropped.
      if (!this.#tables.names.includes(really)) continue;
      const live = contentOf(this.#tables.keys(really).map((key) => ({ key, text: this.#textOf(really, key) })));
      const report = summary.containers.find(({ container }) => container === task);
      const mayBeStale = report?.problems.some(({ code }) => code === 'deletions-not-compared') ?? mode === 'retry';
      for (const [name, text] of live) {
        const held = content.get(name);
        if (held === text || (held === undefined && !isWhole)) continue;
        this.#say(`${id} (${mode}): ${table} has ${text} and ${held} came back`);
      }
      for (const [name, text] of content) {
        if (live.has(name)) continue;
        if (!mayBeStale) this.#say(`${id} (${mode}): ${table} has no ${name}, and ${text} came back`);
        else this.#count('deleted and still held');
      }
    }
    this.#points.push(point);
    this.#count('points');
  }

  async #lookAtSome(): Promise<void> {
    const random = this.#random;
    const point = random.pick(this.#points);
    if (!point) return;
    await this.#restore(point);
    const other = random.pick(this.#points);
    const report = await this.#run(
      'verify',
      { restorePoint: other.id, kind: random.pick(['quick', 'deep']) },
      {},
      [202, 404],
    );
    if (!report) return;
    this.#count('verifications');
    const { failed } = report.counts;
    if (failed > 0 || report.status === 'failed') this.#say(`verification of ${other.id}: ${JSON.stringify(report)}`);
  }

  /** Checks that a restore point is as it was, or is reported as removed. */
  async #restore(point: Point): Promise<void> {
    const random = this.#random;
    const isKept = await this.#isKept(point);
    for (const [table, held] of point.held) {
      if (!isKept) {
        const body = { restorePoint: point.id, tables: [table], target: { account: 'SCRATCH', table: 'gone' } };
        const { status } = await this.#ask('restore', body);
        if (status !== 409 && status !== 404) this.#say(`${point.id} is removed, and a restore says ${status}`);
        this.#count('removed points refused');
        return;
      }
      const { content, isWhole } = await this.#bring(
        point.id,
        table,
        random.pick(['fail', 'skip', 'replace', 'merge']),
      );
      if (isWhole === point.lacking.has(table)) this.#say(`${point.id}: ${table} has lost or gained something`);
      this.#compare(`${point.id}: ${table}`, content, held);
      this.#count('points restored again');
      if (random.chance(0.3)) {
        const keys = random.pick([
          { partition: 'b' },
          { partition: '' },
          { from: 'b' },
          { partition: 'b', to: '0100' },
          { to: '' },
        ]);
        const chosen = new Map([...held].filter(([name]) => isAmong(keys, name)));
        const some = await this.#bring(point.id, table, 'fail', keys);
        this.#compare(`${point.id}: ${table} ${JSON.stringify(keys)}`, some.content, chosen);
      }
    }
  }

  #compare(what: string, came: Content, held: Content): void {
    for (const [name, text] of held)
      if (came.get(name) !== text) this.#say(`${what}: ${name} was ${text}, and is ${came.get(name)}`);
    for (const name of came.keys()) if (!held.has(name)) this.#say(`${what}: ${name} came from nowhere`);
  }

  /** Restores one table of a restore point to a table of its own. */
  async #bring(
    restorePoint: string,
    table: string,
    existing = 'fail',
    keys?: object,
  ): Promise<{ content: Content; isWhole: boolean }> {
    const into = `back${++this.#rows}`;
    // An entity of another writer, which must stay.
    const others =
      existing === 'fail'
        ? []
        : [{ key: { partition: 'zz', row: 'own' }, text: '{"PartitionKey":"zz","RowKey":"own"}' }];
    if (others.length > 0) this.#scratch.put(into, others);
    const body = {
      restorePoint,
      tables: [table],
      target: { account: 'SCRATCH', table: into },
      existing,
      ...(keys && { keys }),
    };
    const report = await this.#restoreInPieces(body);
    const content = contentOf(this.#scratch.all(into) ?? []);
    for (const { key } of others) {
      if (!content.delete(nameOfKey(key))) this.#say(`${restorePoint}: what was in the target before is gone`);
    }
    await this.#scratch.deleteTable(into);
    if (!report) return { content, isWhole: false };
    const { status, counts } = report;
    // A retry reports only what failed before.
    const isAll = report.retryOf === undefined;
    if ((isAll && counts.copied + counts.unchanged !== content.size) || counts.skipped > 0) {
      this.#say(`${restorePoint}: ${content.size} came back to ${into}, and it says ${JSON.stringify(counts)}`);
    }
    // The comparison that follows shows whether the keys really select nothing.
    const isNothing = keys !== undefined && report.problems.some(({ code }) => code === 'nothing-matched');
    if (isNothing) return { content, isWhole: true };
    if (status === 'failed' || (status === 'succeeded') !== (counts.failed === 0)) {
      this.#say(`${restorePoint}: ${status} ${JSON.stringify(report.problems)} ${JSON.stringify(counts)}`);
    }
    return { content, isWhole: status === 'succeeded' };
  }

  /** The target may be too busy for some entities; then a retry writes them. */
  async #restoreInPieces(body: object): Promise<RunReport | undefined> {
    const random = this.#random;
    const isBusy = random.chance(0.15);
    const busy = new StorageError('throttled', 'The partition is busy', 503, 'ServerBusy');
    if (isBusy)
      this.#scratch.fate = ({ operation }) =>
        /Write|Transaction/.test(operation) && random.chance(0.9) ? busy : undefined;
    const report = await this.#run('restore', body);
    this.#scratch.fate = () => undefined;
    if (!isBusy || !report || report.counts.failed === 0 || report.status !== 'completed-with-failures') return report;
    this.#count('restores retried');
    return this.#run('retry', {}, { id: report.id });
  }

  async #prune(job: string, between = false): Promise<void> {
    const plan = await this.#run('prune', { job });
    if (!plan) return;
    if (!plan.plan || plan.status !== 'succeeded')
      return this.#say(`the plan of a prune ${plan.status}: ${JSON.stringify(plan.problems)}`);
    if (between) await this.#backUp(job);
    const done = await this.#run('prune', { plan: plan.id, hash: plan.plan.hash });
    const codes = done?.problems.map(({ code }) => code) ?? [];
    if (done?.status === 'succeeded') this.#count('prunes');
    else if (between && codes.includes('plan-stale')) this.#count('stale plans');
    else this.#say(`a prune ${done?.status}: ${JSON.stringify(done?.problems)}`);
    this.#count('files removed', done?.counts.removed ?? 0);
  }

  async #hold(): Promise<void> {
    const { id } = this.#random.pick(this.#points) ?? {};
    if (id === undefined) return;
    await this.#ask(this.#random.pick(['hold', 'unhold']), { reason: 'audit' }, { id });
  }

  /** After the margins and the prunes of both jobs, no file is left that no restore point names. */
  async #nothingIsLeftOver(): Promise<void> {
    const named = new Set<string>();
    for (const { id, job } of this.#points) {
      if (!(await this.#isKept({ id, job }))) continue;
      const summary = await this.#summary(id);
      for (const task of new Set(summary.parts.map(({ container }) => container))) {
        for (const { files } of await this.#segmentsOf(summary, task)) for (const { path } of files) named.add(path);
      }
    }
    const there = [...this.#vault.blobs()]
      .map(({ blob }) => blob.name)
      .filter((name) => /^jobs\/[^/]+\/tables\//.test(name));
    for (const path of there) if (!named.has(path)) this.#say(`${path} is of no use to anybody`);
    for (const path of named) if (!there.includes(path)) this.#say(`${path} is named, and has gone`);
  }

  async #segmentsOf({ parts }: RunSummary, task: string): Promise<Segment[]> {
    const segments = new Map<string, Segment>();
    for (const { path, container } of parts) {
      if (container !== task) continue;
      const { items } = await this.#control.readPart<Outcome, object>(path);
      // A later part replaces a key range that an earlier one lacks.
      for (const segment of items.filter(isSegment)) segments.set(segment.name, segment);
    }
    return [...segments.values()];
  }

  /** Whether a restore point is neither marked nor gone. */
  async #isKept(point: { id: string; job: string }): Promise<boolean> {
    const { removed } = await this.#control.readNotes(point);
    return removed === undefined && (await this.#control.readSummary(point)) !== undefined;
  }

  async #summary(id: string): Promise<RunSummary> {
    const job = id.slice(0, id.indexOf('-'));
    return (await this.#control.readSummary({ job, id }))!;
  }

  #textOf(table: string, key: EntityKey): string {
    return this.#tables.tables.get(table)!.get(nameOfKey(key))!.versions.at(-1)!.text!;
  }

  /** Starts a run, plays it to its end, and returns its report; undefined if it was refused. */
  async #run(
    what: keyof ReturnType<typeof handlersOf>,
    body: object,
    params: Record<string, string> = {},
    expected = [202],
  ): Promise<RunReport | undefined> {
    this.#now += 60_000;
    const { status, answer } = await this.#ask(what, body, params);
    if (!expected.includes(status)) this.#say(`${what} ${JSON.stringify(body)}: ${status} ${JSON.stringify(answer)}`);
    for (const began of this.#began.splice(0)) await this.#drive('runJob', began.input);
    if (status !== 202) return undefined;
    const report = (await this.#ask('get', {}, { id: answer.id! })).answer as unknown as RunReport;
    this.#note(
      `${report.id}: ${report.mode} ${report.status} ${JSON.stringify(report.counts)} ${JSON.stringify(report.problems)}`,
    );
    return report;
  }

  async #ask(
    what: keyof ReturnType<typeof handlersOf>,
    body: object,
    params: Record<string, string> = {},
  ): Promise<{ status: number; answer: { id?: string; code?: string } }> {
    const request = httpRequest({ params, body });
    const client = {
      getStatus: async () => {
        throw new Error('HTTP 404');
      },
      startNew: async (_name: string, { instanceId, input }: { instanceId: string; input: unknown }) => {
        this.#began.push({ id: instanceId, input });
      },
    };
    const context = { functionName: what, invocationId: 'here' } as InvocationContext;
    const response = await this.#handlers[what](request, client as unknown as DurableClient, context);
    this.#note(`${what} ${JSON.stringify({ ...params, ...body })}: ${response.status}`);
    return { status: response.status!, answer: JSON.parse(String(response.body)) };
  }

  /** Plays an orchestration, one task after another. */
  async #drive(name: string, given: unknown): Promise<unknown> {
    let next: { input: unknown } | undefined = { input: given };
    let result: unknown;
    while (next) {
      const input = asStored(next.input);
      next = undefined;
      const clock = () => new Date(this.#now);
      const context = {
        df: {
          getInput: () => input,
          callActivity: (activity: string, wanted: unknown) => () => this.#activities[activity]!(asStored(wanted)),
          callSubOrchestrator: (sub: string, wanted: unknown) => () => this.#drive(sub, wanted),
          createTimer: (at: Date) => async () => {
            this.#now = Math.max(this.#now, at.getTime());
          },
          Task: {
            all: (tasks: (() => Promise<unknown>)[]) => async () => {
              const answers: unknown[] = [];
              for (const task of tasks) answers.push(await task());
              return answers;
            },
          },
          continueAsNew: (wanted: unknown) => {
            next = { input: wanted };
          },
          setCustomStatus: () => {},
          get currentUtcDateTime() {
            return clock();
          },
        },
      } as unknown as OrchestrationContext;
      const generator = ORCHESTRATORS[name]!(context);
      let step = generator.next();
      while (!step.done) {
        let answer: unknown;
        try {
          answer = asStored(await (step.value as unknown as () => Promise<unknown>)());
        } catch (error) {
          step = generator.throw(error);
          continue;
        }
        step = generator.next(answer);
      }
      result = step.value;
    }
    return result;
  }

  #say(message: string): void {
    this.#note(`VIOLATION ${message}`);
    this.#said.violations.push(message);
  }

  #note(what: string): void {
    this.#said.trace.push(`${new Date(this.#now).toISOString()} ${what}`);
  }

  #count(what: string, by = 1): void {
    this.#said.statistics[what] = (this.#said.statistics[what] ?? 0) + by;
  }
}

function jobOf(name: string, random: Random, marginHours: number): Job {
  return {
    ...{ name, timeZone: 'UTC', mode: 'incremental', method: 'auto' },
    source: {
      ...{ account: 'SOURCE', containers: [], prefix: '', include: [], exclude: [] },
      ...{ tables: random.pick([['*'], ['orders', 'logs']]), tableDeletions: false },
    },
    destination: { account: 'VAULT', container: '{container}', prefix: '' },
    retention: {
      ...{ keepLast: random.between(1, 3), ...(random.chance(0.5) && { keepDaily: 3, keepWeekly: 2 }), marginHours },
      brake: { percent: 100, blobs: 1_000_000 },
    },
  } as unknown as Job;
}

function contentOf(entities: readonly { key: EntityKey; text: string }[]): Content {
  return new Map(
    entities.map(({ key, text }) => {
      const { Timestamp: _, ...rest } = JSON.parse(text);
      return [nameOfKey(key), JSON.stringify(rest)];
    }),
  );
}

function isAmong({ partition, from, to }: { partition?: string; from?: string; to?: string }, name: string): boolean {
  const [own, row] = [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)];
  const at = partition === undefined ? own : row;
  return (
    (partition === undefined || own === partition) &&
    (from === undefined || at >= from) &&
    (to === undefined || at <= to)
  );
}

function reallyCalled(table: string): string {
  return TABLES.find((name) => name.toLowerCase() === table.toLowerCase()) ?? table;
}

function asStored(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
