import { odata, type TableClient, type TableServiceClientOptions } from '@azure/data-tables';
import type { Catalog, CatalogRow } from '../../catalog.ts';
import { noteRequest } from '../../requests.ts';
import { isStorageError, StorageError } from '../../storage-error.ts';
import type { AccountAccess } from '../account-access.ts';
import { tableOperationName } from '../blobs/operation-name.ts';
import { storageErrorOf } from '../errors.ts';
import type { RetryOptions } from '../retry-policy.ts';
import { tableClient } from './table-client.ts';

/** All runs are in one partition, so that one query lists them in order. */
const PARTITION = 'run';
/** The last millisecond that ISO 8601 writes with four digits of year; 15 digits long. */
const END_OF_TIME = 253_402_300_799_999;

/** The catalog of runs in one Azure table. The SDK's own retry policy serves here: it honours `Retry-After`. */
export class AzureCatalog implements Catalog {
  readonly #alias: string;
  readonly #table: TableClient;
  /** What an attempt may take, in milliseconds. */
  readonly #timeout: number;

  constructor(access: AccountAccess, tableName: string, retries: RetryOptions) {
    this.#alias = access.alias;
    this.#timeout = retries.timeout;
    this.#table = tableClient(access, tableName, {
      retryOptions: {
        maxRetries: retries.tries - 1,
        retryDelayInMs: retries.firstDelay,
        maxRetryDelayInMs: retries.longestDelay,
      },
      additionalPolicies: [COUNTING],
    });
  }

  put(row: CatalogRow): Promise<void> {
    return this.#ask(`write the row of run ${row.id} to`, async () => {
      const entity = { partitionKey: PARTITION, rowKey: rowKey(row), ...columnsOf(row) };
      try {
        await this.#table.upsertEntity(entity, 'Replace', { requestOptions: { timeout: this.#timeout } });
      } catch (error) {
        if (storageErrorOf(error, { action: '', alias: '' }).kind !== 'container-not-found') throw error;
        await this.#table.createTable();
        await this.#table.upsertEntity(entity, 'Replace', { requestOptions: { timeout: this.#timeout } });
      }
    });
  }

  async list(options: {
    job?: string;
    limit: number;
    cursor?: string;
  }): Promise<{ rows: CatalogRow[]; next?: string }> {
    const { job, limit, cursor } = options;
    const filter =
      job === undefined ? odata`PartitionKey eq ${PARTITION}` : odata`PartitionKey eq ${PARTITION} and job eq ${job}`;
    try {
      return await this.#ask('list', async () => {
        const pages = this.#table
          .listEntities<Columns>({ queryOptions: { filter }, requestOptions: { timeout: this.#timeout } })
          .byPage({
            maxPageSize: limit,
            ...(cursor ? { continuationToken: tokenOf(cursor) } : {}),
          });
        const { value: page } = await pages.next();
        const rows = ((page ?? []) as Columns[]).flatMap(rowOf);
        const token: string | undefined = page?.continuationToken;
        return { rows, ...(token ? { next: cursorOf(token) } : {}) };
      });
    } catch (error) {
      if (isStorageError(error, 'container-not-found')) return { rows: [] };
      throw error;
    }
  }

  async #ask<T>(action: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      throw storageErrorOf(error, { action, alias: this.#alias, container: this.#table.tableName });
    }
  }
}

/** The table's columns: it knows numbers and strings, but no records. */
type Columns = Omit<CatalogRow, 'counts' | 'bytes'> & { counts?: string; bytes?: string };

function columnsOf(row: CatalogRow): Columns {
  const { counts, bytes, ...rest } = row;
  return {
    ...rest,
    ...(counts ? { counts: JSON.stringify(counts) } : {}),
    ...(bytes ? { bytes: JSON.stringify(bytes) } : {}),
  };
}

/** Nothing for a row that is damaged: the catalog decides nothing, and rebuilding it writes the row anew. */
function rowOf(columns: Partial<Columns>): CatalogRow[] {
  const { id, job, mode, trigger, status, dryRun, startedAt, finishedAt, counts, bytes } = columns;
  if (![id, job, mode, trigger, status, startedAt].every((each) => typeof each === 'string')) return [];
  try {
    return [
      {
        ...({ id, job, mode, trigger, status, dryRun, startedAt } as CatalogRow),
        ...(finishedAt ? { finishedAt } : {}),
        ...(counts ? { counts: JSON.parse(counts) } : {}),
        ...(bytes ? { bytes: JSON.parse(bytes) } : {}),
      },
    ];
  } catch {
    return [];
  }
}

/** The SDK's token is base64, which does not fit into a URL as it is. */
function cursorOf(token: string): string {
  return Buffer.from(token, 'base64').toString('base64url');
}

function tokenOf(cursor: string): string {
  const token = Buffer.from(cursor, 'base64url');
  try {
    const { nextPartitionKey, nextRowKey = '' } = JSON.parse(token.toString());
    if (typeof nextPartitionKey === 'string' && typeof nextRowKey === 'string') return token.toString('base64');
  } catch {
    // Told below like any other cursor that is not ours.
  }
  throw new StorageError('invalid', 'This is not a cursor that a list of runs gave out.');
}

/** Tables answer in the order of their keys, so the newest run must have the smallest. */
function rowKey({ id, startedAt }: CatalogRow): string {
  return `${String(END_OF_TIME - Date.parse(startedAt)).padStart(15, '0')}-${id}`;
}

const COUNTING: NonNullable<TableServiceClientOptions['additionalPolicies']>[number] = {
  position: 'perRetry',
  policy: {
    name: 'strongroom-request-count',
    sendRequest(request, next) {
      noteRequest(tableOperationName(request.method, request.url));
      return next(request);
    },
  },
};
