import { runsPrefix } from '#domain/run/control-paths.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import { type StoredEntity, sameEntity } from '#domain/tables/entity-text.ts';
import { scratchTable, tableDrillOf } from '#domain/tables/scratch-table.ts';
import { nameOfKey } from '#domain/tables/table-key.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { TableAccount } from '#storage/table-account.ts';
import type { RunContext } from '../run/run-context.ts';
import { writeBatch } from './write-batch.ts';

export interface DrillFailure {
  code: ProblemCode;
  message: string;
}

/** A table of the vault's account that a drill restores its sample into. Each execution has a table of its own. */
export class DrillScratchTable {
  /** Every entity that was restored, with what is wrong with it. */
  readonly restored = new Map<StoredEntity, DrillFailure | undefined>();
  readonly #vault: TableAccount;
  readonly #remover: TableAccount;
  readonly #table: string;

  constructor({ deps, run, job }: RunContext) {
    this.#vault = deps.tables(job.destination.account);
    this.#remover = deps.tables(job.retention?.account ?? job.destination.account);
    this.#table = scratchTable(run.id, deps.random());
  }

  /** Restores entities of one partition. */
  async restore(entities: readonly StoredEntity[]): Promise<void> {
    const { signal } = new AbortController();
    const context = { target: this.#vault, table: this.#table, makesTable: true, signal } as const;
    const existing = { write: 'insert', same: 'copied', other: 'failed' } as const;
    await writeBatch({ ...context, ...existing }, entities, (entity, _status, code, message) => {
      this.restored.set(entity, code && { code, message: message ?? code });
    });
  }

  /** Compares the entities that could be restored with what the table has now. */
  async readBack(): Promise<void> {
    const sound = [...this.restored].filter(([, failure]) => failure === undefined);
    // If nothing could be written, there is no table either.
    if (sound.length === 0) return;
    const texts = new Map<string, string>();
    let from: string | undefined;
    do {
      const page = await this.#vault.readEntities(this.#table, from === undefined ? {} : { from });
      for (const { key, text } of page.entities) texts.set(nameOfKey(key), text);
      from = page.next;
    } while (from !== undefined);
    for (const [entity] of sound) {
      const text = texts.get(nameOfKey(entity.key));
      if (text !== undefined && sameEntity(text, entity.text)) continue;
      const what = text === undefined ? 'is not there' : 'has other properties than the vault';
      this.restored.set(entity, { code: 'content-mismatch', message: `Restored to ${this.#table}, it ${what}` });
    }
  }

  /** Deletes the table, if it was made. Returns a message if the app may not. */
  async remove(): Promise<string | undefined> {
    return this.restored.size > 0 ? removeTable(this.#remover, this.#table) : undefined;
  }
}

async function removeTable(remover: TableAccount, table: string): Promise<string | undefined> {
  try {
    await remover.deleteTable(table);
  } catch (error) {
    if (!isStorageError(error)) throw error;
    // After any other failure, the next drill deletes it.
    if (error.kind === 'access-denied') {
      return `The restored entities are left in table ${table} of ${remover.alias}: ${error.message}`;
    }
  }
  return undefined;
}

/** Deletes the tables that earlier drills of the job left, because they were ended or were not allowed to. */
export async function removeLeftoverTables({ deps, run, job, control }: RunContext): Promise<void> {
  const vault = deps.tables(job.destination.account);
  const remover = deps.tables(job.retention?.account ?? job.destination.account);
  try {
    const tables = await drillTablesIn(vault);
    if (tables.length === 0) return;
    for await (const folder of control.foldersBelow(runsPrefix(run.job))) {
      const id = folder.split('/').at(-2)!;
      const own = tables.filter((name) => id.endsWith(`-${tableDrillOf(name)}`));
      if (own.length === 0) continue;
      // Only of a drill that has ended: another table may happen to have such a name, and this run has no summary yet.
      const summary = await control.readSummary({ job: run.job, id });
      if (summary?.verify?.kind !== 'drill') continue;
      for (const name of own) await removeTable(remover, name);
    }
  } catch (error) {
    // Leftovers say nothing about the restore point.
    if (!isStorageError(error)) throw error;
  }
}

async function drillTablesIn(vault: TableAccount): Promise<string[]> {
  const tables: string[] = [];
  let from: string | undefined;
  do {
    const page = await vault.listTables(from);
    tables.push(...page.names.filter((name) => tableDrillOf(name) !== undefined));
    from = page.next;
  } while (from !== undefined);
  return tables;
}
