import type { Job } from '#config/configuration.ts';
import type { EntityKey } from '#domain/tables/table-key.ts';
import { orchestrations } from '#orchestrations/index.ts';
import { StorageError } from '#storage/storage-error.ts';
import { Random } from '../../test/support/builders/random.ts';
import {
  type PointSummary,
  type SegmentInVault,
  segmentsIn,
  UnsoundPoint,
} from '../../test/support/builders/table-point.ts';
import { NO_MISHAPS, type Orchestrator } from '../memory/durable.ts';
import type { Change, MemoryAccount } from '../memory/memory-account.ts';
import { NAME_ORDERS } from '../memory/name-orders.ts';
import { SimulatedApp } from '../memory/simulated-app.ts';
import type { Activity } from '../memory/worker.ts';
import type { Played, Violation } from '../seeds/played.ts';
import { type Life, LivingTables } from './living-tables.ts';

/** Ways to break the app on purpose, to see that the proof notices. */
export interface TableSabotage {
  activities?: (activities: Record<string, Activity>) => Record<string, Activity>;
  orchestrators?: Record<string, Orchestrator>;
  tables?: (tables: LivingTables) => void;
}

interface Report {
  container: string;
  status: string;
  counts: Record<'listed' | 'copied' | 'unchanged' | 'failed', number> &
    Partial<Record<'added' | 'changed' | 'deleted', number>>;
  noLongerHeld?: { deleted: number };
  problems: { code: string; container?: string }[];
}

interface Summary extends PointSummary {
  mode: string;
  status: string;
  dryRun: boolean;
  restorePoint: boolean;
  retryOf?: string;
  counts: Report['counts'];
  containers: Report[];
  compared: { container: string; failed: number }[];
  problems: { code: string; container?: string; message: string }[];
}

/** Facts about a run that do not come from the app. */
interface Known {
  /** The number of the last change before it took the lock. */
  from: number;
  troubles: number;
  deletions: boolean;
  tables: string[];
  summary?: Summary;
}

const BEGINNING = Date.UTC(2026, 4, 1);
const MINUTE = 60_000;
const JOB = 'nightly';
/** The most files of one segment. */
const MOST_FILES = 8;
const MOST_STEPS = 60_000;
/** Faults and mishaps that may cost a run something. */
const DISTURBING = new Set(['denied', 'request failed']);

const STYLES = ['one partition', 'few', 'skewed', 'many', 'odd', 'growing'] as const;
/** Keys that sort differently by order, begin others, or hold characters that queries quote. */
const ODD = [
  '',
  'A',
  'a',
  'a b',
  "it's",
  'B',
  'ab',
  'Ab',
  'ä',
  '\u{1f600}',
  '\uffee',
  '\ud7ff',
  '~',
  '%41',
  '0',
  '10',
  '9',
];

const ORDERS = {
  ...NAME_ORDERS,
  backwards: (a: string, b: string) => NAME_ORDERS.utf16(b, a),
};

/**
 * Plays one seed: the app's own activities and orchestrations back up tables that change meanwhile, again and again,
 * under faults. Judges every restore point by the bytes in the vault and the real history of the tables.
 */
export async function liveTables(seed: number, sabotage: TableSabotage = {}): Promise<Played> {
  return new Story(seed, sabotage).play();
}

class Story {
  readonly #random: Random;
  readonly #app: SimulatedApp;
  readonly #vault: MemoryAccount;
  readonly #tables: LivingTables;
  readonly #job: Job;
  readonly #known = new Map<string, Known>();
  readonly #style: (typeof STYLES)[number];
  readonly #edits: number;
  readonly #isSteady: boolean;
  readonly #violations: Violation[] = [];
  /** A key range that cannot be read at present, or all tables. */
  #outage: { table: string; from: string; to: string } | 'all' | undefined;
  /** The number of events that disturb the app. */
  #troubles = 0;
  #disasters: number;
  #rows = 0;
  /** Restore points that have lost files. */
  readonly #spoiled = new Set<string>();
  /** The content of each table in the last restore point, if that is complete. */
  #before: Map<string, Map<string, string>> | undefined;
  #now = new Map<string, Map<string, string>>();

  constructor(seed: number, sabotage: TableSabotage) {
    const random = new Random(`tables ${seed}`);
    this.#random = random;
    const pace = random.pick([5, 50, 500]);
    const order = random.chance(0.25) ? random.pick(['codePoint', 'caseless', 'backwards'] as const) : 'utf16';
    this.#style = random.pick(STYLES);
    this.#isSteady = random.chance(0.05);
    this.#edits = this.#isSteady ? 0 : random.pick([0, 0.01, 0.05, 0.2]);
    this.#disasters = random.chance(0.4) ? random.between(1, 3) : 0;
    const skew = random.pick([0, 1_000, 60_000]);
    const page = random.pick([1, 3, 10, 1_000]);
    this.#tables = new LivingTables({
      compare: ORDERS[order],
      page: (limit) => Math.min(limit, random.between(1, page)),
      now: () => this.#app.scheduler.now,
      skew: () => random.between(-skew, skew),
      refuse: (table, { after, upTo }) => this.#refuse(table, after?.partition, upTo?.partition),
    });
    sabotage.tables?.(this.#tables);
    const rate = random.pick([0, 0, 0.02, 0.1]);
    const slow = random.pick([0, rate / 4, 0.3]);
    const mishaps = random.chance(0.5)
      ? {
          ...{ twice: random.pick([0.05, 0.3]), answerLost: 0.05 },
          ...{ ended: random.pick([0, 0.01, 0.05]), endedByDeath: random.pick([0, 1]) },
        }
      : NO_MISHAPS;
    const limits = {
      ...{
        sliceBlobs: this.#isSteady ? 50 : random.pick([3, 3, 5, 10, 50]),
        sliceChunks: 8,
        scanMs: random.pick([1, 5_000, 60_000, 60_000]),
      },
      ...{ chunkBlobs: 10, chunkBytes: 2 ** 30, copyMs: 60_000, copiesAtOnce: 4, copyDeadlineMs: 3_600_000 },
      tasksMs: 15_000,
      ...{
        claimMs: 600_000,
        silentMs: 600_000,
        outcomesMs: 90 * 24 * 3_600_000,
        retryDelayMs: 800,
        sharedMs: 1,
        requestMs: 60_000,
      },
    };
    this.#job = {
      ...{ name: JOB, timeZone: 'UTC', mode: 'incremental', method: 'auto' },
      source: {
        ...{ account: 'SOURCE', containers: [], prefix: '', include: [], exclude: [] },
        tables: random.pick([['*'], ['orders'], ['orders', 'l*'], ['orders', 'logs']]),
        tableDeletions: random.chance(0.5),
      },
      destination: { account: 'VAULT', container: '{container}', prefix: '' },
    } as Job;
    const orchestrators = { ...orchestrations, ...sabotage.orchestrators };
    this.#app = new SimulatedApp({
      ...{ random, beginning: BEGINNING, pace, skew: 5_000, workers: random.between(1, 2), convergence: 'I4' },
      ...{ mishaps, limits },
      faults: { before: rate, lost: rate, late: rate / 2, denied: rate / 40, slow },
      orchestrators: orchestrators as Record<string, Orchestrator>,
      configurationOf: () => ({
        jobs: [this.#job],
        archives: [],
        accounts: new Map(),
        otherAccounts: [],
        notify: { every: '', timeZone: 'UTC', channels: [], send: [], pings: new Map(), severity: {}, names: true },
      }),
      tables: (alias, network) => this.#tables.account(alias, network),
      activities: sabotage.activities,
      changed: (change) => this.#changed(change),
      beforeStep: () => this.#happen(),
      say: (promise, message, about) => this.#say(message, promise, about),
      disturbed: (what) => {
        if (DISTURBING.has(what)) this.#troubles++;
      },
      answered: (activity, outcome) => this.#answered(activity, outcome),
      finished: ({ id, name, state }) => {
        const undisturbed = this.#known.get(id)?.troubles === this.#troubles;
        if (name === 'runJob' && state === 'Failed' && undisturbed) this.#say(`run ${id} broke`, 'I4');
      },
    });
    this.#app.account('SOURCE', {});
    this.#vault = this.#app.account('VAULT', {});
  }

  async play(): Promise<Played> {
    return this.#app.play(() => this.#story(), MOST_STEPS, this.#vault, this.#violations);
  }

  async #story(): Promise<void> {
    const random = this.#random;
    // Small changes day after day: in the end, a segment with many files is read as a whole.
    const isSteady = this.#isSteady;
    for (const table of ['orders', 'logs']) {
      this.#tables.create(table);
      const count = isSteady ? 40 : random.pick([0, 1, 5, 15, 40]);
      for (let made = 0; made < count; made++) this.#tables.write(table, this.#newKey(table));
    }
    let last: string | undefined;
    const runs = isSteady ? 12 : random.between(3, 7);
    for (let run = 0; run < runs; run++) {
      if (random.chance(0.25)) this.#job.source.tableDeletions = !this.#job.source.tableDeletions;
      if (random.chance(0.15)) this.#breakDown();
      const summary = last === undefined ? undefined : this.#known.get(last)?.summary;
      const retry = summary && summary.status !== 'succeeded' && random.chance(0.7) ? last : undefined;
      const mode = isSteady ? 'incremental' : random.pick(['full', 'incremental', 'incremental', 'incremental']);
      const body = { mode, dryRun: random.chance(0.07) };
      let answer = retry === undefined ? undefined : await this.#app.ask('retry', { id: retry });
      if (answer?.status === 202) this.#app.count('retry');
      if (answer?.status !== 202) answer = await this.#app.ask('start', { job: JOB }, body);
      if (answer.status === 202) last = answer.body.id!;
      if (random.chance(0.1) && last !== undefined) {
        await this.#app.scheduler.sleep(random.between(1, 20_000));
        this.#troubles++;
        this.#app.count('cancel');
        await this.#app.ask('cancel', { id: last }, { force: random.chance(0.3) });
      }
      if (random.chance(0.1) && last !== undefined) {
        await this.#app.scheduler.sleep(random.between(1, 20_000));
        this.#troubles++;
        this.#app.count('terminated');
        this.#app.durable.terminate(last);
        if (random.chance(0.7))
          last = (await this.#app.ask('start', { job: JOB }, { mode: 'incremental' })).body.id ?? last;
      }
      await this.#untilEnded();
      if (this.#outage && random.chance(0.6)) this.#outage = undefined;
      if (random.chance(0.1)) this.#loseFile();
      await this.#app.scheduler.sleep(random.pick([1, 1_000, 4 * MINUTE, 6 * MINUTE, 600 * MINUTE]), 'the user waited');
      if (isSteady) this.#tables.write('orders', random.pick(this.#tables.keys('orders')));
      else for (let edits = random.pick([0, 0, 1, 5, 20]); edits > 0; edits--) this.#edit();
    }
    await this.#conclude();
  }

  /**
   * Without faults and writers, a last restore point holds exactly the content of the tables. Later runs have nothing
   * to do except join small segments, which must end.
   */
  async #conclude(): Promise<void> {
    this.#outage = undefined;
    this.#tables.create('logs');
    this.#app.endFaults();
    await this.#untilEnded();
    await this.#app.scheduler.sleep(2 * MINUTE);
    await this.#untilEnded();
    this.#job.source.tableDeletions = true;
    const mode = this.#random.pick(['full', 'incremental', 'incremental']);
    const last = await this.#quietRun(mode);
    if (!last) return;
    if (last.status !== 'succeeded') this.#say(`the last run ${last.status}: ${JSON.stringify(last.problems)}`);
    let files = -1;
    for (let runs = 0; this.#files().length !== files; runs++) {
      if (runs === 3) {
        this.#say('nothing had changed, and files were written again and again');
        break;
      }
      files = this.#files().length;
      const again = await this.#quietRun('incremental');
      if (!again) return;
      const { copied, unchanged, listed } = again.counts;
      if (copied !== 0 || unchanged !== listed || listed !== last.counts.listed) {
        this.#say(
          `nothing had changed, and ${JSON.stringify(again.counts)} was reported after ${JSON.stringify(last.counts)}`,
        );
      }
    }
    for (const [id, { summary }] of this.#known) {
      if (summary?.restorePoint && !this.#spoiled.has(id)) this.#sound(summary);
    }
  }

  async #quietRun(mode: string): Promise<Summary | undefined> {
    for (let attempt = 0; attempt < 3; attempt++) {
      const { status, body } = await this.#app.ask('start', { job: JOB }, { mode });
      await this.#untilEnded();
      if (status === 202) return this.#known.get(body.id!)?.summary;
      await this.#app.scheduler.sleep(70_000);
    }
    this.#say('no run can be started when all is quiet', 'I4');
    return undefined;
  }

  async #untilEnded(): Promise<void> {
    await this.#app.untilEnded(48 * 60 * MINUTE);
    for (const { id, name } of this.#app.durable.active) this.#say(`${name} ${id} does not end`, 'I4', id);
  }

  /** Before every step: what other writers do, and what goes wrong. */
  #happen(): void {
    const random = this.#random;
    const { active } = this.#app.durable;
    if (active.length === 0) return;
    if (random.chance(this.#edits)) this.#edit();
    if (this.#disasters === 0 || !random.chance(0.005)) return;
    this.#disasters--;
    if (this.#app.crash()) this.#troubles++;
  }

  #edit(): void {
    const random = this.#random;
    if (random.chance(0.01)) {
      this.#troubles++;
      this.#app.count('table dropped or created');
      if (this.#tables.names.includes('logs')) this.#tables.drop('logs');
      else this.#tables.create('logs');
    }
    const table = random.pick(this.#tables.names);
    const keys = this.#tables.keys(table);
    const kind = random.below(100);
    if (kind < 30 || keys.length === 0) this.#tables.write(table, this.#newKey(table));
    else if (kind < 55) this.#tables.write(table, random.pick(keys));
    else if (kind < 80) this.#tables.remove(table, random.pick(keys));
    else if (kind < 90) {
      // Creates a deleted entity again.
      const gone = [...this.#tables.tables.get(table)!.values()].filter(({ versions }) => !versions.at(-1)!.text);
      if (gone.length > 0) this.#tables.write(table, random.pick(gone).key);
    } else if (kind < 95) {
      for (let more = random.between(4, 15); more > 0; more--) this.#tables.write(table, this.#newKey(table));
    } else if (kind < 97) for (const key of keys) this.#tables.remove(table, key);
    else for (const key of keys) if (random.chance(0.5)) this.#tables.write(table, key);
  }

  #newKey(table: string): EntityKey {
    const random = this.#random;
    const number = String(++this.#rows).padStart(6, '0');
    switch (this.#style) {
      case 'one partition':
        return { partition: 'p', row: random.chance(0.5) ? number : random.letters(4) };
      case 'few':
        return { partition: `p${random.below(4)}`, row: random.letters(3) };
      case 'skewed':
        return { partition: random.chance(0.8) ? 'large' : random.letters(2), row: number };
      case 'many':
        return { partition: random.letters(5), row: '' };
      case 'odd':
        return { partition: random.pick(ODD), row: random.pick(ODD) + (random.chance(0.7) ? random.letters(1) : '') };
      default:
        return { partition: table, row: number };
    }
  }

  #breakDown(): void {
    const random = this.#random;
    this.#app.count('outage');
    if (random.chance(0.4)) {
      this.#outage = 'all';
      return;
    }
    const table = random.pick(this.#tables.names);
    const keys = this.#tables.keys(table).map(({ partition }) => partition);
    if (keys.length === 0) return;
    const [one, other] = [random.pick(keys), random.pick(keys)];
    const isBefore = this.#tables.traits.compare(one, other) <= 0;
    this.#outage = { table, from: isBefore ? one : other, to: isBefore ? other : one };
  }

  #refuse(table: string, after: string | undefined, upTo: string | undefined): void {
    const { compare } = this.#tables.traits;
    if (this.#outage === 'all') {
      this.#troubles++;
      throw new StorageError('access-denied', 'The tables may not be read', 403, 'AuthorizationPermissionMismatch');
    }
    if (this.#outage?.table !== table) return;
    const { from, to } = this.#outage;
    if (after !== undefined && compare(after, to) > 0) return;
    if (upTo !== undefined && compare(upTo, from) < 0) return;
    this.#troubles++;
    throw new StorageError('throttled', 'The partitions are busy', 503, 'ServerBusy');
  }

  #files(): string[] {
    return [...this.#vault.blobs()]
      .map(({ blob }) => blob.name)
      .filter((name) => name.startsWith(`jobs/${JOB}/tables/`));
  }

  /** Deletes a file of entities: later restore points must not name it. */
  #loseFile(): void {
    const files = this.#files();
    if (files.length === 0) return;
    const path = this.#random.pick(files);
    this.#app.count('file lost');
    this.#troubles++;
    this.#vault.remove('strongroom', path);
    for (const [id, { summary }] of this.#known) if (summary) this.#spoiled.add(id);
  }

  #answered(activity: string, outcome: { value: unknown } | { thrown: unknown }): void {
    if (!('value' in outcome)) return;
    const { problem, read, stopped, ranges } = outcome.value as {
      problem?: { code: string };
      read?: object;
      stopped?: string;
      ranges?: object[];
    };
    if (stopped) this.#app.count(`${activity} ${stopped}`);
    if (problem) this.#app.count(`${activity}: ${problem.code}`);
    if (read) this.#app.count('segment read as a whole');
    if (activity === 'splitRange' && ranges && ranges.length > 1) this.#app.count('range split');
  }

  #changed({ account, name, after }: Change): void {
    if (account !== this.#vault || !after) return;
    if (name.startsWith('locks/')) {
      const { run } = JSON.parse(String(after.body)) as { run: { id: string } | null };
      if (!run || this.#known.has(run.id)) return;
      const tables = this.#tables.names;
      const { tableDeletions: deletions } = this.#job.source;
      this.#known.set(run.id, { from: this.#tables.seq, troubles: this.#troubles, deletions, tables });
      if (tables.length < 2) this.#troubles++;
    } else if (name.endsWith('/run.json')) {
      const summary = JSON.parse(String(after.body)) as Summary;
      const known = this.#known.get(summary.id)!;
      known.summary = summary;
      this.#app.note(
        `run ${summary.id} is published: ${summary.status} ${JSON.stringify(summary.counts)} ${JSON.stringify(summary.problems)}`,
      );
      this.#app.count(`${summary.mode} ${summary.status}`);
      this.#judge(summary, known);
      if (summary.restorePoint) this.#before = this.#withOwed(summary);
      this.#now = new Map();
    }
  }

  /** The content of the tables in a restore point; of those that it could not back up, what the one before has. */
  #withOwed({ compared }: Summary): Map<string, Map<string, string>> {
    const isOwed = (table: string) =>
      compared.some(({ container, failed }) => container === `table.${table}` && failed > 0);
    const owed = [...(this.#before ?? [])].filter(([table]) => !this.#now.has(table) && isOwed(table));
    for (const _ of owed) this.#app.count('table owed');
    return new Map([...owed, ...this.#now]);
  }

  #judge(summary: Summary, known: Known): void {
    const { id, containers, counts, dryRun } = summary;
    const say = (message: string) => this.#say(`${summary.mode} run ${id}: ${message}`);
    for (const key of ['listed', 'copied', 'unchanged', 'failed'] as const) {
      const sum = containers.reduce((all, each) => all + each.counts[key], 0);
      if (counts[key] !== sum) say(`${key} is ${counts[key]}, and ${sum} of its tables`);
    }
    if (known.troubles === this.#troubles && this.#app.durable.stateOf(id) && !['succeeded'].includes(summary.status)) {
      say(`${summary.status} without any trouble: ${JSON.stringify(summary.problems)}`);
    }
    if (['succeeded', 'completed-with-failures'].includes(summary.status) && !dryRun !== summary.restorePoint) {
      say(`is ${summary.status}, and restorePoint is ${summary.restorePoint}`);
    }
    // A retry takes over other tables unchanged, even if their files are lost.
    if (this.#spoiled.has(summary.retryOf!)) this.#spoiled.add(id);
    if (!summary.restorePoint) return;
    this.#app.count('points');
    for (const table of ['orders', 'logs']) {
      if (table === 'logs' && !this.#job.source.tables.some((pattern) => ['*', 'l*', 'logs'].includes(pattern)))
        continue;
      const task = `table.${table}`;
      // If tables cannot be listed, all but those with a full name are missing.
      const reports = containers.filter(({ container }) => container === task || container === 'table.*');
      if (summary.parts.some(({ container }) => container === task)) this.#judgeTable(summary, known, table, say);
      else if (!this.#wasThere(table, this.#firstOf(summary))) continue;
      else if (!reports.some(({ status }) => status === 'failed'))
        say(`nothing is stored of ${table}, and no report says so`);
      else if (reports.every(({ problems }) => problems.length === 0)) say(`${table} failed without a reason`);
    }
  }

  #judgeTable(summary: Summary, known: Known, table: string, say: (message: string) => void): void {
    const task = `table.${table}`;
    const report = summary.containers.find(({ container }) => container === task);
    const own = summary.parts.some(({ container, path }) => container === task && path.includes(summary.id));
    if (!own && this.#spoiled.has(summary.id)) return;
    let segments: SegmentInVault[];
    try {
      segments = segmentsIn((path) => this.#vault.blob('strongroom', path)?.body, summary, table);
    } catch (error) {
      if (!(error instanceof UnsoundPoint)) throw error;
      say(`${table}: ${error.message}`);
      return;
    }
    for (const { files, status } of segments) {
      // One that failed names what the run before had of it, of several segments if they were to be joined.
      if (status === 'failed') continue;
      if (files.length > MOST_FILES) say(`${table}: a segment has ${files.length} files`);
      if (files.length === MOST_FILES) this.#app.count('segment with as many files as may be');
    }
    const failed = segments.filter(({ status }) => status === 'failed');
    const whole = segments.filter(({ status }) => status !== 'failed');
    const held = whole.reduce((sum, { entities }) => sum + entities, 0);
    if (failed.length > 0) this.#app.count('segment failed');
    const begun = this.#begunBy(summary, task);
    // Without a report of this run, the table is as the earlier run left it.
    if (report && report.status !== 'failed') {
      const { listed, copied, unchanged } = report.counts;
      if (listed !== held + failed.length || copied + unchanged !== held || report.counts.failed !== failed.length) {
        say(`${table}: ${JSON.stringify(report.counts)} and holds ${held} and lacks ${failed.length}`);
      }
      const stale = whole.some(({ deletionsUnknownSince }) => deletionsUnknownSince !== undefined);
      if (stale !== report.problems.some(({ code }) => code === 'deletions-not-compared')) {
        say(`${table}: deletions are ${stale ? '' : 'not '}unknown, and the report says otherwise`);
      }
      if (stale && (summary.mode === 'full' || (summary.mode === 'incremental' && known.deletions))) {
        say(`${table}: deletions are unknown, though all keys were looked at`);
      }
      const expected = failed.length > 0 ? 'completed-with-failures' : 'succeeded';
      if (report.status !== expected) say(`${table} is reported as ${report.status}, and is ${expected}`);
    }
    if (failed.length > 0 && summary.status === 'succeeded') say(`${table} lacks something, and the run succeeded`);

    const found = new Map<string, { segment: SegmentInVault; text: string }>();
    for (const segment of whole) {
      for (const [name, { key, text }] of segment.content) {
        if (found.has(name)) say(`${table}: ${name} is in two segments`);
        found.set(name, { segment, text });
        if (segment.range.after && !this.#tables.isBehind(key, segment.range.after))
          say(`${name} is before its segment`);
        if (segment.range.upTo && this.#tables.isBehind(key, segment.range.upTo)) say(`${name} is behind its segment`);
        if (!this.#tables.tables.get(table)!.has(name)) say(`${table}: ${name} never was`);
      }
    }
    if (failed.length === 0) this.#now.set(table, new Map([...found].map(([name, { text }]) => [name, text])));
    if (report && report.status === 'succeeded') this.#judgeChanges(summary, known, report, found, say);
    for (const [name, life] of this.#tables.tables.get(table)!) {
      const segment = found.get(name)?.segment ?? this.#segmentOf(segments, life.key);
      if (segment.status === 'failed') continue;
      // Segments that a retry took over are as old as the run it completes.
      const from = own && segment.status === 'copied' ? known.from : begun;
      const why = this.#excuse(life, found.get(name)?.text, from, segment);
      if (why) say(`${table}: ${name} ${why}`);
    }
  }

  /** Compares the counts with the differences from the previous restore point. */
  #judgeChanges(
    { mode }: Summary,
    { deletions }: Known,
    { container, counts, noLongerHeld }: Report,
    found: Map<string, { text: string }>,
    say: (message: string) => void,
  ): void {
    const { copied, added = 0, changed = 0, deleted } = counts;
    if (mode === 'full' && copied !== found.size) say(`${container}: ${copied} copied of ${found.size} that were read`);
    const before = this.#before?.get(container.replace('table.', ''));
    if (mode === 'retry' || !before || this.#spoiled.size > 0) return;
    const names = [...found.keys()];
    const isNew = names.filter((name) => !before.has(name)).length;
    const isOther = names.filter((name) => before.has(name) && before.get(name) !== found.get(name)!.text).length;
    const isGone = [...before.keys()].filter((name) => !found.has(name)).length;
    this.#app.count(`changes of ${mode} runs counted`);
    if (deleted) this.#app.count(`deletions of ${mode} runs counted`);
    const isCopied = mode === 'full' ? found.size : isNew + isOther;
    if (copied !== isCopied || added !== isNew || changed !== isOther || (deleted ?? 0) !== isGone) {
      const really = `${isNew} are new, ${isOther} have changed and ${isGone} are gone`;
      say(`${container}: ${JSON.stringify(counts)}, where ${really}`);
    }
    if (deleted === undefined && (mode === 'full' || deletions)) say(`${container}: no deletions were looked for`);
    if (noLongerHeld?.deleted !== deleted)
      say(`${container}: ${deleted} deleted and ${noLongerHeld?.deleted} not held`);
  }

  /** Why a stored entity cannot be a state of the run's time; undefined if it can. */
  #excuse({ versions }: Life, text: string | undefined, from: number, segment: SegmentInVault): string | undefined {
    const earlier = versions.filter(({ seq }) => seq <= from);
    const possible = [earlier.at(-1) ?? { seq: 0, at: 0 }, ...versions.filter(({ seq }) => seq > from)];
    if (possible.some((version) => version.text === text)) return undefined;
    const stored = text === undefined ? 'is not held' : `is held as ${text}`;
    const was = possible.map((version) => version.text ?? 'gone').join(' or ');
    const version = versions.findIndex((each) => each.text === text);
    if (text !== undefined && version < 0) return `${stored}, which never was`;
    const { deletionsUnknownSince: since } = segment;
    if (text !== undefined && since !== undefined && possible.some((each) => each.text === undefined)) {
      const deleted = versions.slice(version).find((each) => each.text === undefined)!;
      // The clock may be off by a minute, and it shows whole seconds.
      if (deleted.at >= Date.parse(since) - 62_000) return undefined;
      return `${stored}, was deleted at ${new Date(deleted.at).toISOString()}, and deletions are unknown since ${since}`;
    }
    return `${stored}, and was ${was}`;
  }

  /** Whether the table existed from the time of the lock until now. */
  #wasThere(table: string, { tables, from }: Known): boolean {
    return tables.includes(table) && (this.#tables.dropped.get(table) ?? 0) <= from;
  }

  /** The facts about the run that a retry completes in the end. */
  #firstOf({ id, retryOf }: Summary): Known {
    return retryOf === undefined ? this.#known.get(id)! : this.#firstOf(this.#known.get(retryOf)!.summary!);
  }

  #begunBy(summary: Summary, task: string): number {
    const earlier = summary.retryOf === undefined ? undefined : this.#known.get(summary.retryOf);
    const report = earlier?.summary?.containers.find(({ container }) => container === task);
    if (!earlier || report?.status === 'failed') return this.#known.get(summary.id)!.from;
    return this.#begunBy(earlier.summary!, task);
  }

  #segmentOf(segments: SegmentInVault[], key: EntityKey): SegmentInVault {
    return segments.find(
      ({ range: { after, upTo } }) =>
        (!after || this.#tables.isBehind(key, after)) && (!upTo || !this.#tables.isBehind(key, upTo)),
    )!;
  }

  /** A restore point that was sound must stay so. */
  #sound(summary: Summary): void {
    try {
      for (const table of ['orders', 'logs']) {
        if (!summary.parts.some(({ container }) => container === `table.${table}`)) continue;
        segmentsIn((path) => this.#vault.blob('strongroom', path)?.body, summary, table);
      }
    } catch (error) {
      this.#say(`run ${summary.id} is not what it was: ${(error as Error).message}`);
    }
  }

  #say(message: string, promise = 'I7', about = ''): void {
    this.#app.note(`VIOLATION ${promise}: ${message}`);
    this.#violations.push({ promise, message, about });
  }
}
