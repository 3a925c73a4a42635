import { type Activities, makeActivities } from '#activities/index.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { entityFilePath, lockPath, partPath, rangeKey } from '#domain/run/control-paths.ts';
import { acquire } from '#domain/run/lock.ts';
import { PartWriter } from '#domain/run/part.ts';
import { partEntries, reportOf } from '#domain/run/report.ts';
import type { RunRef, RunSummary } from '#domain/run/run.ts';
import { emptyTally } from '#domain/run/tally.ts';
import { EntityFileWriter } from '#domain/tables/entity-file.ts';
import { coverRange, type EntityFile, type Segment, segmentOf } from '#domain/tables/segment.ts';
import type { EntityKey } from '#domain/tables/table-key.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import type { EntityQuery } from '#storage/table-account.ts';
import { MemoryAccount, MemoryStorage } from '../../../prove/memory/memory-account.ts';
import { type Call, MemoryBlobs } from '../../../prove/memory/memory-blobs.ts';
import { LivingTables, traitsOf } from '../../../prove/tables/living-tables.ts';
import { held } from './held-run.ts';
import { plainTraits } from './plain-traits.ts';
import { RUN, type RunFields, runRef } from './run-ref.ts';

export const TASK = 'table.orders';
/** The previous restore point. */
export const POINT = 'nightly-20260501T000000Z-pppppp';
export const READ_AT = '2026-05-01T00:00:00.000Z';

/** A line of a file of entities. */
export interface Line {
  row: string;
  /** Absent for a deletion. */
  at?: string;
}

/** One table and a vault in memory, for activities that a test calls one by one. */
export class TableBench {
  readonly vault = new MemoryAccount(new MemoryStorage(), 'VAULT', plainTraits({ now: () => this.time }));
  readonly control = new ControlStore(new MemoryBlobs(this.vault));
  readonly tables: LivingTables;
  readonly asked: EntityQuery[] = [];
  readonly limits = { sliceBlobs: 5, scanMs: 60_000, silentMs: 600_000 };
  deletions = false;
  time = Date.parse('2026-05-02T00:00:10.000Z');
  /** Milliseconds that pass with every query. */
  tick = 0;
  /** Called before each query is answered; may throw, or change the table. */
  before: (query: EntityQuery) => void = () => {};
  #made = 0;

  constructor() {
    this.tables = new LivingTables(traitsOf({ now: () => this.time }));
    this.tables.create('orders');
    this.vault.createContainer('strongroom');
  }

  get activities(): Activities {
    const account = this.tables.account('SOURCE');
    const job = {
      name: RUN.job,
      source: { account: 'SOURCE', containers: [], tables: ['orders'], tableDeletions: this.deletions },
      destination: { account: 'VAULT', container: '{container}', prefix: '' },
    };
    const source = { alias: 'SOURCE', endpoint: 'https://source.test' };
    return makeActivities({
      configuration: { jobs: [job], archives: [] },
      limits: this.limits,
      telemetry: { failure: () => {} },
      blobs: (alias: string) =>
        alias === 'VAULT'
          ? new MemoryBlobs(this.vault, (_call: Call, carryOut) => Promise.resolve().then(carryOut))
          : source,
      tables: () => ({
        ...account,
        readEntities: async (table: string, query: EntityQuery) => {
          this.asked.push(query);
          this.time += this.tick;
          this.before(query);
          return account.readEntities(table, query);
        },
      }),
      now: () => new Date(this.time),
      random: () => `a${String(this.#made++).padStart(5, '0')}`,
    } as unknown as Dependencies);
  }

  /** Takes the lock for a run. */
  async begin(wanted: RunFields = {}, left: { last?: string; point?: string } = {}): Promise<RunRef> {
    const taken = acquire(undefined, runRef(wanted), new Date(this.time));
    const lock = await this.control.readLock(RUN.job);
    await this.control.writeJson(lockPath(RUN.job), { ...taken, ...left }, lock ? { ifMatch: lock.etag } : 'absent');
    return taken.run;
  }

  async cancel(): Promise<void> {
    const lock = (await this.control.readLock(RUN.job))!;
    await this.control.writeJson(lockPath(RUN.job), { ...lock.value, cancel: true }, { ifMatch: lock.etag });
  }

  put(...rows: string[]): void {
    for (const row of rows) this.tables.write('orders', { partition: 'p', row });
  }

  /** Stores a file of an earlier run. */
  async file(name: string, lines: Line[], range = {}): Promise<EntityFile> {
    const writer = new EntityFileWriter();
    for (const { row, at } of lines) {
      const key: EntityKey = { partition: 'p', row };
      if (at === undefined) writer.addDeletion(key);
      else writer.add(JSON.stringify({ PartitionKey: 'p', RowKey: row, Timestamp: at }));
    }
    const path = entityFilePath({ job: RUN.job, id: POINT }, 'orders', rangeKey(0), name);
    const about = { file: path, format: 1, table: 'orders', source: 's', run: POINT, range, kind: 'entities' as const };
    const made = writer.finish({ ...about, readFrom: READ_AT, readTo: READ_AT });
    await this.control.writeEntityFile(path, made);
    return { path, items: lines.length, bytes: made.body.length, sha256: made.sha256 };
  }

  async segment(lines: Line[], more: Partial<Segment> = {}): Promise<Segment> {
    const file = await this.file(`b${String(this.#made++).padStart(5, '0')}`, lines, more.range);
    const own = {
      status: 'copied',
      range: {},
      entities: lines.length,
      size: 100,
      files: [file],
      readAt: READ_AT,
    } as const;
    return segmentOf({ ...own, files: [file], ...more });
  }

  /** Writes an ended run with these segments. */
  async leave(segments: Segment[], change: Partial<RunSummary> = {}): Promise<RunSummary> {
    const run = { ...RUN, id: change.id ?? POINT };
    const writer = new PartWriter<Segment>();
    const tally = emptyTally(TASK, 'd');
    for (const segment of segments) writer.add(segment);
    coverRange(tally, {}, undefined);
    await this.control.writePart(held(run), 'range', rangeKey(0), writer, tally, {});
    const parts = await this.control.listParts(run);
    const now = new Date(this.time);
    const report = reportOf(run, parts, { status: 'succeeded', now, finishedAt: now, problems: [], requests: {} });
    const summary: RunSummary = {
      ...{ format: 3, ...report, source: 'https://source.test', vault: '', destination: { container: '', prefix: '' } },
      ...{ restorePoint: true, parts: partEntries(parts), compared: [], ...change },
    };
    await this.control.writeSummary(summary);
    return summary;
  }

  /** Stores a chunk of a plan, as `planTable` does. */
  async plan(run: RunRef, segments: Segment[]): Promise<{ slice: number; chunk: number; key: string; items: number }> {
    const writer = new PartWriter<Segment>();
    for (const segment of segments) writer.add(segment);
    await this.control.writePart(held(run), 'plan', '000000-00-x', writer, emptyTally(TASK, 'd'), {});
    return { slice: 0, chunk: 0, key: '000000-00-x', items: segments.length };
  }

  /** The part of a piece: its segments and its counts. */
  async left(run: RunRef, piece: number) {
    const path = partPath(run, 'range', TASK, rangeKey(piece));
    const { items } = await this.control.readPart<Segment, object>(path);
    const { tally } = (await this.control.listParts(run)).find((part) => part.path === path)!;
    return { segments: items, tally };
  }

  /** The rows in a file, in order; deleted ones start with `-`. */
  async rows(file: EntityFile): Promise<string[]> {
    const { lines } = await this.control.readEntityFile(file);
    return [...lines()].flat().map((line) => {
      const { RowKey, deleted } = JSON.parse(line);
      return RowKey ?? `-${deleted.RowKey}`;
    });
  }

  get files(): string[] {
    return [...this.vault.blobs()].map(({ blob }) => blob.name).filter((name) => name.includes('/tables/'));
  }

  spoil(path: string, body?: Buffer): void {
    if (body) this.vault.write('strongroom', { name: path, body });
    else this.vault.remove('strongroom', path);
  }
}
