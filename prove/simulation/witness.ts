import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { type JudgedPoint, judgeComparison } from '../../test/support/judge/comparison.ts';
import { carriedMetadata } from '../memory/carried-metadata.ts';
import { brokenLock } from '../memory/lock-history.ts';
import type { Change, MemoryAccount, MemoryBlob } from '../memory/memory-account.ts';
import type { Violation } from '../seeds/played.ts';

/** What the witness knows of a job. Nothing here comes from the app. */
export interface Plan {
  source: MemoryAccount;
  vault: MemoryAccount;
  target: MemoryAccount;
  job: string;
  /** Whether the job selects this blob. */
  selects(container: string, name: string): boolean;
  /** The place of a backup blob of this name, before the prefix of its container. */
  backupOf(container: string, name: string): { container: string; name: string };
  destinations: ReadonlySet<string>;
  addressable(name: string): boolean;
  /** Whether this source blob is denied for good. */
  isDenied(container: string, name: string): boolean;
  /** Whether index tags are always readable and writable; if not, a copy may lack them. */
  tags: boolean;
}

/** One version of a source blob, and the range of changes in which it was present. */
interface Version {
  blob: MemoryBlob;
  from: number;
  to: number;
  /** The change that archived it, if any. */
  archived: number[];
}

export interface Entry {
  container: string;
  name: string;
  status: string;
  etag: string;
  vaultEtag?: string;
  vaultName?: string;
  metadata?: Record<string, string>;
  code?: string;
  message?: string;
  /** The run whose part names it. */
  by: string;
}

interface Run {
  id: string;
  epoch: number;
  mode: string;
  restore?: { point: string };
  verify?: { point: string; kind: string };
  dryRun: boolean;
  retryOf?: string;
  /** The number of the change by which the run got the lock. */
  from: number;
  summary?: Summary;
  sha256?: string;
  entries?: Entry[];
}

export interface Summary {
  id: string;
  status: string;
  restorePoint: boolean;
  counts: Record<'listed' | 'copied' | 'unchanged' | 'skipped' | 'failed', number>;
  containers: { container: string; status: string; counts: Record<string, number> }[];
  parts: { path: string; container: string; destination: string; sha256: string; [count: string]: unknown }[];
  problems: { code: string; container?: string; count: number; message: string }[];
  compared: Summary['parts'];
  noLongerHeld?: JudgedPoint['counts'];
  verify?: { point: string; kind: string };
  restore?: { point: string };
}

const CONTROL = 'strongroom';
/** Drills restore to containers of this prefix. */
const SCRATCH = 'strongroom-drill-';
const TYPES = ['block', 'page', 'append'];
const COUNTS = ['copied', 'unchanged', 'skipped', 'failed'] as const;

/**
 * Sees every change in storage when it happens, remembers every version of the source, and compares the vault with
 * them. It reads parts and summaries with code of its own.
 */
export class Witness {
  readonly violations: Violation[] = [];
  readonly runs = new Map<string, Run>();
  /** The actor of the present change. */
  actor: 'app' | 'owner' | 'stranger' = 'app';
  changes = 0;
  /** Called when a run is published, and when a run gets the lock. */
  onSummary: (run: { id: string; summary: Summary }) => void = () => {};
  onLock: (id: string) => void = () => {};
  readonly #plan: Plan;
  readonly #versions = new Map<string, Version[]>();
  /** Source blobs by the place of their backup blob. */
  readonly #origins = new Map<string, { container: string; name: string }>();
  /** Entries of restore points, by the place of the backup blob. */
  readonly #promised = new Map<string, { run: string; entry: Entry; since: number }[]>();
  /** The last change by which another writer overwrote a blob in the vault. */
  readonly #tampered = new Map<string, number>();
  #epoch = 0;
  #lastPoint: JudgedPoint | undefined;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  see(change: Change): void {
    this.changes++;
    const { account, container, name, operation } = change;
    if (account === this.#plan.target || container.startsWith(SCRATCH)) return;
    if (account === this.#plan.source) this.#seeSource(change);
    else if (container === CONTROL) this.#seeControl(change);
    else this.#seeBackup(change);
    if (this.actor === 'app' && account === this.#plan.source) {
      this.#broken('I5', `the app changed the source: ${operation}`, place(container, name));
    }
  }

  say(promise: string, message: string, about: string): void {
    this.#broken(promise, message, about);
  }

  /** Whether the metadata of a blob can be sent unchanged; if not, its copies have no record. */
  canCarryRecord(container: string, name: string): boolean {
    const { metadata = {} } = this.#plan.source.blob(container, name) ?? {};
    return Object.values(metadata).every((value) => /^[\x21-\x7e]*$/.test(value));
  }

  /** How often a blob was written since a change. */
  edits(container: string, name: string, from: number): number {
    return (this.#versions.get(place(container, name)) ?? []).filter((version) => version.from > from).length;
  }

  /** Compares the backup containers with the present source in full. */
  compareBackups(): void {
    for (const { container, blob } of this.#plan.source.blobs()) {
      const { name } = blob;
      if (!this.#plan.selects(container, name) || !this.#plan.addressable(name)) continue;
      if (blob.isDirectory || this.#plan.isDenied(container, name)) continue;
      const places = this.#placesOf(container, name);
      const found = places.find((at) => this.#plan.vault.blob(at.container, at.name)?.type === blob.type);
      const at = found ?? places[0]!;
      const backup = this.#plan.vault.blob(at.container, at.name);
      const about = place(at.container, at.name);
      if (blob.tier === 'Archive') continue;
      if (!backup) {
        this.#broken('I4', `${place(container, name)} has no backup blob after a run without faults`, about);
        continue;
      }
      if (backup.copy && backup.copy.status !== 'success') {
        this.#broken('I4', `the copy is ${backup.copy.status} after a run without faults`, about);
      }
      if (!backup.body.equals(blob.body) || backup.size !== blob.size || backup.type !== blob.type) {
        this.#broken('I4', 'the backup blob has other content than the source after a run without faults', about);
      }
      // Without a record, a run does not see changes of metadata, headers and tags.
      if (recordedEtag(backup) !== blob.etag) continue;
      const [theirs, ours] = [{ ...blob, metadata: carriedMetadata(blob.metadata) }, backup].map(
        ({ metadata, headers, tags }) =>
          JSON.stringify([sorted(headers), sorted(withoutRecord(metadata)), this.#plan.tags ? sorted(tags) : '']),
      );
      if (theirs !== ours) {
        this.#broken('I7', `the backup blob has ${ours} where the source has ${theirs}`, about);
      }
    }
  }

  /** Checks that no copy is pending. */
  nothingPending(): void {
    for (const { container, blob } of this.#plan.vault.blobs()) {
      if (blob.copy?.status !== 'pending' || !this.#origins.has(place(container, blob.name))) continue;
      const origin = this.#origins.get(place(container, blob.name))!;
      const source = this.#plan.source.blob(origin.container, origin.name);
      if (this.#plan.isDenied(origin.container, origin.name)) continue;
      // No run looks at a copy of a type that the source no longer has.
      if (source?.type !== blob.type) continue;
      // An archived blob cannot be copied, so no run has a reason to abort a stranger's copy of that name.
      if (source.tier === 'Archive' && recordedEtag(blob) === undefined) continue;
      this.#broken('I4', 'a copy is still pending after a run without faults', place(container, blob.name));
    }
  }

  /** Where copies of a source blob may be: under its name, and beside, for each type. */
  #placesOf(container: string, name: string): { container: string; name: string }[] {
    const beside = TYPES.map((type) => `strongroom-types/${type}/${name}`);
    const names = name.startsWith('strongroom-types/') ? beside : [name, ...beside];
    return names.map((each) => this.#plan.backupOf(container, each));
  }

  lock(): { epoch: number; run: { id: string } | null } | undefined {
    const blob = this.#plan.vault.blob(CONTROL, `locks/${this.#plan.job}.json`);
    return blob && JSON.parse(blob.body.toString());
  }

  #seeSource({ container, name, operation, before, after }: Change): void {
    const key = place(container, name);
    for (const at of this.#placesOf(container, name))
      this.#origins.set(place(at.container, at.name), { container, name });
    const versions = this.#versions.get(key) ?? [];
    this.#versions.set(key, versions);
    const last = versions.at(-1);
    if (after && last && before && after.etag === before.etag) {
      // Tier, tags and leases do not belong to a version.
      last.blob = after;
    } else {
      if (last && last.to === Number.POSITIVE_INFINITY) last.to = this.changes;
      if (after) {
        versions.push({ blob: after, from: this.changes, to: Number.POSITIVE_INFINITY, archived: [] });
      }
    }
    if (after?.tier === 'Archive' || before?.tier === 'Archive') versions.at(-1)?.archived.push(this.changes);
    if (operation === 'copy ended well') this.#broken('I5', 'something was copied onto the source', key);
  }

  #seeBackup({ container, name, operation, before, after }: Change): void {
    const key = place(container, name);
    const origin = this.#origins.get(key);
    if (this.actor !== 'app') {
      if (before?.etag !== after?.etag) this.#tampered.set(key, this.changes);
      return;
    }
    if (!this.#plan.destinations.has(container) || !origin) {
      this.#broken('I8', `${operation} outside of the job's own place`, key);
      return;
    }
    if (!after) return;
    const whole = after.copy === undefined || after.copy.status === 'success';
    const etag = recordedEtag(after);
    const versions = this.#versions.get(place(origin.container, origin.name)) ?? [];
    if (whole && etag !== undefined && operation !== 'SnapshotBlob') {
      const version = versions.find(({ blob }) => blob.etag === etag);
      if (!version) this.#broken('I3', `its record names a version ${etag} that never was`, key);
      else if (!sameContent(version.blob, after)) {
        this.#broken('I3', `its record names version ${etag}, and its content is another`, key);
      }
      const earlier =
        before && isWhole(before) ? versions.findIndex(({ blob }) => blob.etag === recordedEtag(before)) : -1;
      const now = versions.findIndex(({ blob }) => blob.etag === etag);
      if (earlier > now) this.#broken('I3', 'a newer copy was replaced by an older one', key);
    }
    if (before && before.type !== after.type) this.#broken('I2', `${operation} changed the type of a backup blob`, key);
    for (const { run, entry, since } of this.#promised.get(key) ?? []) {
      if ((this.#tampered.get(key) ?? -1) >= since) continue;
      const missing = this.#missing(entry);
      if (missing) this.#broken('I2', `${operation} took from restore point ${run} what it names: ${missing}`, key);
    }
  }

  #seeControl({ name, operation, before, after }: Change): void {
    if (after === undefined) {
      this.#broken('I5', 'something of the control container is gone', name);
      return;
    }
    if (name === `locks/${this.#plan.job}.json`) this.#seeLock(before, after, name);
    if (name.startsWith(`jobs/${this.#plan.job}/readers/`)) this.#seeReader(after);
    const inRun = new RegExp(`^jobs/${this.#plan.job}/runs/([^/]+)/(.+)$`).exec(name);
    if (!inRun) return;
    const [, id, path] = inRun;
    if (path === 'signs') {
      const isAppended = after.body.subarray(0, before?.body.length ?? 0).equals(before?.body ?? Buffer.alloc(0));
      if (!isAppended) this.#broken('I3', `${operation} changed an earlier sign of life`, name);
    } else if (before && !path!.startsWith('progress/')) {
      this.#broken('I3', `${operation} wrote over what is written once`, name);
    }
    if (path === 'run.json') this.#seeSummary(id!, JSON.parse(after.body.toString()), after.body);
  }

  #seeLock(before: MemoryBlob | undefined, after: MemoryBlob, name: string): void {
    const lock = JSON.parse(after.body.toString()) as { epoch: number; run: Omit<Run, 'from'> | null };
    const broken = brokenLock(before, after, (id) => this.runs.get(id)?.summary !== undefined);
    if (broken !== undefined) this.#broken('I3', broken, name);
    this.#epoch = lock.epoch;
    if (!lock.run || this.runs.has(lock.run.id)) return;
    this.runs.set(lock.run.id, { ...lock.run, from: this.changes });
    this.onLock(lock.run.id);
  }

  /** A restore or a verification has a lock of its own. */
  #seeReader({ body }: MemoryBlob): void {
    const { run } = JSON.parse(body.toString()) as { run: Omit<Run, 'from'> | null };
    if (!run || this.runs.has(run.id)) return;
    this.runs.set(run.id, { ...run, from: this.changes });
    this.onLock(run.id);
  }

  /** The restore point that a run reads; undefined for a backup. */
  pointOf(id: string): Run | undefined {
    const { restore, verify } = this.runs.get(id) ?? {};
    return this.runs.get((restore ?? verify)?.point ?? '');
  }

  /** What a restore says it has brought back is what the source had. */
  #judgeRestore({ id }: Run, summary: Summary): void {
    const entries = new Map(this.pointOf(id)!.entries!.map((entry) => [place(entry.container, entry.name), entry]));
    for (const part of summary.parts) {
      for (const { name, status } of this.#readPart(part, id)) {
        if (status !== 'copied' && status !== 'unchanged') continue;
        const key = place(part.container, name);
        const versions = this.#versions.get(key) ?? [];
        const was = versions.find(({ blob }) => blob.etag === entries.get(key)?.etag)?.blob;
        const there = this.#plan.target.blob(part.destination, name);
        if (was && there && isWhole(there) && sameContent(was, there)) continue;
        this.#broken('restore', `run ${id} restored ${name}, and what is there is not what the source had`, key);
      }
    }
  }

  #seeSummary(id: string, summary: Summary, body: Buffer): void {
    const run = this.runs.get(id);
    if (!run) {
      this.#broken('I3', `run ${id} has a summary and never had the lock`, id);
      return;
    }
    run.summary = summary;
    run.sha256 = createHash('sha256').update(body).digest('hex');
    const { restorePoint, status } = summary;
    if (run.restore && !run.dryRun) this.#judgeRestore(run, summary);
    if (
      restorePoint !==
      (!this.pointOf(id) && !run.dryRun && (status === 'succeeded' || status === 'completed-with-failures'))
    ) {
      this.#broken('I1', `a run that ${status} has restorePoint ${restorePoint}`, id);
    }
    if (restorePoint && this.#epoch !== run.epoch) {
      this.#broken('I3', `run ${id} became a restore point after another run had taken its lock`, id);
    }
    for (const { code, message } of summary.problems) {
      if (code === 'inconsistent') this.#broken('I1', `run ${id} does not add up: ${message}`, id);
    }
    if (restorePoint) this.#judge(run, summary);
    this.onSummary({ id, summary });
  }

  /** Judges a restore point by its parts and by all changes so far. */
  #judge(run: Run, summary: Summary): void {
    const { id } = run;
    const entries = new Map<string, Entry[]>();
    const sums = { copied: 0, unchanged: 0, skipped: 0, failed: 0 };
    for (const part of summary.parts) {
      const own = part.path.includes(`/runs/${id}/`);
      const lines = this.#readPart(part, id);
      const counts = { copied: 0, unchanged: 0, skipped: 0, failed: 0 };
      for (const line of lines) {
        if ((COUNTS as readonly string[]).includes(line.status)) counts[line.status as (typeof COUNTS)[number]]++;
        else this.#broken('I1', `run ${id} names ${line.name} without an outcome`, id);
        const key = place(part.container, line.name);
        const known = entries.get(key) ?? [];
        // A retry replaces the failures of the earlier run.
        const by = part.path.split('/')[3]!;
        const entry = { ...line, container: part.container, by };
        entries.set(key, [...known.filter((earlier) => earlier.status !== 'failed' || earlier.by === by), entry]);
      }
      for (const count of COUNTS) {
        if (part[count] !== counts[count])
          this.#broken('I1', `part ${part.path} has ${counts[count]} ${count} and claims ${part[count]}`, id);
        if (own) sums[count] += counts[count];
      }
    }
    // An unknown order concerns a whole container, too, and is not a failure.
    const given = summary.problems.filter(({ count, code }) => count === 0 && code !== 'order-unknown');
    const troubled = new Set(given.flatMap(({ container }) => container ?? []));
    if (troubled.size === 0) {
      for (const count of COUNTS) {
        if (summary.counts[count] !== sums[count])
          this.#broken(
            'I1',
            `run ${id} claims ${summary.counts[count]} ${count}, and its parts have ${sums[count]}`,
            id,
          );
      }
    }
    const { listed, copied, unchanged, skipped, failed } = summary.counts;
    if (troubled.size === 0 && listed !== copied + unchanged + skipped + failed) {
      this.#broken('I1', `run ${id} listed ${listed} and settled ${copied + unchanged + skipped + failed}`, id);
    }
    if (summary.status === 'succeeded' && (failed > 0 || troubled.size > 0)) {
      this.#broken('I1', `run ${id} succeeded with ${failed} failures and ${troubled.size} containers left out`, id);
    }
    run.entries = [...entries.values()].flat();
    const from = this.#beginning(run);
    for (const list of entries.values()) {
      if (list.length > 1)
        this.#broken('I1', `run ${id} names ${place(list[0]!.container, list[0]!.name)} ${list.length} times`, id);
      for (const entry of list) this.#judgeEntry(run, entry, from);
    }
    this.#judgeSteady(run, summary, entries, troubled, from);
    this.#judgeComparison(run, summary);
  }

  /** What the restore point before held and this one does not is named. */
  #judgeComparison(run: Run, summary: Summary): void {
    const said = summary.compared.flatMap((part) =>
      this.#readPart(part, run.id).map((line) => ({ ...line, container: part.container })),
    );
    const point = { status: summary.status, lines: run.entries ?? [], said, counts: summary.noLongerHeld };
    for (const wrong of judgeComparison(this.#lastPoint, point)) this.#broken('I10', `run ${run.id}: ${wrong}`, run.id);
    this.#lastPoint = point;
  }

  /** A retry reaches back to the run it completes. */
  #beginning(run: Run): number {
    const earlier = run.retryOf === undefined ? undefined : this.runs.get(run.retryOf);
    return earlier ? this.#beginning(earlier) : run.from;
  }

  #judgeEntry(run: Run, entry: Entry, from: number): void {
    if (entry.status !== 'copied' && entry.status !== 'unchanged') return;
    const at = this.#plan.backupOf(entry.container, entry.vaultName ?? entry.name);
    const key = place(at.container, at.name);
    const promised = this.#promised.get(key) ?? [];
    this.#promised.set(key, [...promised, { run: run.id, entry, since: from }]);
    if ((this.#tampered.get(key) ?? -1) >= from) return;
    const missing = this.#missing(entry);
    if (missing) this.#broken('I1', `restore point ${run.id} names ${entry.name} ${entry.etag}: ${missing}`, key);
  }

  /** Every blob that stayed unchanged since the run began has exactly one entry. */
  #judgeSteady(run: Run, summary: Summary, entries: Map<string, Entry[]>, troubled: Set<string>, from: number): void {
    for (const [key, versions] of this.#versions) {
      const last = versions.at(-1);
      if (!last || last.from > from || last.to !== Number.POSITIVE_INFINITY) continue;
      const [container, name] = key.split('\n') as [string, string];
      if (!this.#plan.selects(container, name) || troubled.has(container)) continue;
      const found = entries.get(key)?.[0];
      if (!found) {
        this.#broken('I1', `run ${run.id} ${summary.status} without a word of ${container}/${name}`, key);
        continue;
      }
      if (found.status === 'copied' || found.status === 'unchanged') {
        if (found.etag !== last.blob.etag) {
          this.#broken('I1', `run ${run.id} has ${name} as ${found.etag}; all the time it was ${last.blob.etag}`, key);
        }
      } else if (found.status === 'skipped') {
        const archived = last.blob.tier === 'Archive' || last.archived.some((at) => at >= from);
        const folder = last.blob.isDirectory === true;
        if (!archived && !folder && this.#plan.addressable(name)) {
          this.#broken('I1', `run ${run.id} skipped ${name} (${found.code}), which was there all the time`, key);
        }
      }
    }
  }

  /** Why the vault lacks the content of an entry; undefined if it has it. */
  #missing(entry: Entry): string | undefined {
    const version = this.#versions
      .get(place(entry.container, entry.name))
      ?.find(({ blob }) => blob.etag === entry.etag);
    if (!version) return 'that version never was';
    const at = this.#plan.backupOf(entry.container, entry.vaultName ?? entry.name);
    const there = this.#plan.vault.all(at.container, at.name).filter(isWhole);
    // The leftovers of a failed copy may have the record, and no content.
    const recorded = there.filter((blob) => recordedEtag(blob) === entry.etag && blob.size === version.blob.size);
    const found =
      recorded.length > 0
        ? recorded
        : there.filter(({ etag, metadata }) => etag === entry.vaultEtag && recordedEtag({ metadata }) === undefined);
    if (found.length === 0) return 'the vault does not hold it';
    const other = found.find((blob) => !sameContent(version.blob, blob));
    if (other) return `the vault holds other content under it (${other.etag})`;
    const all = textOf(version.blob.metadata);
    const isWithAll = recorded.every(({ metadata }) => textOf(entry.metadata ?? withoutRecord(metadata)) === all);
    return isWithAll ? undefined : 'neither its copy nor its entry has all its metadata';
  }

  #readPart(part: Summary['parts'][number], id: string): Entry[] {
    const blob = this.#plan.vault.blob(CONTROL, part.path);
    if (!blob) {
      this.#broken('I2', `part ${part.path} of run ${id} is missing`, id);
      return [];
    }
    if (createHash('sha256').update(blob.body).digest('hex') !== part.sha256) {
      this.#broken('I2', `part ${part.path} of run ${id} has another SHA-256 than run.json says`, id);
    }
    const lines = gunzipSync(blob.body)
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const end = lines.pop()?.end;
    if (end?.items !== lines.length) this.#broken('I2', `part ${part.path} of run ${id} is not whole`, id);
    return lines;
  }

  #broken(promise: string, message: string, about: string): void {
    this.violations.push({ promise, message: message.replaceAll('\n', '/'), about: about.replaceAll('\n', '/') });
  }
}

function place(container: string, name: string): string {
  return `${container}\n${name}`;
}

function isWhole(blob: MemoryBlob): boolean {
  return blob.copy === undefined || blob.copy.status === 'success';
}

function sameContent(a: MemoryBlob, b: MemoryBlob): boolean {
  return a.body.equals(b.body) && a.size === b.size && a.type === b.type;
}

function recordedEtag({ metadata }: { metadata: Record<string, string> }): string | undefined {
  return Object.entries(metadata).find(([key]) => key.toLowerCase() === 'strongroom_etag')?.[1];
}

function textOf(metadata: Record<string, string>): string {
  return JSON.stringify(
    sorted(Object.fromEntries(Object.entries(metadata).map(([key, text]) => [key.toLowerCase(), text]))),
  );
}

function withoutRecord(metadata: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata)
      .map(([key, value]) => [key.toLowerCase(), value] as const)
      .filter(([key]) => !key.startsWith('strongroom_')),
  );
}

function sorted(record: object): [string, string][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}
