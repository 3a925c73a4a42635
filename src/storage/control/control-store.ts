import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import {
  CONTROL_CONTAINER,
  entityFilesPrefix,
  LOCKS,
  lockPath,
  notesPath,
  notesPrefix,
  type PartKind,
  partPath,
  prunePlanPath,
  runPrefix,
  runsPrefix,
  summaryPath,
} from '#domain/run/control-paths.ts';
import { isLock, type Left, type RunLock, release } from '#domain/run/lock.ts';
import type { ManifestPage } from '#domain/run/manifest.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import { DamagedPartError, type Part, type PartWriter, readPart } from '#domain/run/part.ts';
import { isPrunePlan, type PrunePlan } from '#domain/run/prune-plan.ts';
import type { ListedPart } from '#domain/run/report.ts';
import { isNotes, type Notes } from '#domain/run/restore-point.ts';
import { isSummary, type RunSummary } from '#domain/run/run.ts';
import { ENTITY_FILE_FORMAT, formatProblem, SUMMARY_FORMAT } from '#domain/run/stored-format.ts';
import { asciiJson, type Tally, tallyFromMetadata, tallyToMetadata } from '#domain/run/tally.ts';
import { type EntityFileContent, readEntityFile } from '#domain/tables/entity-file.ts';
import type { EntityFile } from '#domain/tables/segment.ts';
import type { BlobAccount, BlobPage, ListBlobsOptions } from '../blob-account.ts';
import { isStorageError, StorageError } from '../storage-error.ts';

/** Of a manifest's page, read at the same time: each may be tens of megabytes when it is unpacked. */
const PARTS_AT_ONCE = 4;
/** In the metadata of what is noted of a restore point, all of it again: one listing tells of all of them. */
const NOTES_KEY = 'strongroom_notes';
/** In the metadata of a summary, what a listing of runs has to tell: most of them need not be read. */
const RUN_KEY = 'strongroom_run';

/** In the metadata of a file of entities, the SHA-256 of its bytes. */
const FILE_KEY = 'strongroom_sha256';

interface RunName {
  job: string;
  id: string;
}

/** A run as a listing of its job's runs shows it. */
export interface ListedRun {
  /** False where its summary is there and says that it left none; undefined where only reading tells. */
  restorePoint?: false;
  /** SHA-256 of its parts, by path. */
  parts: Map<string, string | undefined>;
}

/** The control container of one vault: small JSON documents, and the parts of runs. */
export class ControlStore {
  readonly #vault: BlobAccount;

  constructor(vault: BlobAccount) {
    this.#vault = vault;
  }

  /** The lock of a job, or undefined when no run of it has begun yet. Throws `damaged`. */
  readLock(job: string): Promise<{ value: RunLock; etag: string } | undefined> {
    return this.#readJson(lockPath(job), (value) => isLock(value, job));
  }

  /** The jobs that have ever run in this vault. */
  async lockedJobs(): Promise<string[]> {
    const jobs: string[] = [];
    for await (const { blobs } of this.#pages({ prefix: LOCKS })) {
      jobs.push(...blobs.map(({ name }) => name.slice(LOCKS.length).replace(/\.json$/, '')));
    }
    return jobs;
  }

  /** When the service last wrote the job's lock, by its own clock; undefined when there is none. */
  async lockWrittenAt(job: string): Promise<Date | undefined> {
    const found = await this.#vault.getProperties(CONTROL_CONTAINER, lockPath(job));
    return found && new Date(found.lastModified);
  }

  /** Frees the job's lock if this run holds it. */
  async releaseLock(run: RunName, now: Date, left: Left = {}): Promise<void> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const lock = await this.readLock(run.job);
      if (lock?.value.run?.id !== run.id) return;
      // It fails when somebody asked to cancel just now: then read it again.
      if (await this.writeJson(lockPath(run.job), release(lock.value, now, left), { ifMatch: lock.etag })) return;
    }
  }

  /** The summary of a run, or undefined while it has none. Throws `damaged`. */
  async readSummary(run: RunName): Promise<RunSummary | undefined> {
    return (await this.#readJson(summaryPath(run), (value) => isSummary(value, run), SUMMARY_FORMAT))?.value;
  }

  /** Writes a run's summary, unless there is one: false then. */
  writeSummary(summary: RunSummary): Promise<boolean> {
    const { restorePoint } = summary;
    return this.writeJson(summaryPath(summary), summary, 'absent', { [RUN_KEY]: asciiJson({ restorePoint }) });
  }

  /** Every run of a job that has left anything, by its id; one request per 5,000 objects of theirs. */
  async listRuns(job: string): Promise<Map<string, ListedRun>> {
    const runs = new Map<string, ListedRun>();
    const prefix = runsPrefix(job);
    for await (const { blobs } of this.#pages({ prefix, metadata: true })) {
      for (const { name, metadata } of blobs) {
        const id = name.slice(prefix.length).split('/', 1)[0]!;
        const run: ListedRun = runs.get(id) ?? { parts: new Map() };
        runs.set(id, run);
        const tally = tallyFromMetadata(metadata);
        if (tally) run.parts.set(name, tally.sha256);
        else if (name === summaryPath({ job, id }) && saysNone(metadata?.[RUN_KEY])) run.restorePoint = false;
      }
    }
    return runs;
  }

  /** What a prune is about, or undefined while that is not decided. Throws `damaged`. */
  async readPrunePlan(run: RunName): Promise<PrunePlan | undefined> {
    return (await this.#readJson(prunePlanPath(run), isPrunePlan))?.value;
  }

  async #readJson<T>(
    path: string,
    isOne: (value: unknown) => value is T,
    format?: number,
  ): Promise<{ value: T; etag: string } | undefined> {
    const found = await this.read(path);
    if (!found) return undefined;
    const { value, etag } = found;
    if (value === undefined) throw this.#damaged(path, 'it is not JSON');
    const otherFormat = format === undefined ? undefined : formatProblem(value, format);
    if (otherFormat !== undefined) throw this.#damaged(path, otherFormat);
    if (!isOne(value)) throw this.#damaged(path, 'it is JSON, but not what belongs there');
    return { value, etag };
  }

  /** Writes only if the document is still what was read (`absent`: not there). False when it is not. */
  async writeJson(
    path: string,
    value: unknown,
    expect: { ifMatch: string } | 'absent',
    metadata?: Record<string, string>,
  ): Promise<boolean> {
    return (await this.replace(path, value, expect, metadata)) !== undefined;
  }

  /** The same, for who will write it again: the new ETag, or undefined when it is not what was read. */
  async replace(
    path: string,
    value: unknown,
    expect: { ifMatch: string } | 'absent',
    metadata?: Record<string, string>,
  ): Promise<string | undefined> {
    const body = Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
    try {
      return await this.#put(path, body, {
        contentType: 'application/json',
        expect,
        ...(metadata && { metadata }),
      });
    } catch (error) {
      if (!isStorageError(error, 'precondition')) throw error;
      // The service may have carried out a write whose answer was lost: then what is there now is ours.
      const now = await this.#vault.getObject(CONTROL_CONTAINER, path);
      return now?.body.equals(body) ? now.etag : undefined;
    }
  }

  /**
   * Writes a part unless one of this name exists. The first writer wins: an activity that runs a second time gets the
   * part of the first back and goes on from that.
   */
  async writePart<Item, End extends object>(
    run: RunName,
    kind: PartKind,
    key: string,
    writer: PartWriter<Item>,
    tally: Tally,
    end: End,
  ): Promise<End> {
    const path = partPath(run, kind, tally.container, key);
    const { body, sha256 } = writer.finish({ ...end, part: path });
    // The write that carries the counts is one of the requests it counts.
    const requests = { ...tally.requests, PutBlob: (tally.requests.PutBlob ?? 0) + 1 };
    try {
      await this.#put(path, body, {
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

  /**
   * Throws `damaged` when the part is missing, or not what was written: by its own checksum, and by the one a manifest names
   * it with.
   */
  async readPart<Item, End>(path: string, sha256?: string): Promise<Part<Item, End>> {
    const found = await this.#vault.getObject(CONTROL_CONTAINER, path);
    if (!found) throw this.#damaged(path, 'it is missing');
    const actual = createHash('sha256').update(found.body).digest('hex');
    const expected = [sha256, tallyFromMetadata(found.metadata)?.sha256];
    if (expected.some((each) => each !== undefined && each !== actual)) {
      throw this.#damaged(path, 'its SHA-256 is not the one it was written with');
    }
    let part: Part<Item, End & { part?: string }>;
    try {
      part = readPart(found.body, `${CONTROL_CONTAINER}/${path} in ${this.#vault.alias}`);
    } catch (error) {
      throw error instanceof DamagedPartError ? new StorageError('damaged', error.message) : error;
    }
    if (part.end.part !== path) throw this.#damaged(path, 'it is another part');
    return part;
  }

  /** The outcomes of each part of a page of a manifest, or, in its place, why that part cannot be read. */
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

  /** Stores a file of entities under a name that is new; nobody ever changes it. */
  async writeEntityFile(path: string, { body, sha256 }: { body: Buffer; sha256: string }): Promise<void> {
    try {
      await this.#put(path, body, {
        contentType: 'application/x-ndjson',
        contentEncoding: 'gzip',
        metadata: { [FILE_KEY]: sha256 },
        expect: 'absent',
      });
    } catch (error) {
      if (!isStorageError(error, 'precondition')) throw error;
      // Our own, when the answer was lost: nobody else makes this name.
      const there = await this.#vault.getObject(CONTROL_CONTAINER, path);
      if (!there?.body.equals(body)) throw error;
    }
  }

  /**
   * A file of entities, whole and as it was written: throws `damaged` where it is missing, its checksum is another, or its end does
   * not say that it is this file.
   */
  async readEntityFile(file: Pick<EntityFile, 'path' | 'sha256' | 'items'>): Promise<EntityFileContent> {
    const { path } = file;
    const found = await this.#vault.getObject(CONTROL_CONTAINER, path);
    if (!found) throw this.#damaged(path, 'it is missing');
    if (createHash('sha256').update(found.body).digest('hex') !== file.sha256) {
      throw this.#damaged(path, 'its SHA-256 is not the one it was written with');
    }
    let content: EntityFileContent;
    try {
      content = readEntityFile(found.body, `${CONTROL_CONTAINER}/${path} in ${this.#vault.alias}`);
    } catch (error) {
      throw error instanceof DamagedPartError ? new StorageError('damaged', error.message) : error;
    }
    const otherFormat = formatProblem(content.end, ENTITY_FILE_FORMAT);
    if (otherFormat !== undefined) throw this.#damaged(path, otherFormat);
    if (content.end.file !== path) throw this.#damaged(path, 'it is another file');
    if (content.end.items !== file.items) throw this.#damaged(path, 'it has another number of lines');
    return content;
  }

  /** The files of a table's entities by their paths, each with the SHA-256 it was written with; one request per 5,000. */
  async listEntityFiles(job: string, table: string): Promise<Map<string, string | undefined>> {
    const files = new Map<string, string | undefined>();
    for await (const { blobs } of this.#pages({ prefix: entityFilesPrefix(job, table), metadata: true })) {
      for (const { name, metadata } of blobs) files.set(name, metadata?.[FILE_KEY]);
    }
    return files;
  }

  /** What is noted of a restore point; nothing, where nothing is. Throws `damaged`. */
  async readNotes(run: RunName): Promise<Notes> {
    return (await this.#readJson(notesPath(run), isNotes))?.value ?? {};
  }

  /**
   * Changes what is noted of a restore point, by compare-and-swap. `change` sees what is there and may throw to leave it so.
   * Throws `precondition` where others keep changing it.
   */
  async changeNotes(run: RunName, change: (notes: Notes) => Notes): Promise<Notes> {
    const path = notesPath(run);
    for (let attempt = 0; attempt < 5; attempt++) {
      const found = await this.#readJson(path, isNotes);
      const notes = change(found?.value ?? {});
      const expect = found ? { ifMatch: found.etag } : 'absent';
      if (await this.writeJson(path, notes, expect, { [NOTES_KEY]: asciiJson(notes) })) return notes;
    }
    throw new StorageError('precondition', `${CONTROL_CONTAINER}/${path} in ${this.#vault.alias} keeps changing`);
  }

  /** What is noted of each restore point of a job, by its id; one request per 5,000. Throws `damaged`. */
  async listNotes(job: string): Promise<Map<string, Notes>> {
    const all = new Map<string, Notes>();
    const prefix = notesPrefix(job);
    for await (const { blobs } of this.#pages({ prefix, metadata: true })) {
      for (const { name, metadata } of blobs) {
        const id = name.slice(prefix.length).replace(/\.json$/, '');
        const text = metadata?.[NOTES_KEY];
        all.set(id, text === undefined ? await this.readNotes({ job, id }) : this.#notesIn(text, name));
      }
    }
    return all;
  }

  #notesIn(text: string, path: string): Notes {
    let notes: unknown;
    try {
      notes = JSON.parse(text);
    } catch {}
    if (isNotes(notes)) return notes;
    throw this.#damaged(path, 'its metadata is not what belongs there');
  }

  /** A note of how far a piece of work has come. Only for people: losing it loses nothing. */
  async noteProgress(run: RunName, key: string, tally: Tally): Promise<void> {
    await this.#put(partPath(run, 'progress', tally.container, key), Buffer.alloc(0), {
      contentType: 'text/plain',
      metadata: tallyToMetadata(tally),
    });
  }

  /** Every part that a run has left so far, with its counts; one request per 5,000. */
  async listParts(run: RunName): Promise<ListedPart[]> {
    const parts: ListedPart[] = [];
    for await (const { blobs } of this.#pages({ prefix: runPrefix(run), metadata: true })) {
      for (const blob of blobs) {
        const tally = tallyFromMetadata(blob.metadata);
        if (tally) parts.push({ path: blob.name, tally });
      }
    }
    return parts;
  }

  /** The folders directly below a prefix, each with its slash. */
  async *foldersBelow(prefix: string): AsyncGenerator<string> {
    for await (const { prefixes } of this.#pages({ prefix, delimiter: '/' })) yield* prefixes;
  }

  async *#pages(options: ListBlobsOptions): AsyncGenerator<BlobPage> {
    let marker: string | undefined;
    do {
      const page = await this.list({ ...options, ...(marker !== undefined && { marker }) });
      yield page;
      marker = page.next;
    } while (marker !== undefined);
  }

  /** One page of what lies here; an empty one in a vault that nothing has been written to yet. */
  async list(options: ListBlobsOptions): Promise<BlobPage> {
    try {
      return await this.#vault.listBlobs(CONTROL_CONTAINER, options);
    } catch (error) {
      if (isStorageError(error, 'container-not-found')) return { blobs: [], prefixes: [] };
      throw error;
    }
  }

  /** A small JSON document with its ETag, or undefined when it is not there; `value` is undefined where it is no JSON. */
  async read(path: string): Promise<{ value: unknown; etag: string } | undefined> {
    const found = await this.#vault.getObject(CONTROL_CONTAINER, path);
    if (!found) return undefined;
    try {
      return { value: JSON.parse(found.body.toString('utf8')), etag: found.etag };
    } catch {
      return { value: undefined, etag: found.etag };
    }
  }

  #damaged(path: string, how: string): StorageError {
    return new StorageError('damaged', `${CONTROL_CONTAINER}/${path} in ${this.#vault.alias} is damaged: ${how}`);
  }

  async #put(path: string, body: Buffer, options: Parameters<BlobAccount['putObject']>[3]): Promise<string> {
    try {
      return (await this.#vault.putObject(CONTROL_CONTAINER, path, body, options)).etag;
    } catch (error) {
      if (!isStorageError(error, 'container-not-found')) throw error;
      await this.#vault.createContainer(CONTROL_CONTAINER);
      return (await this.#vault.putObject(CONTROL_CONTAINER, path, body, options)).etag;
    }
  }
}

function saysNone(text: string | undefined): boolean {
  if (text === undefined) return false;
  try {
    return (JSON.parse(text) as { restorePoint?: unknown }).restorePoint === false;
  } catch {
    return false;
  }
}
