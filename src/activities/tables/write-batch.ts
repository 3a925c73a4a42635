import { setTimeout as sleep } from 'node:timers/promises';
import { restoreProblemCode } from '#app/restore-problem-code.ts';
import type { OutcomeStatus } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import { type StoredEntity, sameEntity } from '#domain/tables/entity-text.ts';
import { nameOfKey } from '#domain/tables/table-key.ts';
import { isStorageError, type StorageError } from '#storage/storage-error.ts';
import type { EntityWrite, TableAccount } from '#storage/table-account.ts';
import type { AdaptiveConcurrency } from './adaptive-concurrency.ts';
import { presentInTarget } from './present-in-target.ts';

/** Where and how entities are written. */
export interface WriteContext {
  target: TableAccount;
  table: string;
  write: EntityWrite;
  /** The outcome of an entity that is already there and equal: this run may have written it, or it was there before. */
  same: 'copied' | 'unchanged';
  /** The outcome of an entity that is there and differs. */
  other: 'failed' | 'skipped';
  signal: AbortSignal;
  concurrency?: AdaptiveConcurrency;
  /** Whether to create a missing table. Otherwise that is thrown: everything written to the table before is lost. */
  makesTable?: boolean;
}

export type Settle = (
  entity: StoredEntity,
  status: Exclude<OutcomeStatus, 'removed'>,
  code?: ProblemCode,
  message?: string,
) => void;

/** How often a transaction that met another writer is repeated, and the delay, which grows with each repetition. */
const MOST_CONFLICTS = 4;
const CONFLICT_DELAY_MS = 25;
/** How often a missing table is created: another process may delete it once more. */
const MOST_CREATIONS = 2;

/**
 * Writes entities of one partition, in one transaction if the service accepts it, and settles each of them: an entity
 * at fault does not keep the others from being written. Throws only if the signal stops it, or the table is missing.
 * Safe to run twice, also at the same time: an entity that is there and equal is what was to be written.
 */
export async function writeBatch(context: WriteContext, batch: readonly StoredEntity[], settle: Settle): Promise<void> {
  if (batch.length === 0) return;
  try {
    await send(context, batch);
  } catch (error) {
    if (!isStorageError(error) || error.kind === 'aborted') throw error;
    if (error.kind === 'container-not-found' && !context.makesTable) throw error;
    return settleRefused(context, batch, error, settle);
  }
  for (const entity of batch) settle(entity, 'copied');
}

async function send(context: WriteContext, batch: readonly StoredEntity[]): Promise<void> {
  const { target, table, write, signal, concurrency } = context;
  const attempt = () =>
    batch.length === 1
      ? target.writeEntity(table, write, batch[0]!, signal)
      : target.writeEntities(table, write, batch, signal);
  let creations = 0;
  let conflicts = 0;
  for (;;) {
    try {
      return await (concurrency ? concurrency.run(attempt) : attempt());
    } catch (error) {
      if (!isStorageError(error) || signal.aborted) throw error;
      const isMissing = error.kind === 'container-not-found' && context.makesTable;
      const isConflict = error.kind === 'precondition' && write !== 'insert';
      if (isMissing && creations++ < MOST_CREATIONS) await target.createTable(table);
      else if (isConflict && conflicts++ < MOST_CONFLICTS) await sleep(CONFLICT_DELAY_MS * conflicts);
      else throw error;
    }
  }
}

/** Finds the entities at fault in a batch that the service refused, and writes the others. */
async function settleRefused(
  context: WriteContext,
  batch: readonly StoredEntity[],
  refused: StorageError,
  settle: Settle,
): Promise<void> {
  const isConflict = refused.kind === 'precondition';
  if (isConflict && context.write === 'insert') return settlePresent(context, batch, refused, settle);
  // An entity that another writer changes all the time is no reason to leave the others.
  if (batch.length === 1 || !(isOfEntities(refused) || isConflict)) return failAll(batch, refused, settle);
  const { at } = refused;
  if (at === undefined || at < 0 || at >= batch.length) return writeHalves(context, batch, settle);
  // Alone, it shows whether it was really at fault.
  await writeBatch(context, [batch[at]!], settle);
  return writeBatch(context, batch.toSpliced(at, 1), settle);
}

/** Settles the entities of a batch that are already there, and writes the others. */
async function settlePresent(
  context: WriteContext,
  batch: readonly StoredEntity[],
  refused: StorageError,
  settle: Settle,
): Promise<void> {
  let present: Map<string, string>;
  try {
    present = await presentInTarget(context, batch);
  } catch (error) {
    if (!isStorageError(error) || error.kind === 'aborted') throw error;
    return failAll(batch, error, settle);
  }
  const missing: StoredEntity[] = [];
  for (const entity of batch) {
    const text = present.get(nameOfKey(entity.key));
    if (text === undefined) missing.push(entity);
    else if (sameEntity(text, entity.text)) settle(entity, context.same);
    else settle(entity, context.other, 'target-exists');
  }
  if (missing.length < batch.length) return writeBatch(context, missing, settle);
  // The service refused the batch, and none of its entities is found: too many others are between them, or another
  // process has just deleted them.
  if (batch.length === 1) return failAll(batch, refused, settle);
  return writeHalves(context, batch, settle);
}

async function writeHalves(context: WriteContext, batch: readonly StoredEntity[], settle: Settle): Promise<void> {
  const middle = batch.length >> 1;
  await writeBatch(context, batch.slice(0, middle), settle);
  await writeBatch(context, batch.slice(middle), settle);
}

function failAll(batch: readonly StoredEntity[], error: StorageError, settle: Settle): void {
  const code = isOfEntities(error) ? 'entity-refused' : restoreProblemCode(error);
  for (const entity of batch) settle(entity, 'failed', code, error.message);
}

/** Whether the service refuses the entities themselves. */
function isOfEntities({ kind }: StorageError): boolean {
  return kind === 'invalid' || kind === 'too-large' || kind === 'unsupported';
}
