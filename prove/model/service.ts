import type { Flaw } from './flaws.ts';
import { AT, bit, breach, COPY, type Execution, FOREIGN, type Mirror, type Run, type World } from './world.ts';

/** What the storage service does with one request: all of it at once, or nothing. */

export type Refusal = 'precondition' | 'pending-copy';

function mirrorIsAsSeen(world: World, seen: Mirror, flaw: Flaw | undefined): boolean {
  return world.mirror.etag === seen.etag || flaw === 'unpinned destination';
}

/** A copy that is whole at once: Copy Blob From URL, or the commit of blocks. */
export function copyAtomically(
  world: World,
  execution: Execution,
  run: number,
  flaw: Flaw | undefined,
): Refusal | undefined {
  const inBlocks = execution.at === AT.commit;
  if (world.mirror.copyStatus === COPY.pending) return 'pending-copy';
  if (!mirrorIsAsSeen(world, execution.seen, flaw)) return 'precondition';
  // Each block was pinned to the source version when it was staged; the commit reads no source.
  if (!inBlocks && world.source !== execution.source && flaw !== 'unpinned source') return 'precondition';
  const content = inBlocks ? execution.source : world.source;
  overwrite(world, execution, {
    etag: world.nextEtag++,
    record: execution.source,
    run,
    content,
    copyId: inBlocks ? 0 : world.nextCopy++,
    copyStatus: inBlocks ? COPY.none : COPY.success,
    copyOf: 0,
  });
  return undefined;
}

/** Copy Blob: the destination is empty from now on, until the copy succeeds. */
export function startCopy(
  world: World,
  execution: Execution,
  run: number,
  flaw: Flaw | undefined,
): Refusal | undefined {
  if (world.mirror.copyStatus === COPY.pending) return 'pending-copy';
  if (!mirrorIsAsSeen(world, execution.seen, flaw)) return 'precondition';
  if (world.source !== execution.source && flaw !== 'unpinned source') return 'precondition';
  overwrite(world, execution, {
    etag: world.nextEtag++,
    record: execution.source,
    run,
    content: 0,
    copyId: world.nextCopy++,
    copyStatus: COPY.pending,
    copyOf: world.source,
  });
  return undefined;
}

function overwrite(world: World, execution: Execution, mirror: Mirror): void {
  const before = world.mirror;
  if (execution.trespassing) breach(world, 'I3', 'an activity wrote to the mirror that had begun when it might not');
  if (before.content !== FOREIGN && before.record > mirror.record && before.record === before.content) {
    breach(world, 'I3', `version ${before.record} in the mirror was replaced by the older version ${mirror.record}`);
  }
  world.mirror = mirror;
}

/** The pending copy comes to its end: the service found the source as it was, or it did not. */
export function finishCopy(world: World, success: boolean): void {
  const { mirror } = world;
  mirror.etag = world.nextEtag++;
  mirror.copyStatus = success ? COPY.success : COPY.failed;
  mirror.content = success ? mirror.copyOf : 0;
}

export const canSucceed = ({ source, mirror }: World): boolean => mirror.copyOf === FOREIGN || mirror.copyOf === source;

/** Ends the pending copy of this id; with another id, or none pending, it is refused, which is as good. */
export function abortCopy(world: World, id: number, flaw: Flaw | undefined): void {
  const { mirror } = world;
  if (mirror.copyStatus !== COPY.pending) return;
  if (mirror.copyId !== id) {
    if (flaw !== 'abort without id') return;
    breach(world, 'I3', 'a copy was aborted that nobody had decided to abort');
  }
  mirror.etag = world.nextEtag++;
  mirror.copyStatus = COPY.aborted;
  mirror.content = 0;
}

export function snapshot(world: World, execution: Execution): Refusal | undefined {
  const { mirror } = world;
  if (mirror.copyStatus === COPY.pending) return 'pending-copy';
  if (mirror.etag !== execution.seen.etag) return 'precondition';
  if (mirror.record !== 0 && mirror.record === mirror.content) world.kept |= bit(mirror.record);
  return undefined;
}

/** Writes the lock if it is still the version that was read. */
export function writeLock(
  world: World,
  seenVersion: number,
  lock: Omit<World['lock'], 'version'>,
  unpinned: boolean,
): boolean {
  if (world.lock.version !== seenVersion && !unpinned) return false;
  if (lock.epoch < world.lock.epoch) breach(world, 'I3', 'the epoch of the lock went back');
  world.lock = { ...lock, version: world.lock.version + 1 };
  return true;
}

/** The summary of a run: written once. False when there is one. */
export function writeSummary(
  world: World,
  index: number,
  summary: number,
  source: number,
  overwrites: boolean,
): boolean {
  const run = world.runs[index]!;
  if (run.summary !== 0 && !overwrites) return false;
  if (run.summary !== 0 && (run.summary !== summary || run.summarySource !== source)) {
    breach(world, 'I2', 'the summary of a run was replaced by another');
  }
  run.summary = summary;
  run.summarySource = source;
  return true;
}

/** A part of the manifest: written once, unless the flaw lets it be replaced. */
export function writePart(world: World, run: Run, part: 'part' | 'later', write: () => void, flaw: Flaw | undefined) {
  if (run[part] !== 0 && flaw !== 'parts overwritten') return;
  const before = [run[part], run.partSource, run.partCopy, run.laterSource].join();
  write();
  const changed = before !== [run[part], run.partSource, run.partCopy, run.laterSource].join();
  if (run.summary !== 0 && run.summarySource !== 0 && changed) {
    breach(world, 'I2', 'a part of a published restore point was altered');
  }
}
