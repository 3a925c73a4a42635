import { byUtf16 } from '#domain/blobs/name-order.ts';
import type { Traits } from '../../../prove/memory/memory-account.ts';

/** An account in memory that does all there is, at once, and surprises nobody; laid over it, what a test wants otherwise. */
export function plainTraits(own: Partial<Traits> & Pick<Traits, 'now'>): Traits {
  return {
    compare: byUtf16,
    page: (limit) => limit,
    tiers: ['Hot', 'Cool', 'Cold', 'Archive'],
    tags: true,
    unsupported: [],
    staysPending: () => false,
    started: () => {},
    changed: () => {},
    ...own,
  };
}
