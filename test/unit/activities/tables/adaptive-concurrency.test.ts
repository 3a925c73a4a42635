import { describe, expect, it } from 'vitest';
import { AdaptiveConcurrency } from '#activities/tables/adaptive-concurrency.ts';
import { StorageError } from '#storage/storage-error.ts';

/** A service that takes so many requests at once. */
class Busy {
  takes = Number.POSITIVE_INFINITY;
  /** How many were under way, each time that one came. */
  readonly seen: number[] = [];
  #underWay = 0;

  ask = async (): Promise<string> => {
    const now = ++this.#underWay;
    this.seen.push(now);
    await new Promise(setImmediate);
    this.#underWay--;
    if (now > this.takes) throw new StorageError('throttled', 'Too busy', 503);
    return 'done';
  };
}

const many = (concurrency: AdaptiveConcurrency, { ask }: Busy, count: number) =>
  Promise.allSettled(Array.from({ length: count }, () => concurrency.run(ask)));
const failed = (results: PromiseSettledResult<string>[]) =>
  results.filter(({ status }) => status === 'rejected').length;

describe('AdaptiveConcurrency', () => {
  it('AdaptiveConcurrency runs no more work at once than it may', async () => {
    const busy = new Busy();
    expect(failed(await many(new AdaptiveConcurrency(8, 3), busy, 50))).toBe(0);
    expect(busy.seen).toHaveLength(50);
    expect(Math.max(...busy.seen)).toBe(8);
  });

  it('AdaptiveConcurrency slows down to the rate that the service takes, and finishes everything', async () => {
    const busy = new Busy();
    busy.takes = 1;
    expect(failed(await many(new AdaptiveConcurrency(16, 5), busy, 100))).toBe(0);
    expect(Math.max(...busy.seen.slice(40))).toBeLessThan(4);
  });

  it('AdaptiveConcurrency speeds up again when the service does', async () => {
    const busy = new Busy();
    const concurrency = new AdaptiveConcurrency(16, 5);
    busy.takes = 1;
    await many(concurrency, busy, 30);
    busy.takes = Number.POSITIVE_INFINITY;
    busy.seen.length = 0;
    await many(concurrency, busy, 200);
    expect(Math.max(...busy.seen)).toBe(16);
  });

  it('AdaptiveConcurrency fails permanently in the end, and reports later work as early as it can', async () => {
    const busy = new Busy();
    const concurrency = new AdaptiveConcurrency(16, 5);
    busy.takes = 0;
    expect(failed(await many(concurrency, busy, 100))).toBe(100);
    expect(busy.seen.length).toBeLessThan(150);
    expect(busy.seen.slice(-50).filter((now) => now === 16)).not.toHaveLength(0);
  });

  it('AdaptiveConcurrency waits with full patience again after any success', async () => {
    const busy = new Busy();
    const concurrency = new AdaptiveConcurrency(1, 3);
    for (let turn = 0; turn < 10; turn++) {
      let left = 3;
      const ask = () => {
        busy.takes = left-- > 0 ? 0 : 1;
        return busy.ask();
      };
      expect(await concurrency.run(ask)).toBe('done');
    }
  });

  it('AdaptiveConcurrency passes on any other failure', async () => {
    const error = new StorageError('invalid', 'No', 400);
    await expect(new AdaptiveConcurrency(1, 3).run(() => Promise.reject(error))).rejects.toBe(error);
  });
});
