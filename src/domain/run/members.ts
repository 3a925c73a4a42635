import type { z } from 'zod';

/** What a strict schema must name: each member, also those that may be absent. It refuses an object with another one. */
export type Members<T> = Record<keyof T, z.ZodType>;
