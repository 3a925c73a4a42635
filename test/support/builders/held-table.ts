import pLimit from 'p-limit';
import type { ChunkInput, ChunkResult, PlanChunk } from '#activities/run/chunk.ts';
import type { SliceInput, SliceResult } from '#activities/run/slice.ts';
import { planTableRestore } from '#activities/tables/plan-table-restore.ts';
import { verifyTable } from '#activities/tables/verify-table.ts';
import { makeWriteEntities } from '#activities/tables/write-entities.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { incompleteness } from '#domain/run/completeness.ts';
import { CONTROL_CONTAINER, entityFilePath, rangeKey, summaryPath } from '#domain/run/control-paths.ts';
import { lockPathOf } from '#domain/run/lock-place.ts';
import type { ManifestPosition } from '#domain/run/manifest.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { Problem } from '#domain/run/problems.ts';
import { partEntries, reportOf } from '#domain/run/report.ts';
import type { RestoreRef, RunRef } from '#domain/run/run.ts';
import { emptyTally } from '#domain/run/tally.ts';
import { taskOfTable } from '#domain/run/task-name.ts';
import type { RestoreTask, VerifyTask } from '#domain/run/tasks.ts';
import { EntityFileWriter } from '#domain/tables/entity-file.ts';
import type { StoredEntity } from '#domain/tables/entity-text.ts';
import type { EntityFile, Segment } from '#domain/tables/segment.ts';
import { segmentContent } from '#domain/tables/segment-content.ts';
import { boundId, type EntityKey, type KeyRange } from '#domain/tables/table-key.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { MemoryAccount, MemoryStorage } from '../../../prove/memory/memory-account.ts';
import { MemoryBlobs } from '../../../prove/memory/memory-blobs.ts';
import { MemoryTables } from '../../../prove/memory/memory-tables.ts';
import { held } from './held-run.ts';
import { plainTraits } from './plain-traits.ts';
import { RUN } from './run-ref.ts';

export const POINT = { job: RUN.job, id: 'nightly-20260501T000000Z-pppppp' };
const RESTORE = { ...RUN, id: 'nightly-20260502T000000Z-rrrrrr', mode: 'restore' } as const;
const VERIFICATION = { ...RUN, id: 'nightly-20260502T000000Z-vvvvvv', mode: 'verify' } as const;
export const TABLE = 'orders';

/** An entity with these properties in addition to its keys. */
export function entity(partition: string, row: string, properties: object = { Value: `of ${row}` }): StoredEntity {
  const text = JSON.stringify({ PartitionKey: partition, RowKey: row, ...properties });
  return { key: { partition, row }, text };
}

/** A segment to store: first all entities, then the changes, in order. */
export interface GivenSegment {
  range?: KeyRange;
  files: (StoredEntity[] | { upserts?: StoredEntity[]; deleted?: EntityKey[] })[];
  status?: Segment['status'];
  /** Changes its line in the manifest. */
  change?: (segment: Segment) => void;
}

/** The result of a run. */
export interface Ended {
  outcomes: Outcome[];
  counts: { listed: number; copied: number; unchanged: number; skipped: number; failed: number };
  /** Of a dry run. */
  foretold?: { planned: number; replaced: number };
  problem?: Problem;
  stopped?: string;
  /** How many slices of the plan, and pieces of the writing, it took. */
  slices: number;
  pieces: number;
}

/** A restore point of one table in memory. Plays its restores and verifications as an orchestration does. */
export class HeldTable {
  readonly vault: MemoryAccount;
  readonly control: ControlStore;
  /** The tables that were backed up, and that restores write to. */
  readonly tables = new MemoryTables('SOURCE');
  readonly vaultTables = new MemoryTables('VAULT');
  readonly deps: Dependencies;
  readonly segments: Segment[] = [];
  /** Milliseconds that pass with each read of the clock. */
  tick = 0;
  #time = Date.parse('2026-05-02T00:00:00.000Z');
  #files = 0;
  #pages = 0;

  constructor(limits: object = {}) {
    const storage = new MemoryStorage();
    const common = plainTraits({ now: () => Date.parse('2026-05-01T12:00:00.000Z') });
    this.vault = new MemoryAccount(storage, 'VAULT', common);
    this.vault.createContainer(CONTROL_CONTAINER);
    const source = new MemoryBlobs(new MemoryAccount(storage, 'SOURCE', common));
    const vault = new MemoryBlobs(this.vault);
    this.control = new ControlStore(vault);
    const job = { name: RUN.job, source: { account: 'SOURCE' }, destination: { account: 'VAULT', prefix: '' } };
    let count = 0;
    this.deps = {
      configuration: {
        jobs: [job],
        archives: [],
        accounts: new Map([
          ['SOURCE', {}],
          ['VAULT', {}],
        ]),
      },
      limits: {
        ...{ sliceBlobs: 50_000, sliceChunks: 8, scanMs: 60_000, chunkBlobs: 2_500, copyMs: 60_000, silentMs: 600_000 },
        ...limits,
      },
      copySlots: pLimit(32),
      blobs: (alias: string) => (alias === 'VAULT' ? vault : source),
      tables: (alias: string) => (alias === 'VAULT' ? this.vaultTables : this.tables),
      now: () => {
        this.#time += this.tick;
        return new Date(this.#time);
      },
      random: () => String(count++).padStart(6, '0'),
    } as unknown as Dependencies;
  }

  /** Writes a file of entities, and returns its entry for a segment. */
  async file(given: GivenSegment['files'][number], range: KeyRange = {}, table = TABLE): Promise<EntityFile> {
    const path = entityFilePath(POINT, table, rangeKey(this.#files), String(this.#files++).padStart(6, '0'));
    const writer = new EntityFileWriter();
    for (const { text } of Array.isArray(given) ? given : (given.upserts ?? [])) writer.add(text);
    for (const key of Array.isArray(given) ? [] : (given.deleted ?? [])) writer.addDeletion(key);
    const { items } = writer;
    const times = { readFrom: '2026-05-01T00:00:00Z', readTo: '2026-05-01T00:00:10Z' };
    const kind = Array.isArray(given) ? 'entities' : 'changes';
    const about = { file: path, format: 1, table, source: this.tables.endpoint, run: POINT.id, range, kind } as const;
    const written = writer.finish({ ...about, ...times });
    await this.control.writeEntityFile(path, written);
    return { path, items, bytes: written.body.length, sha256: written.sha256 };
  }

  /** Adds a page to the manifest. */
  async hold(...given: GivenSegment[]): Promise<void> {
    const task = taskOfTable(TABLE);
    const tally = emptyTally(task, 'nowhere');
    const part = new PartWriter<Segment>();
    for (const { range = {}, files, status = 'copied', change } of given) {
      const segment: Segment = {
        ...{ name: `segment ${this.segments.length}`, status, etag: '', modified: '2026-05-01T00:00:10Z', size: 0 },
        ...{ range, entities: 0, files: [], readAt: '2026-05-01T00:00:00Z' },
      };
      if (status === 'failed') {
        Object.assign(segment, { code: 'throttled', message: 'Too busy' });
        tally.listed++;
        tally.failed++;
      } else {
        for (const file of files) segment.files.push(await this.file(file, range));
        const read = await Promise.all(segment.files.map((file) => this.control.readEntityFile(file)));
        segment.entities = [...segmentContent(read)].length;
        segment.size = read.flatMap(({ lines }) => [...lines()].flat()).reduce((sum, line) => sum + line.length, 0);
        tally.listed += segment.entities;
        tally.copied += segment.entities;
      }
      change?.(segment);
      part.add(segment);
      this.segments.push(segment);
    }
    tally.keys = [boundId(given[0]!.range?.after), boundId(given.at(-1)!.range?.upTo)];
    await this.control.writePart(held(POINT), 'range', rangeKey(this.#pages++), part, tally, {});
  }

  /** Damages a stored file; without `change`, deletes it. */
  damage({ path }: { path: string }, change?: (body: Buffer) => Buffer): void {
    const { body, metadata } = this.vault.all(CONTROL_CONTAINER, path)[0]!;
    this.vault.remove(CONTROL_CONTAINER, path);
    if (change) this.vault.write(CONTROL_CONTAINER, { name: path, body: change(Buffer.from(body)), metadata });
  }

  async restore(task: Partial<RestoreTask> = {}, more: Partial<RestoreRef> = {}): Promise<Ended> {
    const run = this.restoreRun(task, more);
    await this.#begin(run);
    return this.#drive(run, planTableRestore, makeWriteEntities());
  }

  /** A restore that holds its lock, so that a test can call its activities one by one. */
  async begun(task: Partial<RestoreTask> = {}, more: Partial<RestoreRef> = {}): Promise<RestoreRef> {
    const run = this.restoreRun(task, more);
    await this.#begin(run);
    return run;
  }

  restoreRun(task: Partial<RestoreTask>, more: Partial<RestoreRef>): RestoreRef {
    const restore: RestoreTask = {
      ...{ point: POINT.id, account: 'SOURCE', container: '{container}', prefix: '', existing: 'fail' },
      ...{ containers: [], tables: [], table: '{table}', startsWith: '', include: [], exclude: [], original: false },
      ...task,
    };
    return { ...RESTORE, restore, ...more };
  }

  async verify(task: Partial<VerifyTask> = {}, id: string = VERIFICATION.id): Promise<Ended> {
    const verify = { point: POINT.id, kind: 'quick' as const, portion: '100%', turn: 0, sample: 20, ...task };
    const run = { ...VERIFICATION, id, verify };
    await this.#begin(run);
    return this.#drive(run, verifyTable, undefined);
  }

  /** Writes the summary of an ended verification. */
  async ended(verify: Partial<VerifyTask>): Promise<void> {
    const { id, job } = VERIFICATION;
    const nothing = { counts: {}, bytes: {}, containers: [], problems: [], parts: [], compared: [] };
    await this.#put(summaryPath({ id, job }), { format: 3, id, job, status: 'succeeded', verify, ...nothing });
  }

  async cancel(run: RunRef): Promise<void> {
    await this.#lock(run, true);
  }

  async #begin(run: RunRef): Promise<void> {
    const parts = partEntries(await this.control.listParts(POINT));
    const source = this.deps.blobs('SOURCE').endpoint;
    const summary = {
      ...{ format: 3, ...POINT, mode: 'full', status: 'succeeded', restorePoint: true, source },
      ...{ counts: {}, bytes: {}, containers: [], problems: [], parts, compared: [] },
    };
    await this.#put(summaryPath(POINT), summary);
    await this.#lock(run, false);
  }

  async #lock(run: RunRef, cancel: boolean): Promise<void> {
    await this.#put(lockPathOf(run), { job: run.job, epoch: run.epoch, run, since: run.startedAt, cancel });
  }

  async #put(path: string, value: object): Promise<void> {
    this.vault.putObject(CONTROL_CONTAINER, path, Buffer.from(JSON.stringify(value)), { contentType: 'text/plain' });
  }

  async #drive<Run extends RunRef>(
    run: Run,
    scan: (deps: Dependencies, input: SliceInput<Run>) => Promise<SliceResult>,
    work: ((deps: Dependencies, input: ChunkInput<Run>) => Promise<ChunkResult>) | undefined,
  ): Promise<Ended> {
    const task = { run, container: taskOfTable(TABLE), destination: TABLE };
    const chunks: PlanChunk[] = [];
    const ended: Ended = {
      ...{ outcomes: [], counts: { listed: 0, copied: 0, unchanged: 0, skipped: 0, failed: 0 }, slices: 0, pieces: 0 },
    };
    let manifest: ManifestPosition | undefined;
    do {
      const input = { ...task, slice: ended.slices++, ...(manifest && { manifest }) };
      const slice: SliceResult = await scan(this.deps, input);
      if (slice.problem) return { ...ended, problem: slice.problem };
      if (slice.stopped) return { ...ended, stopped: slice.stopped };
      chunks.push(...(slice.chunks ?? []));
      manifest = slice.nextManifest;
    } while (manifest !== undefined);
    for (const chunk of run.dryRun ? [] : chunks) {
      for (let from: number | undefined = 0; from !== undefined; ended.pieces++) {
        const piece: ChunkResult = await work!(this.deps, { ...task, chunk, from });
        if (piece.stopped) ended.stopped = piece.stopped;
        from = piece.next;
      }
    }
    return { ...ended, ...(await this.reported(run, ended.stopped === undefined)) };
  }

  /** The outcomes and counts in the parts of a run. Throws if the parts are incomplete. */
  async reported(run: RunRef, whole = true): Promise<Pick<Ended, 'outcomes' | 'counts' | 'foretold'>> {
    const parts = await this.control.listParts(run);
    const reason = whole ? incompleteness(parts, run.dryRun) : undefined;
    if (reason !== undefined) throw new Error(reason);
    const outcomes: Outcome[] = [];
    for (const { path } of partEntries(parts)) {
      outcomes.push(...(await this.control.readPart<Outcome, object>(path)).items);
    }
    const state = { status: 'succeeded' as const, now: new Date(), problems: [], requests: {} };
    const { counts, problems } = reportOf(run, parts, state);
    const { listed, copied, unchanged, skipped, failed, planned = 0 } = counts;
    const replaced = problems.find(({ code }) => code === 'entities-to-replace')?.count ?? 0;
    return {
      outcomes,
      counts: { listed, copied, unchanged, skipped, failed },
      ...(run.dryRun && { foretold: { planned, replaced } }),
    };
  }
}
