import type { z } from 'zod';

/** What a strict schema names: each member, even one that may be absent, because it refuses objects with any other. */
export type Members<T> = Record<keyof T, z.ZodType>;
