import { odata, type TableClient, type TableServiceClientOptions } from '@azure/data-tables';
import { isUsage } from '#domain/cost/usage.ts';
import { pointFactsSchema } from '#domain/restore/point-facts.ts';
import { defined } from '#domain/run/defined.ts';
import { heldContentSchema } from '#domain/run/held-content.ts';
import {
  type Catalog,
  type CatalogPage,
  type CatalogQuery,
  type CatalogRow,
  NOT_STARTED,
  type RowChoice,
} from '../../catalog.ts';
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

  async list(query: CatalogQuery): Promise<CatalogPage> {
    const { limit, cursor } = query;
    const filter = filterOf(query);
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

/** The rows of a choice, and the one that says whether the table has all runs. */
function filterOf({ job, runsOnly, modes, statuses, trigger, dryRun, from, to }: RowChoice): string {
  const anyOf = (column: string, values: readonly string[]) =>
    `(${values.map((value) => `${column}${odata` eq ${value}`}`).join(' or ')})`;
  const conditions = [
    ...(job === undefined ? [] : [odata`job eq ${job}`]),
    ...(runsOnly ? [`status${odata` ne ${NOT_STARTED}`}`] : []),
    ...(modes ? [anyOf('mode', modes)] : []),
    ...(statuses ? [anyOf('status', statuses)] : []),
    ...(trigger === undefined ? [] : [odata`trigger eq ${trigger}`]),
    ...(dryRun === undefined ? [] : [`dryRun eq ${dryRun}`]),
    // The newest run has the smallest key.
    ...(from ? [odata`RowKey lt ${keyOfTime(from.getTime() - 1)}`] : []),
    ...(to ? [odata`RowKey ge ${keyOfTime(to.getTime())}`] : []),
  ];
  const all = odata`PartitionKey eq ${PARTITION}`;
  return conditions.length === 0 ? all : `${all} and ((${conditions.join(' and ')}) or ${odata`RowKey eq ${STATE}`})`;
}

/** The columns of the table, which has numbers and strings but no records. These hold JSON. */
const IN_JSON = [
  ...(['by', 'counts', 'bytes', 'usage', 'restore', 'verify', 'prune', 'problem', 'point', 'held'] as const),
  ...(['problems', 'seconds', 'requests'] as const),
];
type InJson = (typeof IN_JSON)[number];
type Columns = Omit<CatalogRow, InJson> & Partial<Record<InJson, string>> & { state?: string };

/** Characters. A column has no room for more than 32,768; a list reads the summary instead. */
const LONGEST_COLUMN = 30_000;

function columnsOf(row: CatalogRow): Columns {
  const columns: Record<string, unknown> = { ...row };
  for (const name of IN_JSON) {
    const text = JSON.stringify(row[name]) as string | undefined;
    if (text === undefined || text.length > LONGEST_COLUMN) delete columns[name];
    else columns[name] = text;
  }
  return columns as unknown as Columns;
}

/**
 * Nothing for an empty row, or one that no run can have written as it is: no decision depends on the catalog, lists
 * compare it with the vault, and a rebuild writes the row again.
 */
function rowOf(columns: Partial<Columns> & { rowKey?: string }): CatalogRow[] {
  const { id, job, mode, trigger, status, dryRun, startedAt, finishedAt, retryOf, follows } = columns;
  if (![id, job, mode, trigger, status, startedAt].every((each) => typeof each === 'string')) return [];
  if (typeof dryRun !== 'boolean') return [];
  const row = { id, job, mode, trigger, status, dryRun, startedAt } as CatalogRow;
  if (rowKey(row) !== columns.rowKey) return [];
  try {
    const parsed = Object.fromEntries(
      IN_JSON.flatMap((name) => (columns[name] ? [[name, JSON.parse(columns[name])]] : [])),
    );
    if (Object.values(parsed).includes(null)) return [];
    const { point, usage, held, ...rest } = parsed;
    const facts = pointFactsSchema.safeParse(point).data;
    const content = heldContentSchema.safeParse(held).data;
    return [
      {
        ...row,
        ...(finishedAt ? { finishedAt } : {}),
        ...defined({ retryOf, follows }),
        ...rest,
        ...(isUsage(usage) ? { usage } : {}),
        ...(facts ? { point: facts } : {}),
        ...(content ? { held: content } : {}),
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
  return `${keyOfTime(Date.parse(startedAt))}-${id}`;
}

/** What the keys of all runs that started at this time begin with. */
function keyOfTime(time: number): string {
  return String(END_OF_TIME - time).padStart(15, '0');
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
