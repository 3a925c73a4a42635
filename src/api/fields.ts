import { z } from 'zod';

/** Fields that several answers have. */

export const text = z.string();
export const texts = z.array(text);
export const count = z.int().nonnegative();
export const counts = z.record(text, z.number());
/** ISO 8601, in UTC. What the vault has under a time is answered as it is. */
export const time = z.string().meta({ format: 'date-time' });
/** What to pass as `cursor` to get the next page. */
export const next = text.nullable();
/** The parameter `cursor` of a list. */
export const cursor = z.string().max(8192);
/** A time in a request. */
export const instant = z.iso.datetime({ offset: true, error: 'this must be a time such as 2026-11-20T23:30:00Z' });
