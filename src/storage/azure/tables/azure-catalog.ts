import { odata, type TableClient, type TableServiceClientOptions } from '@azure/data-tables';
import { type Catalog, type CatalogPage, type CatalogRow, type ListedRows, NOT_STARTED } from '../../catalog.ts';
import { noteRequest } from '../../requests.ts';
import { StorageError } from '../../storage-error.ts';
import type { AccountAccess } from '../account-access.ts';
import { storageErrorOf } from '../errors.ts';
import type { RetryOptions } from '../retry-policy.ts';
import { tableClient } from './table-client.ts';
import { tableOperationName } from './table-operation-name.ts';

/** All runs are in one partition, so that a query lists them in order. */
const PARTITION = 'run';
/** The row that says whether the table has all runs. It comes before every run. */
const STATE = '0';
/** The last millisecond of the year 9999; 15 digits. */
const END_OF_TIME = 253_402_300_799_999;

/** A run does not wait long for its index. */
const MOST_TRIES = 3;

/** The catalog of runs in one Azure table. It uses the SDK's retry policy, which follows `Retry-After`. */
export class AzureCatalog implements Catalog {
  readonly #alias: string;
  readonly #name: string;
  readonly #connect: () => TableClient;
  #made: TableClient | undefined;
  /** Milliseconds per attempt. */
  readonly #timeout: number;

  constructor(access: AccountAccess, tableName: string, retries: RetryOptions) {
    this.#alias = access.alias;
    this.#timeout = retries.timeout;
    this.#name = tableName;
    this.#connect = () =>
      tableClient(access, tableName, {
        retryOptions: {
          maxRetries: Math.min(retries.tries, MOST_TRIES) - 1,
          retryDelayInMs: retries.firstDelay,
          maxRetryDelayInMs: retries.longestDelay,
        },
        additionalPolicies: [COUNTING],
      });
  }

  get #table(): TableClient {
    this.#made ??= this.#connect();
    return this.#made;
  }

  put(row: CatalogRow): Promise<'created' | undefined> {
    return this.#ask(`write the row of run ${row.id} to`, async () => {
      const columns = columnsOf(row);
      try {
        await this.#upsert(rowKey(row), columns);
        return undefined;
      } catch (error) {
        if (storageErrorOf(error, { action: '', alias: '' }).kind !== 'container-not-found') throw error;
      }
      await this.#table.createTable();
      await this.#upsert(rowKey(row), columns);
      return 'created';
    });
  }

  empty(row: CatalogRow): Promise<void> {
    return this.#ask(`empty the row of run ${row.id} in`, () => this.#upsert(rowKey(row), { state: 'empty' }));
  }

  markComplete(): Promise<void> {
    return this.#ask('mark as complete', () => this.#upsert(STATE, { state: 'complete' }));
  }

  async #upsert(key: string, columns: object): Promise<void> {
    const entity = { partitionKey: PARTITION, rowKey: key, ...columns };
    await this.#table.upsertEntity(entity, 'Replace', { requestOptions: { timeout: this.#timeout } });
  }

  async list({ job, runsOnly, limit, cursor }: ListedRows): Promise<CatalogPage> {
    const wanted = [
      ...(job === undefined ? [] : [odata`job eq ${job}`]),
      ...(runsOnly ? [odata`status ne ${NOT_STARTED}`] : []),
    ];
    const [ofRuns, isState] = [odata`PartitionKey eq ${PARTITION}`, odata`RowKey eq ${STATE}`];
    const filter = wanted.length === 0 ? ofRuns : `${ofRuns} and (${isState} or (${wanted.join(' and ')}))`;
    return this.#ask('list', async () => {
      const pages = this.#table
        .listEntities<Columns>({ queryOptions: { filter }, requestOptions: { timeout: this.#timeout } })
        .byPage({
          // The state is a row of the first page.
          maxPageSize: cursor ? limit : limit + 1,
          ...(cursor ? { continuationToken: tokenOf(cursor) } : {}),
        });
      const { value: page } = await pages.next();
      const found = (page ?? []) as Columns[];
      const isIncomplete = !cursor && !found.some(({ state }) => state === 'complete');
      const token: string | undefined = page?.continuationToken;
      return {
        rows: found.flatMap(rowOf).slice(0, limit),
        ...(token ? { next: cursorOf(token) } : {}),
        ...(isIncomplete && { incomplete: true as const }),
      };
    });
  }

  async #ask<T>(action: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      throw storageErrorOf(error, { action, alias: this.#alias, container: this.#name });
    }
  }
}

/** The columns of the table, which has numbers and strings but no records. */
type Columns = Omit<CatalogRow, 'by' | 'counts' | 'bytes' | 'problem'> & {
  by?: string;
  counts?: string;
  bytes?: string;
  problem?: string;
  state?: string;
};

function columnsOf(row: CatalogRow): Columns {
  const { by, counts, bytes, problem, ...rest } = row;
  return {
    ...rest,
    ...(by ? { by: JSON.stringify(by) } : {}),
    ...(counts ? { counts: JSON.stringify(counts) } : {}),
    ...(bytes ? { bytes: JSON.stringify(bytes) } : {}),
    ...(problem ? { problem: JSON.stringify(problem) } : {}),
  };
}

/** Nothing for an empty row, or a damaged one: no decision depends on the catalog, and a rebuild repairs the row. */
function rowOf(columns: Partial<Columns>): CatalogRow[] {
  const { id, job, mode, trigger, by, status, dryRun, startedAt, finishedAt, counts, bytes, problem } = columns;
  if (![id, job, mode, trigger, status, startedAt].every((each) => typeof each === 'string')) return [];
  try {
    return [
      {
        ...({ id, job, mode, trigger, status, dryRun, startedAt } as CatalogRow),
        ...(by ? { by: JSON.parse(by) } : {}),
        ...(finishedAt ? { finishedAt } : {}),
        ...(counts ? { counts: JSON.parse(counts) } : {}),
        ...(bytes ? { bytes: JSON.parse(bytes) } : {}),
        ...(problem ? { problem: JSON.parse(problem) } : {}),
      },
    ];
  } catch {
    return [];
  }
}

/** The SDK's token is base64, which a URL cannot contain without encoding. */
function cursorOf(token: string): string {
  return Buffer.from(token, 'base64').toString('base64url');
}

function tokenOf(cursor: string): string {
  const token = Buffer.from(cursor, 'base64url');
  try {
    const { nextPartitionKey, nextRowKey = '' } = JSON.parse(token.toString());
    if (typeof nextPartitionKey === 'string' && typeof nextRowKey === 'string') return token.toString('base64');
  } catch {
    // The error follows below.
  }
  throw new StorageError('invalid', 'This cursor is not from a list of runs.');
}

/** A table lists entities in the order of their keys, so the newest run has the smallest key. */
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
