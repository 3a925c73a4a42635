import type { By } from '../run/by.ts';

/** An operator has settled that an upload is not archived. */
export interface Settlement {
  /** ISO 8601. */
  at: string;
  reason: string;
  by: By;
}
