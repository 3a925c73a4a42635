import type { Change, MemoryAccount, MemoryBlob } from '../memory/memory-account.ts';
import type { Violation } from '../seeds/played.ts';
import { ARCHIVE, CONTROL, type Folders, RULE, SOURCE } from './stage.ts';

/** One version that the source had. */
export interface Version {
  name: string;
  etag: string;
  body: Buffer;
  /** Its number among the versions of this name. */
  index: number;
  /** Its name in the archive. */
  target: string;
}

interface StoredReceipt {
  state: string;
  owner: string;
  source: { name: string; etag: string };
}

interface Entry {
  name: string;
  etag?: string;
  state: string;
}

export const COPYING = new Set(['CopyBlobFromURL', 'CopyBlob', 'PutBlockList']);
const RECEIPTS = `archives/${RULE}/receipts/`;
const POISON = `archives/${RULE}/poison/`;

/**
 * Sees every change in storage, remembers every version of the source, and compares the promises of archiving with the
 * archive: P1 each version once, none older over a newer one; P2 receipts are true; P3 no claim is permanent; P4 one
 * copy each; P5 failed uploads are visible. It shares nothing with the app except the format of stored data.
 */
export class ArchiveWitness {
  readonly violations: Violation[] = [];
  /** Copies started, by the ETag of the source version. */
  readonly copies = new Map<string, number>();
  /** Snapshots taken, by the same ETag. */
  readonly snapshots = new Map<string, number>();
  /** Called with each violation. */
  onViolation: (violation: Violation) => void = () => {};
  readonly #source: MemoryAccount;
  readonly #vault: MemoryAccount;
  readonly #folders: Folders;
  readonly #comesLate: boolean;
  readonly #versions = new Map<string, Version>();
  readonly #counts = new Map<string, number>();
  /** Versions that have, or had, a receipt `done`. */
  readonly #done = new Set<Version>();

  /** With `comesLate`, copies hold content that was read before, so one may arrive after it was reported as missed. */
  constructor(stage: { source: MemoryAccount; vault: MemoryAccount; folders: Folders; comesLate: boolean }) {
    this.#source = stage.source;
    this.#vault = stage.vault;
    this.#folders = stage.folders;
    this.#comesLate = stage.comesLate;
  }

  see(change: Change): void {
    if (change.account === this.#source) this.#seeUpload(change);
    else if (change.container === ARCHIVE) this.#seeArchive(change);
    else if (change.container === CONTROL && change.name.startsWith(RECEIPTS)) this.#seeReceipt(change);
  }

  version(etag: string): Version | undefined {
    return this.#versions.get(etag);
  }

  /** Judges every version that the source has now. */
  *present(): Generator<Version> {
    for (const { blob } of this.#source.blobs()) yield this.#versions.get(blob.etag)!;
  }

  isPresent({ name, etag }: Version): boolean {
    return this.#source.blob(SOURCE, name)?.etag === etag;
  }

  /** Whether its bytes are in the archive under its name, as base blob or snapshot. */
  isStored(version: Version): boolean {
    return this.#vault.all(ARCHIVE, version.target).some((blob) => holds(blob, version));
  }

  receipts(): StoredReceipt[] {
    return this.#documents<StoredReceipt>(RECEIPTS);
  }

  poison(): Entry[] {
    return this.#documents<Entry>(POISON);
  }

  /** Judges the poison entry of an upload that failed permanently. */
  failedPermanently(name: string, etag: string | undefined): void {
    const version = etag === undefined ? undefined : this.#versions.get(etag);
    if (!version || !this.isPresent(version) || this.isStored(version)) return;
    const isKept = this.poison().some((entry) => entry.name === name && entry.etag === etag && entry.state === 'open');
    if (!isKept) this.say('P5', `${etag} failed permanently, and no poison entry names it`, name);
  }

  /** Judges these versions after all faults have ended. */
  judgeAll(after: string): void {
    this.judge([...this.present()], after);
    for (const version of this.#done) this.#mustBeStored(version, `after ${after}`);
    for (const { source, state } of this.receipts()) {
      const version = this.#versions.get(source.etag);
      if (version && state === 'missed') this.#mustBeMissed(version);
    }
  }

  /** Judges versions that the source has. */
  judge(versions: Version[], after: string): void {
    for (const version of versions) {
      const base = this.#vault.blob(ARCHIVE, version.target);
      if (!base || !holds(base, version)) {
        this.say('P1', `${version.etag} is at the source and not in the archive after ${after}`, version.name);
      }
      const receipt = this.receipts().find(({ source }) => source.etag === version.etag);
      if (receipt?.state !== 'done') {
        this.say('P3', `the receipt of ${version.etag} is ${receipt?.state ?? 'missing'} after ${after}`, version.name);
      }
    }
  }

  /** Judges a play without trouble, in which no claim expired too early. */
  judgeOnce(): void {
    for (const [etag, times] of this.copies) {
      if (times > 1) this.say('P4', `${etag} was copied ${times} times, without any trouble`, etag);
    }
  }

  /** After a reconciliation that archived everything, no poison entry is open. */
  judgePoison(): void {
    for (const { name, etag, state } of this.poison()) {
      if (state === 'open') this.say('P5', `${etag} is archived or gone, and still has an open poison entry`, name);
    }
  }

  /** After a reconciliation at the end of all claims, every receipt has ended. */
  judgeClaims(): void {
    for (const { source, state } of this.receipts()) {
      if (state === 'claimed' || state === 'failed') this.say('P3', `${source.etag} stays ${state}`, source.name);
    }
  }

  say(promise: string, message: string, about: string): void {
    const violation = { promise, message, about };
    this.violations.push(violation);
    this.onViolation(violation);
  }

  #seeUpload({ after, name }: Change): void {
    if (!after || this.#versions.has(after.etag)) return;
    const index = this.#counts.get(name) ?? 0;
    this.#counts.set(name, index + 1);
    const { etag, body, modified } = after;
    this.#versions.set(etag, { name, etag, body, index, target: this.#folderOf(modified, etag) + name });
  }

  #folderOf(modified: number, etag: string): string {
    if (this.#folders === 'none') return '';
    const [, year, month, day, hour, minute, second] = /(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)/.exec(
      new Date(modified).toISOString(),
    )!;
    const folder = `${year}/${month}/${day}/`;
    return this.#folders === 'day' ? folder : `${folder}${hour}${minute}${second}Z-${etag}/`;
  }

  #seeArchive({ name, operation, before, after }: Change): void {
    const version = this.#recorded(after);
    const old = this.#recorded(before);
    if (operation === 'SnapshotBlob' && version) count(this.snapshots, version.etag);
    if (COPYING.has(operation)) {
      if (!version || version.target !== name) {
        this.say('P1', `${operation} wrote ${name} with the record of ${version?.name}`, name);
        return;
      }
      count(this.copies, version.etag);
      if (old && old.index > version.index)
        this.say('P1', `${version.etag} took the place of the newer ${old.etag}`, name);
    }
    if (after && version && isWhole(after) && !after.body.equals(version.body)) {
      this.say('P2', `the archive has other bytes under the record of ${version.etag}`, name);
    }
    for (const done of this.#done) if (done.target === name) this.#mustBeStored(done, `after ${operation}`);
  }

  #seeReceipt({ before, after }: Change): void {
    const [was, is] = [before, after].map((blob) => blob && (JSON.parse(blob.body.toString()) as StoredReceipt));
    const version = this.#versions.get((is ?? was)!.source.etag);
    if (!version) return;
    if (was?.state === 'done' && is && is.state !== 'done') {
      this.say('P2', `the receipt of ${version.etag} was done, and is ${is.state}`, version.name);
    }
    if (!is && this.isPresent(version)) {
      this.say('P2', `the receipt of ${version.etag} is removed, which is at the source`, version.name);
    }
    if (is?.state === 'done') {
      this.#done.add(version);
      this.#mustBeStored(version, 'when its receipt is done');
    }
    if (is?.state === 'missed') {
      if (this.isPresent(version))
        this.say('P2', `${version.etag} is reported as missed and is at the source`, version.name);
      this.#mustBeMissed(version);
    }
  }

  #mustBeStored(version: Version, when: string): void {
    if (!this.isStored(version)) this.say('P2', `${version.etag} is done and not in the archive ${when}`, version.name);
  }

  #mustBeMissed(version: Version): void {
    if (!this.#comesLate && this.isStored(version))
      this.say('P2', `${version.etag} is reported as missed and is in the archive`, version.name);
  }

  #recorded(blob: MemoryBlob | undefined): Version | undefined {
    const etag = blob?.metadata.strongroom_etag;
    return etag === undefined ? undefined : this.#versions.get(etag);
  }

  #documents<T>(prefix: string): T[] {
    return [...this.#vault.blobs()]
      .filter(({ container, blob }) => container === CONTROL && blob.name.startsWith(prefix))
      .map(({ blob }) => JSON.parse(blob.body.toString()) as T);
  }
}

function holds(blob: MemoryBlob, version: Version): boolean {
  return isWhole(blob) && blob.metadata.strongroom_etag === version.etag && blob.body.equals(version.body);
}

function isWhole({ copy }: MemoryBlob): boolean {
  return copy === undefined || copy.status === 'success';
}

function count(counts: Map<string, number>, of: string): void {
  counts.set(of, (counts.get(of) ?? 0) + 1);
}
