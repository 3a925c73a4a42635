import type { Change, MemoryAccount, MemoryBlob } from '../memory/memory-account.ts';
import type { Violation } from '../seeds/played.ts';
import { ARCHIVE, CONTROL, type Folders, RULE, SOURCE } from './stage.ts';

/** One version that the source had. */
export interface Version {
  name: string;
  etag: string;
  body: Buffer;
  /** Among the versions of its name. */
  index: number;
  /** Where it belongs in the archive. */
  target: string;
}

interface Told {
  state: string;
  owner: string;
  source: { name: string; etag: string };
}

interface Entry {
  name: string;
  etag?: string;
  state: string;
}

const COPYING = new Set(['CopyBlobFromURL', 'CopyBlob', 'PutBlockList']);
const RECEIPTS = `archives/${RULE}/receipts/`;
const POISON = `archives/${RULE}/poison/`;

/**
 * Sees every change in storage, remembers every version that the source had, and holds the promises of archiving against what
 * lies there: P1 each version once, none older over a newer one; P2 receipts tell the truth; P3 no claim is for ever; P4 once is
 * enough; P5 what was given up is to be seen. It shares no code with the app but the form of what is stored.
 */
export class ArchiveWitness {
  readonly violations: Violation[] = [];
  /** Copies begun, by the ETag of the source version. */
  readonly copies = new Map<string, number>();
  /** Snapshots taken, likewise. */
  readonly snapshots = new Map<string, number>();
  /** Told of each violation's place in the trace. */
  onViolation: (violation: Violation) => void = () => {};
  readonly #source: MemoryAccount;
  readonly #vault: MemoryAccount;
  readonly #folders: Folders;
  readonly #comesLate: boolean;
  readonly #versions = new Map<string, Version>();
  readonly #counts = new Map<string, number>();
  /** What there is a done receipt of, or was. */
  readonly #done = new Set<Version>();

  /** `comesLate`: copies are made of what was read before, so that one may come after it is given up. */
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

  /** Of all that is at the source now. */
  *present(): Generator<Version> {
    for (const { blob } of this.#source.blobs()) yield this.#versions.get(blob.etag)!;
  }

  isPresent({ name, etag }: Version): boolean {
    return this.#source.blob(SOURCE, name)?.etag === etag;
  }

  /** Whether its very bytes lie where they belong, as base blob or as snapshot. */
  isStored(version: Version): boolean {
    return this.#vault.all(ARCHIVE, version.target).some((blob) => holds(blob, version));
  }

  receipts(): Told[] {
    return this.#documents<Told>(RECEIPTS);
  }

  poison(): Entry[] {
    return this.#documents<Entry>(POISON);
  }

  /** An upload has been given up, and whoever keeps such uploads says that it is done. */
  givenUp(name: string, etag: string | undefined): void {
    const version = etag === undefined ? undefined : this.#versions.get(etag);
    if (!version || !this.isPresent(version) || this.isStored(version)) return;
    const isKept = this.poison().some((entry) => entry.name === name && entry.etag === etag && entry.state === 'open');
    if (!isKept) this.say('P5', `${etag} was given up, and nothing tells of it`, name);
  }

  /** All is well again, and whoever should archive what is left says that it is done. */
  judgeAll(after: string): void {
    this.judge([...this.present()], after);
    for (const version of this.#done) this.#mustBeStored(version, `after ${after}`);
    for (const { source, state } of this.receipts()) {
      const version = this.#versions.get(source.etag);
      if (version && state === 'missed') this.#mustBeMissed(version);
    }
  }

  /** Of these versions, which are at the source. */
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

  /** Where nothing went wrong, and no claim ended before its owner did. */
  judgeOnce(): void {
    for (const [etag, times] of this.copies) {
      if (times > 1) this.say('P4', `${etag} was copied ${times} times, and nothing had gone wrong`, etag);
    }
  }

  /** After a reconcile that archived everything nothing waits for anybody. */
  judgePoison(): void {
    for (const { name, etag, state } of this.poison()) {
      if (state === 'open') this.say('P5', `${etag} is archived or gone, and is still told as given up`, name);
    }
  }

  /** After a reconcile at the end of all claims. */
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
    const [was, is] = [before, after].map((blob) => blob && (JSON.parse(blob.body.toString()) as Told));
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
        this.say('P2', `${version.etag} is told as missed and is at the source`, version.name);
      this.#mustBeMissed(version);
    }
  }

  #mustBeStored(version: Version, when: string): void {
    if (!this.isStored(version)) this.say('P2', `${version.etag} is done and not in the archive ${when}`, version.name);
  }

  #mustBeMissed(version: Version): void {
    if (!this.#comesLate && this.isStored(version))
      this.say('P2', `${version.etag} is told as missed and is in the archive`, version.name);
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
