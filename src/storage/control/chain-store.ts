import pLimit from 'p-limit';
import type { ChainLink } from '#domain/run/chain-link.ts';
import {
  type ChainEntry,
  type ChainLine,
  chainLineOf,
  chainRecordOf,
  isChainLine,
  isWholeLine,
  lineOfRecord,
  type RestorePointRecord,
} from '#domain/run/chain-record.ts';
import { chainNumber, chainPath, chainPrefix } from '#domain/run/control-paths.ts';
import { type PointOnRecord, pointsOnRecord } from '#domain/run/point-on-record.ts';
import { asciiJson } from '#domain/run/tally.ts';
import type { BlobAccount } from '../blob-account.ts';
import { StorageError } from '../storage-error.ts';
import { compareAndSwap } from './compare-and-swap.ts';
import { bytesOf, ControlContainer, sha256Of } from './control-container.ts';
import { listedLine } from './listed-line.ts';

/** Metadata of a record: what a listing needs. */
const LINE_KEY = 'strongroom_chain';
const READS_AT_ONCE = 16;

/** What this process knows of records, by account. */
const knownIn = new WeakMap<BlobAccount, Map<string, string>>();

/** A record in a listing. */
export interface ListedRecord extends Partial<ChainLine> {
  number: number;
  /** Bytes. */
  size: number;
}

/**
 * The chains of the jobs of one vault. A record is written once, under the next number: two writers cannot continue
 * from the same record. The next record needs only the bytes of the last one, so a damaged record stops no backup.
 */
export class ChainStore extends ControlContainer {
  /** SHA-256 of summaries on record, by job and run. */
  readonly #known: Map<string, string>;

  constructor(vault: BlobAccount) {
    super(vault);
    this.#known = knownIn.get(vault) ?? new Map();
    knownIn.set(vault, this.#known);
  }

  /** Adds a record, unless there is one of the same run. Returns its link, and whether this call added it. */
  async append(job: string, entry: ChainEntry, now: Date): Promise<{ link: ChainLink; isNew: boolean }> {
    const added = await compareAndSwap(async () => {
      const records = await this.listRecords(job);
      const same = 'run' in entry ? records.find(({ run }) => run === entry.run) : undefined;
      const last = same ?? records.at(-1);
      const before = last && (await this.linkOf(job, last));
      if (same) return before && { link: before, isNew: false };
      // Undefined if the last record was deleted after it was listed: then list again.
      if (last && !before) return undefined;
      const link = await this.#write(job, entry, before, now);
      return link && { link, isNew: true };
    });
    if (!added) throw new StorageError('precondition', `Other writers keep adding to ${this.where(chainPrefix(job))}`);
    return added;
  }

  /** All records in order. One request per 5,000. */
  async listRecords(job: string): Promise<ListedRecord[]> {
    const records: ListedRecord[] = [];
    for await (const { blobs } of this.pages({ prefix: chainPrefix(job), metadata: true })) {
      for (const { name, size, metadata } of blobs) {
        const number = chainNumber(job, name);
        if (number !== undefined) records.push({ number, size, ...listedLine(metadata?.[LINE_KEY], isChainLine) });
      }
    }
    return records.sort((a, b) => a.number - b.number);
  }

  /** The record of a run; undefined if it has none. */
  async linkOfRun({ job, id }: { job: string; id: string }): Promise<ChainLink | undefined> {
    const found = (await this.listRecords(job)).find(({ run }) => run === id);
    return found && this.linkOf(job, found);
  }

  /**
   * What the chain says of the restore points of a job, the last one at the end. One listing shows it; a record is read
   * only if its metadata does not. `damage`: a record is missing or damaged, so there may be more to say.
   */
  async pointsOnRecord(job: string): Promise<{ points: Map<string, PointOnRecord>; damage?: StorageError }> {
    const records = await this.listRecords(job);
    const hole = records.findIndex(({ number }, index) => number !== index + 1);
    let damage = hole === -1 ? undefined : this.damaged(chainPath(job, hole + 1), 'it is missing');
    const atOnce = pLimit(READS_AT_ONCE);
    const found = await Promise.all(
      records.map((each) => (isWholeLine(each) ? each : atOnce(() => this.#lineOf(job, each.number)))),
    );
    const lines = found.filter((line) => line !== undefined);
    const bad = records.find((_, index) => found[index] === undefined);
    if (bad) damage ??= this.damaged(chainPath(job, bad.number), 'it is not a record of this job');
    const points = pointsOnRecord(lines);
    for (const { run, sha256 } of lines)
      if (run !== undefined && sha256 !== undefined) this.#known.set(`${job} ${run}`, sha256);
    return { points, ...(damage && { damage }) };
  }

  /** The restore points that the prunes of a job have emptied. */
  async emptiedPoints(job: string): Promise<Set<string>> {
    const { points } = await this.pointsOnRecord(job);
    return new Set([...points].filter(([, { isEmptied }]) => isEmptied).map(([id]) => id));
  }

  /**
   * SHA-256 of the summary of a run, as its record names it; undefined if no record does. No record changes, so one
   * that this process has read before needs no request.
   */
  async summaryOnRecord({ job, id }: { job: string; id: string }): Promise<string | undefined> {
    const key = `${job} ${id}`;
    if (!this.#known.has(key)) await this.pointsOnRecord(job);
    return this.#known.get(key);
  }

  /** Why the run of a restore point engaged the safety brake, by its record; undefined if it did not. */
  async brakeOnRecord({ job, id }: { job: string; id: string }): Promise<string | undefined> {
    const found = (await this.listRecords(job)).find(({ run, brake }) => run === id && brake);
    const record = found && (await this.read(chainPath(job, found.number)))?.value;
    return (record as Partial<RestorePointRecord> | undefined)?.brake;
  }

  /** Whether a hold of the restore point is on record, or may be: a record is missing or damaged. */
  async isHeldOnRecord({ job, id }: { job: string; id: string }): Promise<boolean> {
    const { points, damage } = await this.pointsOnRecord(job);
    return damage !== undefined || (points.get(id)?.holds.size ?? 0) > 0;
  }

  async #lineOf(job: string, number: number): Promise<ChainLine | undefined> {
    const found = await this.read(chainPath(job, number));
    return found && lineOfRecord(found.value, job, number);
  }

  /**
   * Undefined if there is no such record. Throws if the answer is not as long as the record: nothing else would show
   * that it was cut off on its way, and the chain would continue from a record that never was.
   */
  async linkOf(job: string, { number, size }: Pick<ListedRecord, 'number' | 'size'>): Promise<ChainLink | undefined> {
    const path = chainPath(job, number);
    const found = await this.get(path);
    if (!found) return undefined;
    if (found.body.length !== size) {
      const how = `${found.body.length} of ${size} bytes`;
      throw new StorageError('server', `Could not read ${this.where(path)}: the answer had ${how}`);
    }
    return { number, sha256: sha256Of(found.body) };
  }

  /** SHA-256 of a document, as a record names it; undefined if there is none. Throws `damaged` if it is not whole. */
  async sha256OfWhole(path: string): Promise<string | undefined> {
    const found = await this.get(path);
    if (!found) return undefined;
    try {
      JSON.parse(found.body.toString());
    } catch {
      throw this.damaged(path, 'it is not JSON');
    }
    return sha256Of(found.body);
  }

  /** SHA-256 of the bytes of an object; undefined if it does not exist. */
  async sha256Of(path: string): Promise<string | undefined> {
    const found = await this.get(path);
    return found && sha256Of(found.body);
  }

  /** Returns undefined if another writer was first. */
  async #write(
    job: string,
    entry: ChainEntry,
    before: ChainLink | undefined,
    now: Date,
  ): Promise<ChainLink | undefined> {
    const number = (before?.number ?? 0) + 1;
    const at = now.toISOString();
    const record = chainRecordOf(entry, { job, number, previous: before?.sha256 ?? null, at });
    const metadata = { [LINE_KEY]: asciiJson(chainLineOf(entry)) };
    const isWritten = await this.writeJson(chainPath(job, number), record, 'absent', metadata);
    return isWritten ? { number, sha256: sha256Of(bytesOf(record)) } : undefined;
  }
}
