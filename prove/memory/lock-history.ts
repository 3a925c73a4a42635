import type { MemoryBlob } from './memory-account.ts';

interface Lock {
  served?: object;
  epoch: number;
  run: { id: string } | null;
  cancel: boolean;
  turn: number;
}

/**
 * Why the lock of a job cannot go from one state to the next, or undefined. A run takes a lock that is free or whose
 * holder has ended; the epoch grows by one. The lock becomes free after its holder has ended. Until then, a request to
 * cancel may arrive, and it stays. A write that follows from an older state breaks these rules, even if no run comes to
 * harm. Marks of schedules may change at any time, and none goes.
 */
export function brokenLock(
  before: MemoryBlob | undefined,
  after: MemoryBlob,
  hasEnded: (run: string) => boolean,
): string | undefined {
  const was = before ? lockIn(before) : { epoch: 0, run: null, cancel: false, turn: 0 };
  const is = lockIn(after);
  for (const what of Object.keys(was.served ?? {})) {
    if (!Object.hasOwn(is.served ?? {}, what)) return `the mark of the last ${what} was lost`;
  }
  const holder = was.run?.id;
  const isTaken = is.run !== null && is.run.id !== holder;
  if (is.epoch !== was.epoch + (isTaken ? 1 : 0)) {
    return `the epoch went from ${was.epoch} to ${is.epoch}, and ${isTaken ? 'a' : 'no'} run took the lock`;
  }
  const isMarked = JSON.stringify(is.served) !== JSON.stringify(was.served);
  if (is.turn < was.turn) return `the turn went from ${was.turn} to ${is.turn}`;
  // A deep verification counts its turn, whichever run has the lock.
  if (holder === undefined) {
    return isTaken || isMarked || is.turn > was.turn ? undefined : 'a free lock was released';
  }
  if (is.run?.id === holder)
    return was.cancel && !is.cancel ? `the request to cancel run ${holder} was lost` : undefined;
  return hasEnded(holder) ? undefined : `run ${holder} lost the lock before it ended`;
}

function lockIn({ body }: MemoryBlob): Lock {
  return { turn: 0, ...JSON.parse(body.toString()) };
}
