import type { Outcome } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import { type StoredEntity, timestampOf } from '#domain/tables/entity-text.ts';
import { nameOfKey } from '#domain/tables/table-key.ts';

/** The outcome of one entity that a restore does not write. */
export function entityOutcome(
  { key, text }: StoredEntity,
  status: 'skipped' | 'failed',
  code: ProblemCode,
  message: string | undefined,
): Outcome {
  const about = {
    ...{ name: nameOfKey(key), etag: '', modified: timestampOf(text) ?? '', size: Buffer.byteLength(text), code },
    ...(message !== undefined && { message }),
  };
  return status === 'skipped' ? { ...about, status } : { ...about, status };
}
