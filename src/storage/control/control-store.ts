import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import type { BlobState } from '#domain/blobs/blob.ts';
import {
  CONTROL_CONTAINER,
  entityFilesPrefix,
  LOCKS,
  lockPath,
  manifestPrefix,
  notesPath,
  notesPrefix,
  type PartKind,
  partPath,
  prunePlanPath,
  readerPath,
  readersPrefix,
  runPrefix,
  runsPrefix,
  signsPath,
  summaryPath,
} from '#domain/run/control-paths.ts';
import type { HeldRun } from '#domain/run/held-run.ts';
import { isLock, type Left, newLock, type RunLock, release } from '#domain/run/lock.ts';
import { isReader, type LockedRun, lockPathOf } from '#domain/run/lock-place.ts';
import type { ManifestPage } from '#domain/run/manifest.ts';
import { markOf, NO_RUN, type Occurrence, servingRun, withServed } from '#domain/run/occurrence.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import { type Part, type PartWriter, readPart } from '#domain/run/part.ts';
import type { ListedPart } from '#domain/run/placed-part.ts';
import { isPrunePlan, type PrunePlan } from '#domain/run/prune-plan.ts';
import type { ReaderRef } from '#domain/run/reader-lock.ts';
import { isNotes, type Notes } from '#domain/run/restore-point.ts';
import type { RunRef, RunSummary } from '#domain/run/run.ts';
import { ageOf, type LastSign, signLine } from '#domain/run/sign-of-life.ts';
import { ENTITY_FILE_FORMAT, formatProblem, SUMMARY_FORMAT } from '#domain/run/stored-format.ts';
import { isSummary } from '#domain/run/summary-schema.ts';
import { asciiJson, type Tally, tallyFromMetadata, tallyToMetadata } from '#domain/run/tally.ts';
import { type EntityFileContent, readEntityFile } from '#domain/tables/entity-file.ts';
import type { EntityFile } from '#domain/tables/segment.ts';
import { isStorageError, StorageError } from '../storage-error.ts';
import { ChainStore } from './chain-store.ts';
import { compareAndSwap } from './compare-and-swap.ts';
import { ControlContainer, type Document } from './control-container.ts';
import { listedLine } from './listed-line.ts';

/** Parts of a manifest page that are read at the same time. Each may have tens of megabytes after decompression. */
const PARTS_AT_ONCE = 4;
/** Metadata of notes: their whole content, so that one listing returns all of them. */
const NOTES_KEY = 'strongroom_notes';
/** Metadata of a summary: what a listing of runs needs, so that it reads few summaries. */
const RUN_KEY = 'strongroom_run';
/** Metadata of the lock of a reader that has ended, so that a listing shows which readers are in progress. */
const ENDED = { strongroom_ended: 'true' };
/** Metadata of a file of entities: the SHA-256 of its bytes. */
export const FILE_KEY = 'strongroom_sha256';

interface RunName {
  job: string;
  id: string;
}

type FoundLock = Document<RunLock>;

/** A lock, and the run that holds it. */
export type HeldLock<Run extends RunRef = RunRef> = Document<RunLock & { run: Run }>;

/** The readers of a job that have not ended. */
export interface OpenReaders {
  locks: HeldLock<ReaderRef>[];
  /** Runs whose lock cannot be read. Nothing shows what they read, or whether they have ended. */
  unknown: { id: string; error: StorageError }[];
}

/** A run in the listing of its job's runs. */
export interface ListedRun {
  /** False if the listing shows that the run has left no restore point; undefined if only its summary does. */
  restorePoint?: false;
  /** When its summary was written, by the clock of the service; absent if it has none. */
  endedAt?: string;
  /** Whether it has anything but its summary. */
  hasMore?: true;
  /** SHA-256 of its parts, by path. */
  parts: Map<string, string | undefined>;
}

/** The documents of runs in the control container of one vault: locks, summaries, plans, parts, files and notes. */
export class ControlStore extends ControlContainer {
  /** The chains beside them. */
  get chain(): ChainStore {
    return new ChainStore(this.vault);
  }

  /** The lock of a job; undefined if the job has never run. Throws `damaged`. */
  readLock(job: string): Promise<FoundLock | undefined> {
    return this.#lockAt(lockPath(job), job);
  }

  /** The lock that a run needs in order to continue: that of its job, or its own. Throws `damaged`. */
  readLockOf(run: LockedRun): Promise<FoundLock | undefined> {
    return this.#lockAt(lockPathOf(run), run.job);
  }

  /** The lock that a run holds, whatever its mode; undefined if it holds none. Throws `damaged`. */
  async findLockOf(run: RunName): Promise<HeldLock | undefined> {
    for (const path of [lockPath(run.job), readerPath(run)]) {
      const found = await this.#lockAt(path, run.job);
      if (found?.value.run?.id === run.id) return found as HeldLock;
    }
    return undefined;
  }

  #lockAt(path: string, job: string): Promise<FoundLock | undefined> {
    return this.readJson(path, (value) => isLock(value, job));
  }

  /** The readers of a job that have not ended. One request per 5,000, and one for each of these. */
  async openReaders(job: string): Promise<OpenReaders> {
    const ids: string[] = [];
    const prefix = readersPrefix(job);
    for await (const { blobs } of this.pages({ prefix, metadata: true })) {
      for (const { name, metadata } of blobs) {
        if (!metadata?.strongroom_ended) ids.push(name.slice(prefix.length).replace(/\.json$/, ''));
      }
    }
    const locks: HeldLock<ReaderRef>[] = [];
    const unknown: OpenReaders['unknown'] = [];
    const read = async (id: string) => {
      try {
        const lock = await this.#lockAt(readerPath({ job, id }), job);
        if (lock?.value.run) locks.push(lock as HeldLock<ReaderRef>);
      } catch (error) {
        if (!isStorageError(error, 'damaged')) throw error;
        unknown.push({ id, error });
      }
    };
    await Promise.all(ids.map(read));
    return { locks, unknown };
  }

  /** The ETag of the lock of a reader that cannot be read; undefined if it can be read, or if there is none. */
  async unknownReader(run: RunName): Promise<string | undefined> {
    const found = await this.read(readerPath(run));
    return found && !isLock(found.value, run.job) ? found.etag : undefined;
  }

  /** Replaces the lock of a reader that cannot be read by one that says that the reader has ended. */
  async endUnknownReader(run: RunName, etag: string, now: Date): Promise<void> {
    const ended = { job: run.job, epoch: 1, run: null, since: now.toISOString(), cancel: false };
    await this.writeJson(readerPath(run), ended, { ifMatch: etag }, ENDED);
  }

  /** Where the locks of the readers of a job are that ended before a time by the clock of the service. */
  async endedReaders(job: string, before: Date): Promise<Pick<BlobState, 'name' | 'etag'>[]> {
    const ended: BlobState[] = [];
    for await (const { blobs } of this.pages({ prefix: readersPrefix(job), metadata: true })) {
      ended.push(...blobs.filter(({ metadata }) => metadata?.strongroom_ended));
    }
    return ended.filter(({ lastModified }) => Date.parse(lastModified) < before.getTime());
  }

  /** The jobs that have ever run in this vault. */
  async lockedJobs(): Promise<string[]> {
    const jobs: string[] = [];
    for await (const { blobs } of this.pages({ prefix: LOCKS })) {
      jobs.push(...blobs.map(({ name }) => name.slice(LOCKS.length).replace(/\.json$/, '')));
    }
    return jobs;
  }

  /** The jobs that have left a run in this vault. */
  async jobsWithRuns(): Promise<string[]> {
    const jobs: string[] = [];
    for await (const folder of this.foldersBelow('jobs/')) jobs.push(folder.split('/')[1]!);
    return jobs;
  }

  /** When the service last wrote the lock of a job, by its own clock; undefined if there is none. */
  async lockWrittenAt(job: string): Promise<Date | undefined> {
    const found = await this.vault.getProperties(CONTROL_CONTAINER, lockPath(job));
    return found && new Date(found.lastModified);
  }

  /** Releases the lock of a run if the run holds it. */
  async releaseLock(run: LockedRun, now: Date, left: Left = {}): Promise<void> {
    const path = lockPathOf(run);
    const ended = isReader(run.mode) ? ENDED : undefined;
    await compareAndSwap(async () => {
      const lock = await this.readLockOf(run);
      if (lock?.value.run?.id !== run.id) return true;
      // Returns false if a cancel request has changed the lock in between.
      const released = await this.writeJson(path, release(lock.value, now, left), { ifMatch: lock.etag }, ended);
      return released || undefined;
    });
  }

  /**
   * Marks an occurrence of a schedule as served by a run, without taking the lock of its job, in place of a run that
   * was lost. Returns the run that serves it: another if its mark was first.
   */
  async markServed({ job, id }: RunName, due: Occurrence, now: Date, lost?: string): Promise<string> {
    const marked = await compareAndSwap(async () => {
      const lock = await this.readLock(job);
      const by = servingRun(lock?.value.served, due, now);
      if (!lock || (by !== undefined && by !== lost)) return by ?? id;
      const wanted = { ...lock.value, served: withServed(lock.value.served, due, id) };
      return (await this.writeJson(lockPath(job), wanted, { ifMatch: lock.etag })) ? id : undefined;
    });
    return marked ?? id;
  }

  /**
   * Has the vault remember that a schedule owes nothing up to a time, if it remembers nothing of this schedule yet.
   * This makes the lock of a job that never ran.
   */
  async beginSchedule(job: string, begin: Omit<Occurrence, 'ticked'>, now: Date): Promise<void> {
    await compareAndSwap(async () => {
      const lock = await this.readLock(job);
      if (markOf(lock?.value.served, begin.what, now)?.schedule === begin.schedule) return true;
      const free = lock?.value ?? newLock(job, now);
      const wanted = { ...free, served: withServed(free.served, begin, NO_RUN) };
      return (await this.writeJson(lockPath(job), wanted, lock ? { ifMatch: lock.etag } : 'absent')) || undefined;
    });
  }

  /** Says that a run is in progress. */
  signOfLife(run: RunName, now: Date): Promise<void> {
    return this.appendLine(signsPath(run), signLine(now));
  }

  /** The last sign of life of a run; undefined if it has given none. */
  async lastSign(run: RunName): Promise<LastSign | undefined> {
    const found = await this.get(signsPath(run));
    return found && { writtenAt: found.lastModified, age: ageOf(found) };
  }

  /**
   * The summary of a run; undefined if it has none yet. Throws `damaged`, also if it is not the one that is `recorded`
   * in the chain by its SHA-256.
   */
  async readSummary(run: RunName, recorded?: string): Promise<RunSummary | undefined> {
    const found = await this.#summaryOf(run);
    return found && this.#asRecorded(run, found, recorded);
  }

  /**
   * As `readSummary`, but throws `damaged` also if the chain names another summary of the run. Whatever relies on the
   * content of a restore point reads this: nothing else shows that a summary was altered. Runs without a record are
   * believed.
   */
  async readRecordedSummary(run: RunName): Promise<RunSummary | undefined> {
    const found = await this.#summaryOf(run);
    return found && this.#asRecorded(run, found, await this.chain.summaryOnRecord(run));
  }

  /** Whether a run has a summary, damaged or not. */
  async hasSummary(run: RunName): Promise<boolean> {
    return (await this.vault.getProperties(CONTROL_CONTAINER, summaryPath(run))) !== undefined;
  }

  #summaryOf(run: RunName): Promise<Document<RunSummary> | undefined> {
    return this.readJson(summaryPath(run), (value) => isSummary(value, run), SUMMARY_FORMAT);
  }

  #asRecorded(run: RunName, { value, sha256 }: Document<RunSummary>, recorded: string | undefined): RunSummary {
    if (recorded === undefined || recorded === sha256) return value;
    throw this.damaged(summaryPath(run), 'it is not the one that its record in the chain names');
  }

  /** Writes the summary of a run. Returns false if there is one already. */
  writeSummary(summary: RunSummary): Promise<boolean> {
    const { restorePoint } = summary;
    return this.writeJson(summaryPath(summary), summary, 'absent', { [RUN_KEY]: asciiJson({ restorePoint }) });
  }

  /** The runs of a job that have left any object, by id. One request per 5,000 objects. */
  async listRuns(job: string): Promise<Map<string, ListedRun>> {
    const runs = new Map<string, ListedRun>();
    const prefix = runsPrefix(job);
    for await (const { blobs } of this.pages({ prefix, metadata: true })) {
      for (const { name, metadata, lastModified } of blobs) {
        const id = name.slice(prefix.length).split('/', 1)[0]!;
        const run: ListedRun = runs.get(id) ?? { parts: new Map() };
        runs.set(id, run);
        if (name === summaryPath({ job, id })) {
          run.endedAt = lastModified;
          if (listedLine(metadata?.[RUN_KEY], hasNoRestorePoint)) run.restorePoint = false;
          continue;
        }
        run.hasMore = true;
        const tally = tallyFromMetadata(metadata);
        if (tally) run.parts.set(name, tally.sha256);
      }
    }
    return runs;
  }

  /** The plan of a prune; undefined until the run has made it. Throws `damaged`. */
  async readPrunePlan(run: RunName): Promise<PrunePlan | undefined> {
    return (await this.readJson(prunePlanPath(run), isPrunePlan))?.value;
  }

  /**
   * Writes a part unless one of this name exists. The first writer wins: an activity that runs a second time gets the
   * end of the first part, and continues from there.
   */
  async writePart<Item, End extends object>(
    run: HeldRun,
    kind: PartKind,
    key: string,
    writer: PartWriter<Item>,
    tally: Tally,
    end: End,
  ): Promise<End> {
    const path = partPath(run, kind, tally.container, key);
    const { body, sha256 } = writer.finish({ ...end, part: path });
    // The counts include the request that writes them.
    const requests = { ...tally.requests, PutBlob: (tally.requests.PutBlob ?? 0) + 1 };
    try {
      await this.put(path, body, {
        contentType: 'application/x-ndjson',
        contentEncoding: 'gzip',
        metadata: tallyToMetadata({ ...tally, requests, sha256 }),
        expect: 'absent',
      });
      return end;
    } catch (error) {
      if (!isStorageError(error, 'precondition')) throw error;
      return (await this.readPart<Item, End>(path)).end;
    }
  }

  /** Throws `damaged` if the part is missing, or differs from its own checksum or from the one in a manifest. */
  async readPart<Item, End>(path: string, sha256?: string): Promise<Part<Item, End>> {
    const found = await this.get(path);
    if (!found) throw this.damaged(path, 'it is missing');
    const actual = createHash('sha256').update(found.body).digest('hex');
    const expected = [sha256, tallyFromMetadata(found.metadata)?.sha256];
    if (expected.some((each) => each !== undefined && each !== actual)) throw this.wrongChecksum(path);
    const part = this.parse(path, found.body, readPart<Item, End & { part?: string }>);
    if (part.end.part !== path) throw this.damaged(path, 'it is another part');
    return part;
  }

  /** The outcomes of each part of a manifest page, or the error of a part that cannot be read. */
  readManifest(page: ManifestPage): Promise<(Outcome[] | StorageError)[]> {
    const limit = pLimit(PARTS_AT_ONCE);
    return Promise.all(
      page.parts.map(({ path, sha256 }) =>
        limit(async () => {
          try {
            return (await this.readPart<Outcome, object>(path, sha256)).items;
          } catch (error) {
            if (isStorageError(error, 'damaged')) return error;
            throw error;
          }
        }),
      ),
    );
  }

  /** Writes a file of entities under a new name. No writer ever changes it. */
  async writeEntityFile(path: string, { body, sha256 }: { body: Buffer; sha256: string }): Promise<void> {
    try {
      await this.put(path, body, {
        contentType: 'application/x-ndjson',
        contentEncoding: 'gzip',
        metadata: { [FILE_KEY]: sha256 },
        expect: 'absent',
      });
    } catch (error) {
      if (!isStorageError(error, 'precondition')) throw error;
      // After a lost answer, the retry finds our own file. No other writer uses this name.
      const there = await this.get(path);
      if (!there?.body.equals(body)) throw error;
    }
  }

  /** Reads a whole file of entities. Throws `damaged` if it is missing, has another checksum, or is another file. */
  async readEntityFile(file: Pick<EntityFile, 'path' | 'sha256' | 'items'>): Promise<EntityFileContent> {
    const { path } = file;
    const found = await this.get(path);
    if (!found) throw this.damaged(path, 'it is missing');
    if (createHash('sha256').update(found.body).digest('hex') !== file.sha256) throw this.wrongChecksum(path);
    const content = this.parse(path, found.body, readEntityFile);
    const otherFormat = formatProblem(content.end, ENTITY_FILE_FORMAT);
    if (otherFormat !== undefined) throw this.damaged(path, otherFormat);
    if (content.end.file !== path) throw this.damaged(path, 'it is another file');
    if (content.end.items !== file.items) throw this.damaged(path, 'it has another number of lines');
    return content;
  }

  /** The files of a table's entities by path, each with the SHA-256 of its writer. One request per 5,000 files. */
  async listEntityFiles(job: string, table: string): Promise<Map<string, string | undefined>> {
    const files = new Map<string, string | undefined>();
    for await (const { blobs } of this.pages({ prefix: entityFilesPrefix(job, table), metadata: true })) {
      for (const { name, metadata } of blobs) files.set(name, metadata?.[FILE_KEY]);
    }
    return files;
  }

  /** Whether a restore point has notes, damaged or not. */
  async hasNotes(run: RunName): Promise<boolean> {
    return (await this.vault.getProperties(CONTROL_CONTAINER, notesPath(run))) !== undefined;
  }

  /** The notes of a restore point; empty if there are none. Throws `damaged`. */
  async readNotes(run: RunName): Promise<Notes> {
    return (await this.readJson(notesPath(run), isNotes))?.value ?? {};
  }

  /**
   * Changes the notes of a restore point by compare-and-swap. `change` gets the current notes, and may throw to leave
   * them unchanged. It is called after they are read, so that what it finds out then still holds when they are written,
   * or the write is refused. Throws `precondition` if other writers keep changing them.
   */
  async changeNotes(run: RunName, change: (notes: Notes) => Notes | Promise<Notes>): Promise<Notes> {
    const path = notesPath(run);
    const changed = await compareAndSwap(async () => {
      const found = await this.readJson(path, isNotes);
      const notes = await change(found?.value ?? {});
      const expect = found ? { ifMatch: found.etag } : 'absent';
      const isWritten = await this.writeJson(path, notes, expect, { [NOTES_KEY]: asciiJson(notes) });
      return isWritten ? notes : undefined;
    });
    if (!changed) throw new StorageError('precondition', `Other writers keep changing ${this.where(path)}`);
    return changed;
  }

  /** The notes of a job's restore points, by id. One request per 5,000. Throws `damaged`. */
  async listNotes(job: string): Promise<Map<string, Notes>> {
    const all = new Map<string, Notes>();
    const prefix = notesPrefix(job);
    for await (const { blobs } of this.pages({ prefix, metadata: true })) {
      for (const { name, metadata } of blobs) {
        const id = name.slice(prefix.length).replace(/\.json$/, '');
        const text = metadata?.[NOTES_KEY];
        const notes = text === undefined ? await this.readNotes({ job, id }) : listedLine(text, isNotes);
        if (!notes) throw this.damaged(name, 'its metadata does not have the expected form');
        all.set(id, notes);
      }
    }
    return all;
  }

  /** Notes the progress of a piece of work. It is only for people: no decision depends on it. */
  async noteProgress(run: HeldRun, key: string, tally: Tally): Promise<void> {
    await this.put(partPath(run, 'progress', tally.container, key), Buffer.alloc(0), {
      contentType: 'text/plain',
      metadata: tallyToMetadata(tally),
    });
  }

  /** The progress of a piece as it was last noted. */
  async readProgress(run: RunName, container: string, key: string): Promise<Tally | undefined> {
    const found = await this.vault.getProperties(CONTROL_CONTAINER, partPath(run, 'progress', container, key));
    return found && tallyFromMetadata(found.metadata);
  }

  /** The parts of a run so far, with their counts. One request per 5,000 parts. */
  listParts(run: RunName): Promise<ListedPart[]> {
    return this.#partsBelow(runPrefix(run));
  }

  /** The parts of the manifest of one container or table. */
  listManifest(run: RunName, container: string): Promise<ListedPart[]> {
    return this.#partsBelow(manifestPrefix(run, container));
  }

  async #partsBelow(prefix: string): Promise<ListedPart[]> {
    const parts: ListedPart[] = [];
    for await (const { blobs } of this.pages({ prefix, metadata: true })) {
      for (const blob of blobs) {
        const tally = tallyFromMetadata(blob.metadata);
        if (tally) parts.push({ path: blob.name, tally, writtenAt: blob.lastModified });
      }
    }
    return parts;
  }

  private wrongChecksum(path: string): StorageError {
    return this.damaged(path, 'its SHA-256 is not the one that its writer recorded');
  }
}

function hasNoRestorePoint(value: unknown): value is { restorePoint: false } {
  return typeof value === 'object' && value !== null && 'restorePoint' in value && value.restorePoint === false;
}

/** The ended runs that are listed as having left no restore point, and of which there is more than the summary. */
export function endedRuns(listed: ReadonlyMap<string, ListedRun>): { id: string; endedAt: string }[] {
  return [...listed].flatMap(([id, { restorePoint, endedAt, hasMore }]) =>
    restorePoint === false && endedAt !== undefined && hasMore ? [{ id, endedAt }] : [],
  );
}
