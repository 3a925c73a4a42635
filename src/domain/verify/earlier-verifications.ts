import type { ChainLine } from '../run/chain-record.ts';

/** How many verifications to try, from the newest on, until one has verified the container. */
const MOST_TRIED = 5;

/**
 * The deep verifications that another one of a restore point may build on, newest first, in three lists: of all, of
 * those of this restore point, and of those of the newest restore point. `records` are those of the chain, in order.
 */
export function earlierVerifications(records: readonly Partial<ChainLine>[], ofPoint: string): string[][] {
  const deep = records.filter(({ verify }) => verify === 'deep');
  const newest = deep.reduce((last, { point = '' }) => (point > last ? point : last), '');
  return [undefined, ofPoint, newest].map((wanted) => {
    const some = deep.filter(({ point }) => wanted === undefined || point === wanted);
    return some
      .slice(-MOST_TRIED)
      .reverse()
      .flatMap(({ run }) => run ?? []);
  });
}
