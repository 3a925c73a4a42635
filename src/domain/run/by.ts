import { z } from 'zod';
import type { Members } from './members.ts';

/**
 * Who started a run, or changed a restore point: a person or app by Microsoft Entra, a key, a caller on the same
 * machine, or a schedule. `name` is that of the user or the key; null if it is not known.
 */
export interface By {
  name: string | null;
  via: 'entra' | 'key' | 'loopback' | 'schedule';
}

export const bySchema = z.strictObject({
  name: z.string().nullable(),
  via: z.enum(['entra', 'key', 'loopback', 'schedule']),
} satisfies Members<By>);

/** In what later versions store, too: nothing depends on who it was. */
export const storedBySchema = z.looseObject({ name: z.string().nullable(), via: z.string() });

export const BY_SCHEDULE: By = { name: null, via: 'schedule' };
