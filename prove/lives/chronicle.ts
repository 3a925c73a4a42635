import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { Job } from '#config/configuration.ts';
import { type JudgedLine, type JudgedPoint, judgeComparison } from '../../test/support/judge/comparison.ts';
import { brokenLock } from '../memory/lock-history.ts';
import type { Change, MemoryAccount, MemoryBlob } from '../memory/memory-account.ts';
import type { Violation } from '../seeds/played.ts';

/** One line of a manifest. */
export interface Line {
  name: string;
  status: string;
  etag: string;
  size: number;
  message?: string;
  code?: string;
  reason?: string;
  tier?: string;
  tags?: Record<string, string>;
  vaultEtag?: string;
  vaultName?: string;
}

export interface Entry extends Line {
  container: string;
}

/** The part of a run's summary that the judge reads. */
export interface Summary {
  id: string;
  job: string;
  mode: string;
  status: string;
  dryRun: boolean;
  startedAt: string;
  finishedAt: string | null;
  retryOf?: string;
  restorePoint: boolean;
  counts: Record<string, number>;
  containers: { container: string; status: string; counts: Record<string, number> }[];
  parts: { path: string; container: string; destination: string; sha256: string }[];
  compared: { path: string; container: string; sha256: string }[];
  noLongerHeld?: JudgedPoint['counts'];
  problems: { code: string; container?: string; count: number; message: string }[];
  plan?: { hash: string; remove: string[]; expired: string[]; reading: unknown[] };
}

export interface Notes {
  hold?: { at: string };
  brake?: { containers: string[]; released?: string };
  proofs?: { at: string; kind: string; failed: number }[];
  removed?: { at: string; run: string; emptied?: string; by?: string[] };
}

export interface RequestedRestore {
  point: string;
  account: string;
  container: string;
  prefix: string;
  existing: 'fail' | 'skip' | 'overwrite' | 'if-different';
  containers: string[];
  startsWith: string;
}

/** One run, as the vault shows it. */
export interface Run {
  id: string;
  job: string;
  mode: string;
  dryRun: boolean;
  retryOf?: string;
  restore?: RequestedRestore;
  prune?: { plan?: { run: string } };
  /** The number of the change by which the run got the lock. */
  from: number;
  summary?: Summary;
  /** The number of the change by which the run was published. */
  published?: number;
  notes: Notes;
  /** The number of the change by which the run engaged its safety brake. */
  braked?: number;
  /** The entries of its parts so far, by source container and name. */
  entries: Map<string, Entry>;
  /** Whether more of a container has changed than the safety brake allows. */
  mustBrake: boolean;
  /** What it holds, and what it says it no longer holds. */
  judged?: JudgedPoint;
  /** The prunes whose marks an operator has taken back, and the numbers of the changes by which. */
  unmarked?: { by: string; at: number }[];
  /** Whether its manifest has been deleted. */
  gone: boolean;
}

interface ReaderLock {
  run: (Pick<Run, 'id' | 'job' | 'mode' | 'dryRun' | 'restore'> & { verify?: { point: string } }) | null;
  cancel: boolean;
}

/** One version of a source blob, with its properties over time. */
interface Version {
  place: string;
  from: number;
  to: number;
  states: { from: number; blob: MemoryBlob }[];
}

export interface Stage {
  source: MemoryAccount;
  vault: MemoryAccount;
  target: MemoryAccount;
  jobs: readonly Job[];
  /** Milliseconds that the outcomes of a run stay. */
  outcomesMs: number;
  /** The time by the clock of the app, and by that of the vault. */
  now(): number;
  vaultNow(): number;
}

const CONTROL = 'strongroom';
/** Drills restore to containers of this prefix, and delete them. */
export const SCRATCH = 'strongroom-drill-';
const HOUR = 3_600_000;
/** Milliseconds by which the clocks of processes differ. */
export const SKEW = 10_000;

/**
 * Remembers every version of the source and every restore point in the vault. It sees each change in storage when it
 * happens, and reads manifests with code of its own. Nothing here comes from the app.
 */
export class Chronicle {
  readonly violations: Violation[] = [];
  readonly runs = new Map<string, Run>();
  /** Restore points in the order of their publication. */
  readonly points: Run[] = [];
  /** The actor of the present change. */
  actor: 'app' | 'owner' | 'vandal' = 'app';
  changes = 0;
  /** Called when a run is published, and when its notes change. */
  onSummary: (run: Run, summary: Summary) => void = () => {};
  onNotes: (run: Run, before: Notes) => void = () => {};
  /** Called when something of an old run is deleted that left no restore point. */
  onCleared: (id: string) => void = () => {};
  readonly #stage: Stage;
  /** By ETag, which is unique over all accounts. */
  readonly #versions = new Map<string, Version>();
  /** The present or last version of each source blob. */
  readonly #latest = new Map<string, Version>();
  /** The runs with an entry at a place of the vault. */
  readonly #claims = new Map<string, Map<Run, Entry>>();
  readonly #holders = new Map<string, string | undefined>();
  /** The restore points that readers in progress read, by their runs. */
  readonly #readers = new Map<string, string>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  as<T>(actor: Chronicle['actor'], work: () => T): T {
    const before = this.actor;
    this.actor = actor;
    try {
      return work();
    } finally {
      this.actor = before;
    }
  }

  see(change: Change): void {
    this.changes++;
    const { account, container } = change;
    if (account === this.#stage.source) this.#seeSource(change);
    if (account !== this.#stage.vault || this.actor !== 'app') return;
    if (container === CONTROL) this.#seeControl(change);
    else if (!container.startsWith(SCRATCH)) this.#seeBackup(change);
  }

  say(promise: string, message: string, about: string): void {
    this.violations.push({ promise, message: message.replaceAll('\n', '/'), about: about.replaceAll('\n', '/') });
  }

  /** The restore points of a job, or of all jobs, that can still be restored, in order. */
  kept(job?: string): Run[] {
    return this.points.filter((run) => (job === undefined || run.job === job) && !run.notes.removed && !run.gone);
  }

  /** Whether a run protects its entries: it is in progress, or its restore point stays or is within its margin. */
  isNeeded(run: Run): boolean {
    if (run.gone) return false;
    if (run.summary === undefined) return this.#holders.get(run.job) === run.id;
    const { removed } = run.notes;
    if (!run.summary.restorePoint) return false;
    if (this.isRead(run)) return true;
    if (removed?.emptied !== undefined) return false;
    return removed === undefined || Date.parse(removed.at) + this.marginOf(run.job) > this.#stage.vaultNow() + SKEW;
  }

  marginOf(job: string): number {
    return (this.#stage.jobs.find(({ name }) => name === job)?.retention?.marginHours ?? 24) * HOUR;
  }

  /** The blob that a restore of an entry must write, with the tags and tier of the entry. */
  expected(entry: Entry): MemoryBlob | undefined {
    const version = this.#versions.get(entry.etag);
    if (version?.place !== place(entry.container, entry.name)) return undefined;
    return { ...version.states[0]!.blob, tags: entry.tags ?? {}, tier: entry.tier };
  }

  /** Why the vault lacks the content of an entry; undefined if it has it. */
  missing(entry: Entry): string | undefined {
    const version = this.expected(entry);
    if (!version) return 'that version never was';
    const at = this.holderOf(entry);
    const there = this.#stage.vault.all(at.container, at.name).filter(isWhole);
    const recorded = there.filter((blob) => recordedEtag(blob) === entry.etag && blob.size === version.size);
    const unrecorded = () =>
      there.filter(
        (blob) => blob.etag === entry.vaultEtag && recordedEtag(blob) === undefined && sameContent(version, blob),
      );
    if (recorded.length === 0 && unrecorded().length === 0) return 'the vault does not hold it';
    const other = recorded.find((blob) => !sameContent(version, blob));
    return other && `the vault holds other content under it (${other.etag})`;
  }

  /** Whether the vault has a blob with the record of this version. */
  isRecorded(entry: Entry): boolean {
    const at = this.holderOf(entry);
    return this.#stage.vault.all(at.container, at.name).some((blob) => recordedEtag(blob) === entry.etag);
  }

  /** Whether a restore point that stays, or a run in progress, needs this blob of the vault. */
  isClaimed(container: string, blob: MemoryBlob): boolean {
    const own = recordedEtag(blob);
    return [...(this.#claims.get(place(container, blob.name)) ?? [])].some(
      ([run, { etag, vaultEtag }]) => this.isNeeded(run) && (own === etag || vaultEtag === blob.etag),
    );
  }

  /**
   * Whether a safety brake is on that no operator has released; of one backup container, or of any. A prune that has
   * begun `before` another job engages the brake may go on.
   */
  isBraked(container?: string, before = Number.POSITIVE_INFINITY): boolean {
    return this.kept().some(({ notes: { brake }, braked = 0 }) => {
      if (!brake || brake.released || braked > before) return false;
      return (
        container === undefined ||
        brake.containers.some((name) => name === '*' || this.backupOf(name, '').container === container)
      );
    });
  }

  /** The present source blob of a backup blob. One of another type is another blob. */
  sourceOf(container: string, { name, type }: Pick<MemoryBlob, 'name' | 'type'>): MemoryBlob | undefined {
    for (const { container: from, blob } of this.#stage.source.blobs()) {
      if (blob.type !== type) continue;
      const beside = `strongroom-types/${type}/${blob.name}`;
      const names = blob.name.startsWith('strongroom-types/') ? [beside] : [blob.name, beside];
      const places = names.map((each) => this.backupOf(from, each));
      if (places.some((at) => at.container === container && at.name === name)) return blob;
    }
    return undefined;
  }

  /** The place of the vault that holds the content of an entry. */
  holderOf({ container, name, vaultName }: Pick<Entry, 'container' | 'name' | 'vaultName'>): {
    container: string;
    name: string;
  } {
    return this.backupOf(container, vaultName ?? name);
  }

  backupOf(container: string, name: string): { container: string; name: string } {
    // Jobs that share a vault map names in the same way.
    const { destination } = this.#stage.jobs[0]!;
    const expand = (template: string) => template.replaceAll('{container}', container);
    return { container: expand(destination.container), name: expand(destination.prefix) + name };
  }

  linesOf(path: string): Line[] {
    const blob = this.#stage.vault.blob(CONTROL, path);
    if (!blob) return [];
    return gunzipSync(blob.body)
      .toString()
      .trimEnd()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }

  #seeSource({ container, name, before, after }: Change): void {
    const key = place(container, name);
    const last = this.#latest.get(key);
    if (after && last && before?.etag === after.etag) {
      last.states.push({ from: this.changes, blob: after });
      return;
    }
    if (last) last.to = Math.min(last.to, this.changes);
    if (!after) return;
    const to = Number.POSITIVE_INFINITY;
    const version = { place: key, from: this.changes, to, states: [{ from: this.changes, blob: after }] };
    this.#versions.set(after.etag, version);
    this.#latest.set(key, version);
  }

  /** After each change of a blob in the vault, its needed contents must still exist. */
  #seeBackup({ container, name, operation, before, after, snapshot }: Change): void {
    const key = place(container, name);
    const deleted = snapshot ?? before;
    if (operation === 'DeleteBlob' && deleted && recordedEtag(deleted) === undefined) {
      this.say('I5', 'a deleted blob was not certainly made by the app', key);
    }
    if (operation === 'DeleteBlob' && before && after === undefined) this.#judgeBase(container, before);
    if (operation === 'DeleteBlob' && this.isBraked(container, this.#beginningOfPrunes())) {
      this.say('I5', 'something was deleted from a backup container while its safety brake was on', key);
    }
    const claims = this.#claims.get(key);
    if (!claims) return;
    for (const [run, entry] of claims) {
      if (!this.isNeeded(run)) continue;
      const missing = this.missing(entry);
      if (missing === undefined) continue;
      const what = run.summary ? 'restore point' : 'run in progress';
      this.say('I5', `${operation} took from ${what} ${run.id} what it needs: ${missing}`, key);
      claims.delete(run);
    }
  }

  /** A copy whose source exists must not be deleted. A source that appeared during the run may be missed. */
  #judgeBase(container: string, base: MemoryBlob): void {
    const source = this.sourceOf(container, base);
    const from = this.#beginningOfPrunes();
    if (source === undefined || from === undefined || this.#versions.get(source.etag)!.from > from) return;
    this.say('I5', 'a blob was deleted whose source is there', place(container, base.name));
  }

  /** The number of the change by which the first of the prunes in progress began. */
  #beginningOfPrunes(): number | undefined {
    const running = [...this.#holders.values()].map((id) => this.runs.get(id ?? ''));
    const prunes = running.filter((run) => run?.mode === 'prune').map((run) => run!.from);
    return prunes.length === 0 ? undefined : Math.min(...prunes);
  }

  #seeControl({ name, before, after }: Change): void {
    const [, lock] = /^locks\/(.+)\.json$/.exec(name) ?? [];
    const [, reader] = /^jobs\/[^/]+\/readers\/(.+)\.json$/.exec(name) ?? [];
    const [, , id, path] = /^jobs\/([^/]+)\/runs\/([^/]+)\/(.+)$/.exec(name) ?? [];
    const [, noted] = /^jobs\/[^/]+\/restore-points\/([^/]+)\.json$/.exec(name) ?? [];
    if (after === undefined && reader !== undefined) this.#seeReaderRemoved(reader, before!);
    else if (after === undefined) this.#seeRemoval(name, id ?? noted, path);
    else if (lock !== undefined) this.#seeLock(lock, before, after);
    else if (reader !== undefined) this.#seeReader(reader, before, after);
    else if (/^jobs\/[^/]+\/chain\//.test(name)) this.#seeRecord(JSON.parse(after.body.toString()));
    else if (noted !== undefined) this.#seeNotes(noted, JSON.parse(after.body.toString()));
    else if (id !== undefined && path === 'run.json') this.#seeSummary(id, JSON.parse(after.body.toString()));
    else if (id !== undefined && path?.startsWith('manifest/') && !path.endsWith('-compared.ndjson.gz'))
      this.#seePart(id, name);
  }

  #seeRemoval(name: string, id: string | undefined, path: string | undefined): void {
    const run = id === undefined ? undefined : this.runs.get(id);
    // A mark that arrives late may be all that is left of a restore point.
    const isLeftover = run?.gone && path === undefined;
    if (run?.summary && !run.summary.restorePoint && path !== undefined) {
      this.#judgeClearing(run, run.summary, name, path);
      return;
    }
    if (!run?.notes.removed?.emptied && !isLeftover) {
      this.say('I5', 'something was deleted that belongs to no restore point whose time is over', name);
      return;
    }
    if (this.isRead(run)) this.say('I5', `a restore point was deleted while a run reads it`, name);
    run.gone = true;
    const builtOn = this.points.find(
      (point) => this.isNeeded(point) && point.summary!.parts.some((part) => part.path === name),
    );
    if (builtOn) this.say('I5', `a part was deleted that restore point ${builtOn.id} is made of`, name);
    if (path === undefined && this.#stage.vault.blob(CONTROL, `jobs/${run.job}/runs/${run.id}/run.json`)) {
      this.say('I5', 'the notes of a restore point went before its summary', name);
    }
  }

  /** Of an old run that left no restore point, only what no retry and no restore point needs may be deleted. */
  #judgeClearing({ id, job, restore }: Run, summary: Summary, name: string, path: string): void {
    this.onCleared(id);
    const wrong = (why: string) => this.say('I5', `something of run ${id} was deleted: ${why}`, name);
    if (path === 'run.json') wrong('it is its summary');
    // By the clock of the vault: that of the app, by which the summary says when it ended, may be ahead.
    const published = this.#stage.vault.blob(CONTROL, `jobs/${job}/runs/${id}/run.json`);
    const endedAt = published?.modified ?? Date.parse(summary.finishedAt!);
    if (endedAt + this.#stage.outcomesMs > this.#stage.vaultNow() + SKEW) {
      wrong('it has ended not long ago');
    }
    const names = ({ parts, compared }: Summary) => [...parts, ...compared].some((part) => part.path === name);
    const builtOn = this.points.find((point) => !point.gone && names(point.summary!));
    if (builtOn) wrong(`restore point ${builtOn.id} is made of it`);
    const lock = this.#stage.vault.blob(CONTROL, `locks/${job}.json`);
    const { last } = JSON.parse(String(lock?.body)) as { last?: string };
    const retriable = this.runs.get(last ?? '')?.summary;
    if (last === id || (retriable && names(retriable))) wrong(`backup ${last} may be retried`);
    const mayBeRestored = restore && this.kept(job).some((point) => point.id === restore.point);
    const hasFailed = summary.status === 'failed' || summary.status === 'completed-with-failures';
    if (mayBeRestored && hasFailed && !summary.dryRun) wrong('it is a restore that may be retried');
  }

  #seeLock(job: string, before: MemoryBlob | undefined, after: MemoryBlob): void {
    const broken = brokenLock(before, after, (id) => this.runs.get(id)?.summary !== undefined);
    if (broken !== undefined) this.say('I3', broken, job);
    const lock = JSON.parse(after.body.toString()) as { run: Pick<Run, 'id' | 'job' | 'mode' | 'dryRun'> | null };
    this.#holders.set(job, lock.run?.id);
    this.#seeRun(lock.run);
  }

  #seeRun(begun: Pick<Run, 'id' | 'job' | 'mode' | 'dryRun'> | null): void {
    if (!begun || this.runs.has(begun.id)) return;
    const own = { from: this.changes, notes: {}, entries: new Map<string, Entry>(), mustBrake: false, gone: false };
    this.runs.set(begun.id, { ...begun, ...own });
  }

  /** A reader holds its own lock from its start until it has ended, and never again. */
  #seeReader(id: string, before: MemoryBlob | undefined, after: MemoryBlob): void {
    const was = before && (JSON.parse(before.body.toString()) as ReaderLock);
    const is = JSON.parse(after.body.toString()) as ReaderLock;
    if (was && !was.run && is.run) this.say('I3', `reader ${id} has its lock again`, id);
    if (was?.cancel && is.run && !is.cancel) this.say('I3', `the request to cancel reader ${id} was lost`, id);
    this.#seeRun(is.run);
    const point = is.run?.restore?.point ?? is.run?.verify?.point ?? '';
    // One whose restore point is marked already is about to be refused.
    if (is.run && !was && !this.runs.get(point)?.notes.removed) this.#readers.set(id, point);
    if (is.run) return;
    this.#readers.delete(id);
    const run = this.runs.get(id);
    if (!run || run.summary) return;
    // Refused at its start: the restore point was marked meanwhile.
    if (this.#stage.vault.listBlobs(CONTROL, { prefix: `jobs/${run.job}/runs/${id}/` }).blobs.length === 0)
      this.runs.delete(id);
    else this.say('I3', `reader ${id} lost its lock before it ended`, id);
  }

  #seeReaderRemoved(id: string, { body }: MemoryBlob): void {
    if ((JSON.parse(body.toString()) as ReaderLock).run) this.say('I5', `the lock of reader ${id} was deleted`, id);
  }

  /** An operator takes the mark of a prune back. */
  #seeRecord({ kind, point, removed }: { kind: string; point?: string; removed?: { run: string } }): void {
    const run = this.runs.get(point ?? '');
    if (kind !== 'unmark' || !run || !removed) return;
    run.unmarked = [...(run.unmarked ?? []), { by: removed.run, at: this.changes }];
  }

  /** Whether a run in progress reads this restore point. */
  isRead({ id }: Run): boolean {
    return [...this.#readers.values()].includes(id);
  }

  #seeNotes(id: string, notes: Notes): void {
    const run = this.runs.get(id);
    if (!run) {
      this.say('I3', 'notes of a run that never was', id);
      return;
    }
    const before = run.notes;
    if (notes.brake && !before.brake) run.braked = this.changes;
    run.notes = notes;
    this.onNotes(run, before);
  }

  /** A run in progress needs the entries of its parts so far. */
  #seePart(id: string, path: string): void {
    const run = this.runs.get(id);
    if (!run || run.summary || run.dryRun || !isBackup(run.mode)) return;
    const container = path.split('/')[5]!;
    for (const line of this.linesOf(path)) this.#claim(run, { ...line, container });
  }

  #seeSummary(id: string, summary: Summary): void {
    const run = this.runs.get(id);
    if (!run) {
      this.say('I3', `run ${id} has a summary and never had the lock`, id);
      return;
    }
    run.summary = summary;
    run.published = this.changes;
    if (isBackup(run.mode)) this.#judgeBackup(run, summary);
    this.onSummary(run, summary);
  }

  #judgeBackup(run: Run, summary: Summary): void {
    for (const entry of run.entries.values()) {
      const at = this.holderOf(entry);
      this.#claims.get(place(at.container, at.name))?.delete(run);
    }
    run.entries.clear();
    if (!summary.restorePoint) return;
    for (const part of summary.parts) {
      const blob = this.#stage.vault.blob(CONTROL, part.path);
      if (!blob || createHash('sha256').update(blob.body).digest('hex') !== part.sha256) {
        this.say('I2', `part ${part.path} is not what restore point ${run.id} names`, run.id);
        continue;
      }
      // A later part replaces the failures of an earlier one.
      for (const line of this.linesOf(part.path)) this.#claim(run, { ...line, container: part.container });
    }
    for (const entry of run.entries.values()) {
      if (!isHeld(entry)) continue;
      const missing = this.missing(entry);
      if (missing)
        this.say('I1', `restore point ${run.id} names ${entry.container}/${entry.name}: ${missing}`, entry.name);
    }
    this.#judgeSteady(run, summary);
    this.#judgeComparison(run, summary);
    run.mustBrake = this.#hadToBrake(run);
    this.points.push(run);
  }

  #claim(run: Run, entry: Entry): void {
    const key = place(entry.container, entry.name);
    const known = run.entries.get(key);
    if (known && known.status !== 'failed') {
      this.say('I1', `run ${run.id} names ${entry.container}/${entry.name} twice`, entry.name);
    }
    run.entries.set(key, entry);
    if (!isHeld(entry)) return;
    const at = this.holderOf(entry);
    const claims = this.#claims.get(place(at.container, at.name)) ?? new Map<Run, Entry>();
    this.#claims.set(place(at.container, at.name), claims.set(run, entry));
  }

  /** Every blob that stayed unchanged during the run is in the restore point, or named with a reason. */
  #judgeSteady(run: Run, summary: Summary): void {
    const from = this.#beginning(run);
    const left = new Set(summary.problems.flatMap(({ container, count }) => (count === 0 ? (container ?? []) : [])));
    for (const { container, blob } of this.#stage.source.blobs()) {
      const version = this.#latest.get(place(container, blob.name))!;
      const { name } = blob;
      if (version.from > from || left.has(container)) continue;
      const about = place(container, name);
      const entry = run.entries.get(about);
      if (!entry) {
        this.say('I1', `restore point ${run.id} says nothing of ${container}/${name}`, name);
      } else if (isHeld(entry)) {
        if (entry.etag !== blob.etag) {
          this.say('I1', `restore point ${run.id} has ${name} as ${entry.etag}; it was ${blob.etag}`, name);
        }
        const tagged = version.states.some((state) => sameTags(state.blob.tags, entry.tags));
        if (!tagged && entry.tags !== undefined) {
          this.say('I7', `restore point ${run.id} has tags of ${name} that it never had`, name);
        }
        // Changes of tags and tier during the run do not count.
        if (version.states.at(-1)!.from > from) continue;
        const tier = blob.tierInferred ? undefined : blob.tier;
        if (entry.tier !== tier) this.say('I7', `restore point ${run.id} has ${name} in tier ${entry.tier}`, name);
        const tagsMayBeDenied = entry.tags === undefined;
        if (!tagged && !tagsMayBeDenied) this.say('I7', `restore point ${run.id} has other tags of ${name}`, name);
      }
    }
  }

  /** What the restore point before held and this one does not is named. */
  #judgeComparison(run: Run, summary: Summary): void {
    const said = summary.compared.flatMap(({ path, container }) =>
      this.linesOf(path).map((line) => ({ ...line, container })),
    );
    const before = this.points.filter(({ job }) => job === run.job).at(-1);
    const lines = [...run.entries.values()];
    run.judged = { status: summary.status, lines, said, counts: summary.noLongerHeld };
    for (const wrong of judgeComparison(before?.judged, run.judged)) {
      this.say('I10', `restore point ${run.id}, after ${before?.id}: ${wrong}`, run.id);
    }
  }

  /** A retry reaches back to the run it completes. */
  #beginning(run: Run): number {
    const earlier = run.retryOf === undefined ? undefined : this.runs.get(run.retryOf);
    return earlier ? this.#beginning(earlier) : run.from;
  }

  /** Whether more of a container is lost since the restore point before than its policy allows, in one run. */
  #hadToBrake(run: Run): boolean {
    const policy = this.#stage.jobs.find(({ name }) => name === run.job)?.retention?.brake;
    const before = this.points.filter(({ job }) => job === run.job).at(-1);
    // While a brake is on, nothing engages it again; a release may have accepted a turnover.
    const hasBraked = [...this.runs.values()].some(({ job, notes }) => job === run.job && notes.brake);
    if (!policy || !before?.judged || hasBraked) return false;
    const held = [...before.judged.lines].filter(isHeld);
    return [...new Set(held.map(({ container }) => container))].some((container) => {
      const own = held.filter((line) => line.container === container);
      const lost = own.filter((line) => {
        const now = run.entries.get(place(container, line.name));
        if (now && isHeld(now)) return now.etag !== line.etag;
        return now ? now.status === 'skipped' : this.#isDeleted(run, line);
      });
      // What is owed counts as held.
      const owed = before.judged!.said.filter((line) => line.container === container && line.code === 'failed');
      return lost.length * 100 > policy.percent * (own.length + owed.length) && lost.length >= policy.blobs;
    });
  }

  #isDeleted({ judged }: Run, { container, name }: JudgedLine): boolean {
    return judged!.said.some((line) => line.container === container && line.name === name && line.code === 'deleted');
  }
}

export function isHeld({ status }: Pick<Line, 'status'>): boolean {
  return status === 'copied' || status === 'unchanged';
}

export function isBackup(mode: string): boolean {
  return mode === 'full' || mode === 'incremental' || mode === 'retry';
}

export function place(container: string, name: string): string {
  return `${container}\n${name}`;
}

export function isWhole(blob: MemoryBlob): boolean {
  return blob.copy === undefined || blob.copy.status === 'success';
}

export function sameContent(a: MemoryBlob, b: MemoryBlob): boolean {
  return a.body.equals(b.body) && a.size === b.size && a.type === b.type;
}

export function recordedEtag({ metadata }: Pick<MemoryBlob, 'metadata'>): string | undefined {
  return Object.entries(metadata).find(([key]) => key.toLowerCase() === 'strongroom_etag')?.[1];
}

function sameTags(a: Record<string, string>, b: Record<string, string> = {}): boolean {
  return sorted(a) === sorted(b);
}

export function sorted(record: object): string {
  return JSON.stringify(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
