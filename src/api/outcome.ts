import { z } from 'zod';
import { count, text, time } from './fields.ts';

const boundSchema = z.strictObject({ partition: text, row: text.optional() });
const rangeSchema = z.strictObject({ after: boundSchema.optional(), upTo: boundSchema.optional() });
const fileSchema = z.strictObject({ path: text, items: count, bytes: count, sha256: text });

/** What a run did to a blob, an entity or a key range, would do, or does not hold any more. */
export const outcomeSchema = z
  .strictObject({
    ...{ container: text, destination: text, name: text },
    status: z.enum(['copied', 'unchanged', 'skipped', 'failed', 'removed', 'planned', 'no-longer-held']),
    etag: text.optional(),
    modified: time.optional(),
    size: count.optional(),
    type: z.enum(['page', 'append']).optional(),
    ...{ md5: text.optional(), tier: text.optional(), sealed: z.boolean().optional() },
    tags: z.record(text, text).optional(),
    ...{ vaultEtag: text.optional(), vaultName: text.optional() },
    metadata: z.record(text, text).optional(),
    method: z.enum(['sync', 'async', 'blocks', 'properties']).optional(),
    ...{ reason: text.optional(), code: text.optional(), cause: text.optional() },
    ...{ message: text.optional(), hint: text.optional() },
    snapshotOrVersion: z.union([z.strictObject({ snapshot: text }), z.strictObject({ version: text })]).optional(),
    sha256: text.optional(),
    proved: z.strictObject({ sha256: text, run: text, at: time }).optional(),
    overwrites: z.boolean().optional(),
    range: rangeSchema.optional(),
    entities: count.optional(),
    files: z.array(fileSchema).optional(),
    readAt: time.optional(),
    deletionsUnknownSince: time.optional(),
  })
  .meta({ id: 'Outcome' });

export type ShownOutcome = z.input<typeof outcomeSchema>;
