import { z } from 'zod';
import { NO_TIME } from '#domain/input/check-input.ts';

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
export const instant = z.iso.datetime({ offset: true, error: NO_TIME });
