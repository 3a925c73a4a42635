import { setTimeout as sleep } from 'node:timers/promises';
import type { OutcomeStatus } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import { type StoredEntity, sameEntity } from '#domain/tables/entity-text.ts';
import { keysBefore } from '#domain/tables/keys-before.ts';
import { type EntityKey, type KeyBound, type KeyRange, nameOfKey } from '#domain/tables/table-key.ts';
import { isStorageError, type StorageError } from '#storage/storage-error.ts';
import type { EntityWrite, TableAccount } from '#storage/table-account.ts';
import { codeOf } from '../restore/restore-problem-code.ts';
import type { Pace } from './pace.ts';

/** Where and how entities are written. */
export interface WriteContext {
  target: TableAccount;
  table: string;
  write: EntityWrite;
  /** What to say of an entity that is there already and the same: this run may have written it, or it was there before. */
  same: 'copied' | 'unchanged';
  /** And of one that is there and another. */
  other: 'failed' | 'skipped';
  signal: AbortSignal;
  pace?: Pace;
  /** Whether a table that is not there is made. Else that is thrown: what was written to it before has gone with it. */
  makesTable?: boolean;
}

export type Settle = (
  entity: StoredEntity,
  status: Exclude<OutcomeStatus, 'removed'>,
  code?: ProblemCode,
  message?: string,
) => void;

/** Somebody else may write the same entities: so often a transaction that met them is tried again, after so long times its number. */
const CONFLICTS = 4;
const CONFLICT_DELAY_MS = 25;

/** Pages of other entities that are read between those of a batch, before each of its halves is tried by itself. */
const PAGES = 4;

/**
 * Writes entities of one partition, in one transaction where the service takes it, and says of each what became of it: an entity
 * at fault does not keep the others from being written. Only a stop by the signal is thrown, and a table that has gone. Safe to run twice, also at the same
 * time: what is there and the same is what was to be written.
 */
export async function writeBatch(place: WriteContext, batch: readonly StoredEntity[], settle: Settle): Promise<void> {
  if (batch.length === 0) return;
  try {
    await send(place, batch);
    for (const entity of batch) settle(entity, 'copied');
  } catch (error) {
    if (!isStorageError(error) || error.kind === 'aborted') throw error;
    if (error.kind === 'container-not-found' && !place.makesTable) throw error;
    if (error.kind === 'precondition' && place.write === 'insert') return settleThere(place, batch, error, settle);
    // One that is written all the time is no reason to leave the others.
    if (batch.length === 1 || !(isOfEntities(error) || error.kind === 'precondition')) {
      return giveUp(batch, error, settle);
    }
    // By itself it shows whether it was really the one.
    const { at } = error;
    if (at !== undefined && at >= 0 && at < batch.length) {
      await writeBatch(place, [batch[at]!], settle);
      return writeBatch(place, batch.toSpliced(at, 1), settle);
    }
    for (const half of halvesOf(batch)) await writeBatch(place, half, settle);
  }
}

async function send(place: WriteContext, batch: readonly StoredEntity[]): Promise<void> {
  const { target, table, write, signal } = place;
  const attempt = () =>
    batch.length === 1
      ? target.writeEntity(table, write, batch[0]!, signal)
      : target.writeEntities(table, write, batch, signal);
  let made = 0;
  let conflicts = 0;
  for (;;) {
    try {
      return await (place.pace ? place.pace.run(attempt) : attempt());
    } catch (error) {
      if (!isStorageError(error) || signal.aborted) throw error;
      if (error.kind === 'container-not-found' && place.makesTable && made < 2) {
        // Somebody else may take it away once more; beyond that nothing is to be gained.
        made++;
        await target.createTable(table);
      } else if (error.kind === 'precondition' && write !== 'insert' && conflicts < CONFLICTS) {
        await sleep(CONFLICT_DELAY_MS * ++conflicts);
      } else {
        throw error;
      }
    }
  }
}

/** Of those of a batch that was refused because some are there: tells which are, and writes the others. */
async function settleThere(
  place: WriteContext,
  batch: readonly StoredEntity[],
  refused: StorageError,
  settle: Settle,
): Promise<void> {
  let there: Map<string, string>;
  try {
    there = await inTarget(place, batch);
  } catch (error) {
    if (!isStorageError(error) || error.kind === 'aborted') throw error;
    return giveUp(batch, error, settle);
  }
  const missing: StoredEntity[] = [];
  for (const entity of batch) {
    const text = there.get(nameOfKey(entity.key));
    if (text === undefined) missing.push(entity);
    else if (sameEntity(text, entity.text)) settle(entity, place.same);
    else settle(entity, place.other, 'target-exists');
  }
  if (missing.length < batch.length) return writeBatch(place, missing, settle);
  // Refused, and yet none is found: too much else lies between them, or they were taken away just now.
  if (batch.length === 1) return giveUp(batch, refused, settle);
  for (const half of halvesOf(batch)) await writeBatch(place, half, settle);
}

/** What the target has of these keys, by name; not all of it where much else lies between them. */
async function inTarget(place: WriteContext, batch: readonly StoredEntity[]): Promise<Map<string, string>> {
  // They come in the order of files, of which later ones add keys anywhere.
  const keys = batch.map(({ key }) => key).sort((a, b) => (a.row < b.row ? -1 : 1));
  const upTo = keys.at(-1)!;
  const bounds = boundsBefore(keys[0]!);
  for (const [index, after] of bounds.entries()) {
    try {
      const there = await between(place, { ...(after && { after }), upTo }, batch);
      // Only for a single key is it worth looking again: a batch is halved until there is but one.
      if (there.size > 0 || batch.length > 1) return there;
    } catch (error) {
      // The service does not take the guess.
      if (!isStorageError(error, 'invalid') || index === bounds.length - 1) throw error;
    }
  }
  return new Map();
}

async function between(
  { target, table, signal }: WriteContext,
  range: KeyRange,
  batch: readonly StoredEntity[],
): Promise<Map<string, string>> {
  const wanted = new Set(batch.map(({ key }) => nameOfKey(key)));
  const there = new Map<string, string>();
  let from: string | undefined;
  let pages = 0;
  do {
    const query = { ...range, ...(from !== undefined && { from }) };
    const page = await target.readEntities(table, query, signal).catch((error) => {
      if (isStorageError(error, 'container-not-found')) return { entities: [], next: undefined };
      throw error;
    });
    for (const { key, text } of page.entities) {
      const name = nameOfKey(key);
      if (wanted.has(name)) there.set(name, text);
    }
    from = there.size < wanted.size ? page.next : undefined;
    pages++;
  } while (from !== undefined && (batch.length === 1 || pages < PAGES));
  return there;
}

/** Bounds behind which this key is, the closest first. */
function boundsBefore({ partition, row }: EntityKey): (KeyBound | undefined)[] {
  if (row !== '') return keysBefore(row).map((before) => ({ partition, row: before }));
  // The first key of its partition: what is asked for begins in the one before.
  if (partition !== '') return keysBefore(partition).map((before) => ({ partition: before }));
  return [undefined];
}

function giveUp(batch: readonly StoredEntity[], error: StorageError, settle: Settle): void {
  const code = isOfEntities(error) ? 'entity-refused' : codeOf(error);
  for (const entity of batch) settle(entity, 'failed', code, error.message);
}

/** Whether it is what was sent that the service does not take. */
function isOfEntities({ kind }: StorageError): boolean {
  return kind === 'invalid' || kind === 'too-large' || kind === 'unsupported';
}

function halvesOf<T>(items: readonly T[]): [readonly T[], readonly T[]] {
  const middle = items.length >> 1;
  return [items.slice(0, middle), items.slice(middle)];
}
