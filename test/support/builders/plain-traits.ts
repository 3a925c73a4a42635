import { byUtf16 } from '#domain/blobs/name-order.ts';
import type { Traits } from '../../../prove/memory/memory-account.ts';

/** The traits of an account in memory that supports everything and answers at once; a test replaces some of them. */
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
