import { z } from 'zod';

/**
 * A list of a request that selects something: at least one item, because a script that found nothing does not ask for
 * everything.
 */
export function someOf<Item extends z.ZodType>(item: Item, most: number, option: string) {
  return z.array(item).min(1, `the list is empty; add to it, or remove "${option}"`).max(most).default([]);
}
