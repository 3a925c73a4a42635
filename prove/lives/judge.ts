import { restoredMetadata } from '../memory/carried-metadata.ts';
import type { Change, MemoryAccount, MemoryBlob } from '../memory/memory-account.ts';
import {
  type Chronicle,
  type Entry,
  isHeld,
  isWhole,
  type Line,
  type Notes,
  place,
  type Run,
  recordedEtag,
  SCRATCH,
  SKEW,
  type Stage,
  type Summary,
  sameContent,
  sorted,
} from './chronicle.ts';
import { natureOf } from './owner.ts';

const DAMAGE = new Set(['content-missing', 'content-mismatch', 'damaged']);
const HOUR = 3_600_000;

/** Compares restores, verifications and prunes with the chronicle. */
export class Judge {
  readonly #chronicle: Chronicle;
  readonly #stage: Stage;
  /** The changes by which the owner wrote blobs, by ETag. */
  readonly #owned = new Map<string, number>();
  /** The last change of each place by the owner. */
  readonly #touched = new Map<string, number>();
  /** The restore points of the job at the time of each plan. */
  readonly #planned = new Map<string, string>();
  /** Set once the vault is damaged: from then on, verifications must report it. */
  vandalized = false;

  constructor(chronicle: Chronicle, stage: Stage) {
    this.#chronicle = chronicle;
    this.#stage = stage;
  }

  see({ account, container, name, operation, before, after }: Change): void {
    if (account === this.#stage.vault) return;
    const { actor, changes, runs } = this.#chronicle;
    const about = place(container, name);
    const restores = [...runs.values()].filter(({ restore }) => restore?.account === account.alias);
    if (actor !== 'app') {
      // A restore may finish its own copy, though the owner has tagged it meanwhile.
      const isBeingMade = after?.etag === before?.etag && restores.some(({ published }) => published === undefined);
      if (after && !isBeingMade) this.#owned.set(after.etag, changes);
      this.#touched.set(account.alias + about, changes);
      return;
    }
    if (restores.length === 0 || after === undefined) {
      this.#chronicle.say('I5', `the app changed ${account.alias}: ${operation}`, about);
    }
    const made = before && this.#owned.get(before.etag);
    if (before === undefined || made === undefined || after?.etag === before.etag) return;
    const mayReplace = restores.some(
      ({ restore, published }) => /overwrite|if-different/.test(restore!.existing) && (published ?? changes) > made,
    );
    if (!mayReplace) this.#chronicle.say('I5', `a restore wrote over what it was to leave: ${operation}`, about);
    if (!account.all(container, name).some(({ etag }) => etag === before.etag)) {
      this.#chronicle.say('I2', `a restore wrote over what was there and kept nothing of it: ${operation}`, about);
    }
  }

  judgeSummary(run: Run, summary: Summary): void {
    if (run.restore && !run.dryRun) this.#judgeRestore(run, summary);
    if (run.mode === 'verify' && !this.vandalized) this.#judgeSound(summary);
    if (summary.plan && run.dryRun) this.#planned.set(run.id, idsOf(this.#chronicle.kept(run.job)));
    if (run.prune?.plan && summary.status === 'succeeded') this.#judgeTimely(run, run.prune.plan.run);
  }

  /** Compares the target with a restore point in full: nothing missing, nothing else. */
  compareInFull(point: Run, target: MemoryAccount): void {
    const wanted = new Map(
      [...point.entries.values()].filter(isHeld).map((entry) => [place(entry.container, entry.name), entry]),
    );
    for (const { container, blob } of target.blobs()) {
      if (!wanted.has(place(container, blob.name))) {
        this.#chronicle.say(
          'restore',
          `restore point ${point.id} brought more than it has`,
          place(container, blob.name),
        );
      }
    }
    for (const entry of wanted.values()) {
      this.#compare(point, entry, target.blob(entry.container, entry.name), undefined);
    }
  }

  /** Every container returns, also an empty one, with its metadata, and nothing opens it to others. */
  compareContainers(point: Run, target: MemoryAccount, summary: Summary | undefined): void {
    const unread = new Set(
      summary?.problems.filter(({ code }) => code === 'properties-not-read').map(({ container }) => container),
    );
    for (const { container, status } of summary?.containers ?? []) {
      if (status !== 'succeeded' || target.properties(container)) continue;
      this.#chronicle.say('restore', `restore point ${point.id}: a container was not made`, container);
    }
    const held = new Set([...point.entries.values()].filter(isHeld).map(({ container }) => container));
    for (const container of held) {
      const { metadata, publicAccess, policies = [] } = target.properties(container) ?? {};
      const isAsBefore = JSON.stringify(metadata) === JSON.stringify(natureOf(container).metadata);
      if (!isAsBefore && !unread.has(container)) {
        this.#chronicle.say('restore', `restore point ${point.id}: a container has other metadata`, container);
      }
      if (publicAccess !== undefined || policies.length > 0) {
        this.#chronicle.say('restore', `restore point ${point.id}: a restore opened a container to others`, container);
      }
    }
  }

  /** After the last prune, everything in the vault is needed or may not be deleted. */
  judgeTidy(): void {
    const { vault } = this.#stage;
    for (const { container, blob: base } of vault.blobs()) {
      // The next drill deletes what one that was ended has left.
      if (container.startsWith(SCRATCH)) continue;
      if (container === 'strongroom') {
        this.#judgeLeft(base.name);
        continue;
      }
      // A prune empties nothing then.
      if (this.#chronicle.isBraked()) continue;
      const all = vault.all(container, base.name);
      const stays = all.filter((blob) => this.#mayStay(container, blob));
      const about = place(container, base.name);
      for (const blob of all) {
        if (stays.includes(blob)) continue;
        if (blob === base && (stays.length > 0 || this.#chronicle.sourceOf(container, base))) continue;
        const what = blob === base ? 'base blob' : 'snapshot';
        this.#chronicle.say(
          'I4',
          `a ${what} (${recordedEtag(blob)}) that nothing needs is left after the last prune`,
          about,
        );
      }
    }
  }

  #mayStay(container: string, blob: MemoryBlob): boolean {
    // Blobs from clocks that were ahead count as young.
    const isYoung = blob.modified > this.#stage.vaultNow() - 2 * HOUR;
    return this.#chronicle.isClaimed(container, blob) || recordedEtag(blob) === undefined || !isWhole(blob) || isYoung;
  }

  #judgeLeft(path: string): void {
    const id = /^jobs\/[^/]+\/(?:runs|restore-points)\/([^/.]+)/.exec(path)?.[1];
    const run = id === undefined ? undefined : this.#chronicle.runs.get(id);
    if (!run?.gone) return;
    this.#chronicle.say('I4', `something of restore point ${run.id} is left, which is gone`, path);
  }

  /** Judges a change of the notes of a restore point. */
  judgeNotes(run: Run, before: Notes): void {
    const { notes } = run;
    const { removed } = notes;
    if (before.removed && !removed) this.#judgeReturn(run, before.removed);
    const was = before.removed;
    if (was?.emptied && !was.by && !(removed?.emptied && !removed.by)) {
      this.#chronicle.say('I5', `restore point ${run.id} seems whole again, while its content is deleted`, run.id);
    }
    if (!removed) return;
    if (!before.removed) this.#judgeRemoval(run, removed.run);
    if (removed.emptied !== undefined && before.removed?.emptied === undefined) {
      const margin = this.#chronicle.marginOf(run.job);
      if (Date.parse(removed.at) + margin > this.#stage.vaultNow() + SKEW) {
        this.#chronicle.say('I5', `restore point ${run.id} was emptied before its margin was over`, run.id);
      }
    }
  }

  /**
   * A prune that finds its plan stale during marking may take its marks back, until it has deleted content: what it has
   * only announced, it has not emptied.
   */
  #judgeReturn(run: Run, { run: by, emptied: said, by: announcers }: NonNullable<Notes['removed']>): void {
    const emptied = announcers === undefined ? said : undefined;
    if (emptied === undefined && this.#chronicle.runs.get(by)?.summary === undefined) return;
    if (emptied === undefined && run.unmarked?.some((unmark) => unmark.by === by)) return;
    this.#chronicle.say('I3', `restore point ${run.id} was removed, and is back`, run.id);
  }

  /** The restore points that no policy and no clock may remove. */
  #judgeRemoval(run: Run, by: string): void {
    const own = [...this.#chronicle.kept(run.job), run];
    const time = ({ summary }: Run) => Date.parse(summary!.startedAt);
    const newestFirst = [...own].sort((a, b) => time(b) - time(a) || (a.id < b.id ? 1 : -1));
    const made = this.#chronicle.points.filter((point) => own.includes(point));
    const isGood = ({ summary }: Run) => summary!.status === 'succeeded';
    const say = (what: string) => this.#chronicle.say('I5', `${by} removes restore point ${run.id}, ${what}`, run.id);
    if (!run.summary?.restorePoint) say('which is none');
    if (newestFirst[0] === run) say('the newest');
    if (newestFirst.find(isGood) === run) say('the last good one');
    if (made.at(-1) === run) say('the one that was made last');
    if (newestFirst.find(({ notes }) => isProved(notes)) === run) say('the last verified one');
    if (run.notes.hold) say('which is held');
    const brake = own.find(
      (point) => (point.notes.brake || point.mustBrake) && !point.notes.brake?.released && time(point) >= time(run),
    );
    if (brake) say(`on which the brake of ${brake.id} is`);
    if (newestFirst.some((point) => time(point) > this.#stage.now() + SKEW)) say('while another is in the future');
    const policy = this.#stage.jobs.find(({ name }) => name === run.job)?.retention;
    if (newestFirst.indexOf(run) < (policy?.keepLast ?? 0)) say(`one of the last ${policy?.keepLast}`);
  }

  /** Between a plan and its prune, no restore point may be added or removed. */
  #judgeTimely(run: Run, plan: string): void {
    const isMarked = ({ notes }: Run) => notes.removed?.run === run.id;
    // An operator may take back an older mark while the prune carries out its plan.
    const isBack = ({ unmarked = [] }: Run) => unmarked.some(({ by, at }) => at >= run.from && by !== run.id);
    const own = this.#chronicle.points.filter(({ job }) => job === run.job);
    const there = own.filter(({ gone, notes }) => !gone && !notes.removed).filter((point) => !isBack(point));
    const planned = this.#planned
      .get(plan)
      ?.split(' ')
      .filter((id) => !own.some((each) => each.id === id && isBack(each)));
    if (planned?.join(' ') === idsOf([...there, ...own.filter((point) => isMarked(point) && !isBack(point))])) return;
    this.#chronicle.say('I5', `${run.id} carried out a plan that was out of date`, plan);
  }

  #judgeRestore(run: Run, summary: Summary): void {
    const request = run.restore!;
    const point = this.#chronicle.runs.get(request.point)!;
    const target = request.account === 'SOURCE' ? this.#stage.source : this.#stage.target;
    const seen = new Set<string>();
    for (const part of summary.parts) {
      for (const line of this.#chronicle.linesOf(part.path)) {
        const key = place(part.container, line.name);
        seen.add(key);
        if (!isHeld(line)) continue;
        const entry = point.entries.get(key);
        const name = request.prefix.replaceAll('{container}', part.container) + line.name;
        if (!entry || !isHeld(entry)) {
          this.#chronicle.say('restore', `run ${run.id} restored what ${point.id} has not`, key);
          continue;
        }
        const touched = this.#touched.get(target.alias + place(part.destination, name)) ?? -1;
        if (touched < run.from) this.#compare(point, entry, target.blob(part.destination, name), line);
      }
    }
    if (summary.status !== 'succeeded' || run.retryOf !== undefined) return;
    for (const [key, entry] of point.entries) {
      const isWanted = request.containers.length === 0 || request.containers.includes(entry.container);
      if (!isHeld(entry) || !isWanted || !entry.name.startsWith(request.startsWith) || seen.has(key)) continue;
      this.#chronicle.say('restore', `run ${run.id} succeeded without a word about an entry of ${point.id} has`, key);
    }
  }

  #compare(point: Run, entry: Entry, there: MemoryBlob | undefined, line: Line | undefined): void {
    for (const what of differences(
      this.#chronicle.expected(entry),
      there,
      entry,
      line,
      this.#chronicle.isRecorded(entry),
    )) {
      this.#chronicle.say('restore', `restore point ${point.id}: ${what}`, place(entry.container, entry.name));
    }
  }

  /** An undamaged vault must not be reported as damaged or incomplete. */
  #judgeSound(summary: Summary): void {
    for (const part of summary.parts) {
      for (const { name, code } of this.#chronicle.linesOf(part.path)) {
        if (code === undefined || !DAMAGE.has(code)) continue;
        this.#chronicle.say('verify', `run ${summary.id} reports a sound item as ${code}`, place(part.container, name));
      }
    }
  }
}

/** The differences between an original and its restored blob. */
function differences(
  was: MemoryBlob | undefined,
  there: MemoryBlob | undefined,
  { etag }: Entry,
  line: Line | undefined,
  isRecorded: boolean,
): string[] {
  if (!was) return ['that version never was'];
  if (!there) return ['a blob was not restored'];
  if (!sameContent(was, there) || !isWhole(there)) return ['a blob was restored with other content'];
  const found: string[] = [];
  const compare = (what: string, before: string | undefined, after: string | undefined) => {
    if (before !== after) found.push(`it had ${what} ${before} and was restored with ${after}`);
  };
  // The version that was backed up may have had keys like ours itself.
  if (there.etag !== etag && Object.keys(there.metadata).some((key) => /^strongroom_/i.test(key) && !had(was, key))) {
    found.push(`our record remains: ${JSON.stringify(there.metadata)}`);
  }
  // Without a record, a backup does not see changes that leave content and size unchanged.
  if (!isRecorded) return found;
  // A blob that is still in its place has not been restored.
  const metadata = there.etag === etag ? was.metadata : restoredMetadata(was.metadata);
  compare('metadata', lowered(metadata), lowered(there.metadata));
  const isComplete = Object.keys(metadata).length === Object.keys(was.metadata).length;
  if (line && !isComplete && line.code !== 'metadata-not-kept') {
    found.push('it lacks metadata, and its outcome does not say so');
  }
  compare('headers', sorted(was.headers), sorted(there.headers));
  if (line?.code !== 'tags-not-written') compare('tags', sorted(was.tags), sorted(there.tags));
  const hasTier = was.type === 'block' && was.tier !== undefined;
  if (hasTier && line?.code !== 'tier-not-kept') compare('tier', was.tier, there.tier);
  return found;
}

function idsOf(runs: Run[]): string {
  return runs
    .map(({ id }) => id)
    .sort()
    .join(' ');
}

function had({ metadata }: MemoryBlob, key: string): boolean {
  return Object.keys(metadata).some((own) => own.toLowerCase() === key.toLowerCase());
}

/** Requests for the properties of a blob do not show the case of keys. */
function lowered(metadata: Record<string, string>): string {
  return sorted(Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key.toLowerCase(), value])));
}

function isProved({ proofs = [] }: Notes): boolean {
  const last = [...proofs].sort((a, b) => (a.at < b.at ? -1 : 1)).at(-1);
  return last?.failed === 0 && proofs.some(({ kind, failed }) => kind !== 'drill' && failed === 0);
}
