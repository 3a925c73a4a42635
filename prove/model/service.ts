import type { Flaw } from './flaws.ts';
import { AT, type Backup, bit, breach, COPY, type Execution, FOREIGN, type Run, type World } from './world.ts';

/** The storage service: each request is atomic. */

export type Refusal = 'precondition' | 'pending-copy';

function backupIsAsSeen(world: World, seen: Backup, flaw: Flaw | undefined): boolean {
  return world.backup.etag === seen.etag || flaw === 'unpinned destination';
}

/** An atomic copy: Copy Blob From URL, or the commit of blocks. */
export function copyAtomically(
  world: World,
  execution: Execution,
  run: number,
  flaw: Flaw | undefined,
): Refusal | undefined {
  const inBlocks = execution.at === AT.commit;
  if (world.backup.copyStatus === COPY.pending) return 'pending-copy';
  if (!backupIsAsSeen(world, execution.seen, flaw)) return 'precondition';
  // Each block was pinned to the source version when it was staged; the commit does not read the source.
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

/** Copy Blob: the destination is empty until the copy succeeds. */
export function startCopy(
  world: World,
  execution: Execution,
  run: number,
  flaw: Flaw | undefined,
): Refusal | undefined {
  if (world.backup.copyStatus === COPY.pending) return 'pending-copy';
  if (!backupIsAsSeen(world, execution.seen, flaw)) return 'precondition';
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

function overwrite(world: World, execution: Execution, backup: Backup): void {
  const before = world.backup;
  if (execution.trespassing) breach(world, 'I3', 'an activity wrote to the backup that had begun when it might not');
  if (before.content !== FOREIGN && before.record > backup.record && before.record === before.content) {
    breach(world, 'I3', `version ${before.record} in the backup was replaced by the older version ${backup.record}`);
  }
  world.backup = backup;
}

/** Ends the pending copy: the source was unchanged, or not. */
export function finishCopy(world: World, success: boolean): void {
  const { backup } = world;
  backup.etag = world.nextEtag++;
  backup.copyStatus = success ? COPY.success : COPY.failed;
  backup.content = success ? backup.copyOf : 0;
}

export const canSucceed = ({ source, backup }: World): boolean => backup.copyOf === FOREIGN || backup.copyOf === source;

/** Aborts the pending copy of this id; another id, or no pending copy, is refused without effect. */
export function abortCopy(world: World, id: number, flaw: Flaw | undefined): void {
  const { backup } = world;
  if (backup.copyStatus !== COPY.pending) return;
  if (backup.copyId !== id) {
    if (flaw !== 'abort without id') return;
    breach(world, 'I3', 'a copy was aborted that no execution had decided to abort');
  }
  backup.etag = world.nextEtag++;
  backup.copyStatus = COPY.aborted;
  backup.content = 0;
}

export function snapshot(world: World, execution: Execution): Refusal | undefined {
  const { backup } = world;
  if (backup.copyStatus === COPY.pending) return 'pending-copy';
  if (backup.etag !== execution.seen.etag) return 'precondition';
  if (backup.record !== 0 && backup.record === backup.content) world.kept |= bit(backup.record);
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

/** Writes the summary of a run once. False if it exists. */
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

/** Writes a part of the manifest once, unless the flaw lets it be replaced. */
export function writePart(world: World, run: Run, part: 'part' | 'later', write: () => void, flaw: Flaw | undefined) {
  if (run[part] !== 0 && flaw !== 'parts overwritten') return;
  const before = [run[part], run.partSource, run.partCopy, run.laterSource].join();
  write();
  const changed = before !== [run[part], run.partSource, run.partCopy, run.laterSource].join();
  if (run.summary !== 0 && run.summarySource !== 0 && changed) {
    breach(world, 'I2', 'a part of a published restore point was altered');
  }
}
