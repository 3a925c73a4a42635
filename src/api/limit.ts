import { countUpTo } from './count-up-to.ts';

/** The parameter `limit` of a list. */
export function limitUpTo(most: number, byDefault: number) {
  return countUpTo(most).default(byDefault).meta({ type: 'integer', minimum: 1, maximum: most, default: byDefault });
}
