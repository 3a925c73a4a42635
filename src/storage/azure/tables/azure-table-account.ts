import type { AccessPolicy } from '#domain/run/container-properties.ts';
import { type StoredEntity, splitEntities } from '#domain/tables/entity-text.ts';
import { nameOfKey } from '#domain/tables/table-key.ts';
import { isStorageError, StorageError } from '../../storage-error.ts';
import type { EntityPage, EntityQuery, EntityWrite, TableAccount } from '../../table-account.ts';
import type { AccountAccess } from '../account-access.ts';
import { creationError } from '../creation-error.ts';
import { type RequestContext, storageErrorOf, withContext } from '../errors.ts';
import type { RetryOptions } from '../retry-policy.ts';
import { readIdentifiers, writeIdentifiers } from './signed-identifiers.ts';
import { cursorOf, filtersOf, inAddress, positionOf, type QueryPosition, quoted } from './table-query.ts';
import { type TableAnswer, TableRequests } from './table-request.ts';
import { checkTransaction, TransactionRefusal, transactionRequest, writeRequest } from './table-transaction.ts';

/** The largest page of the service. */
const PAGE = 1000;

export class AzureTableAccount implements TableAccount {
  readonly alias: string;
  readonly endpoint: string;
  readonly #requests: TableRequests;

  constructor(access: AccountAccess, retries: RetryOptions) {
    this.alias = access.alias;
    this.endpoint = access.tableEndpoint ?? '';
    this.#requests = new TableRequests(access, retries);
  }

  listTables(from?: string, signal?: AbortSignal): Promise<{ names: string[]; next?: string }> {
    const query = from === undefined ? '' : `?NextTableName=${encodeURIComponent(from)}`;
    return this.#ask({ action: 'list the tables of' }, () =>
      this.#requests.send({ method: 'GET', path: `Tables${query}` }, tablesIn, signal),
    );
  }

  readEntities(table: string, query: EntityQuery, signal?: AbortSignal): Promise<EntityPage> {
    return this.#ask({ action: 'read entities of', container: table }, async () => {
      const filters = filtersOf(query, query.since);
      let position: QueryPosition = query.from === undefined ? { query: 0 } : positionOf(query.from, filters.length);
      let answeredAt: string | undefined;
      for (;;) {
        const page = await this.#readPage(table, query, filters[position.query]!, position, signal);
        answeredAt ??= page.answeredAt;
        const more = page.next ?? (position.query + 1 < filters.length ? { query: position.query + 1 } : undefined);
        if (page.entities.length > 0 || !more) {
          return { entities: page.entities, answeredAt, ...(more ? { next: cursorOf(more) } : {}) };
        }
        position = more;
      }
    });
  }

  #readPage(
    table: string,
    { keysOnly, limit = PAGE }: EntityQuery,
    filter: string,
    { query, partition, row }: QueryPosition,
    signal?: AbortSignal,
  ): Promise<{ entities: StoredEntity[]; answeredAt: string; next?: QueryPosition }> {
    const parameters = [
      `$top=${Math.min(limit, PAGE)}`,
      ...(keysOnly ? ['$select=PartitionKey,RowKey,Timestamp'] : []),
      ...(filter === '' ? [] : [`$filter=${inAddress(filter)}`]),
      ...(partition === undefined ? [] : [`NextPartitionKey=${inAddress(partition)}`]),
      ...(row === undefined ? [] : [`NextRowKey=${inAddress(row)}`]),
    ];
    const read = ({ header, body }: TableAnswer) => {
      const next = continuationIn(header);
      return {
        entities: splitEntities(body),
        answeredAt: timeIn(header('date')),
        ...(next && { next: { query, ...next } }),
      };
    };
    return this.#requests.send({ method: 'GET', path: `${table}()?${parameters.join('&')}` }, read, signal);
  }

  async createTable(table: string): Promise<'created' | 'exists'> {
    const request = {
      method: 'POST',
      path: 'Tables',
      headers: { 'content-type': 'application/json', prefer: 'return-no-content' },
      body: JSON.stringify({ TableName: table }),
    } as const;
    try {
      await this.#ask({ action: 'create table', container: table }, () =>
        this.#requests.send(request, () => undefined),
      );
      return 'created';
    } catch (error) {
      if (!isStorageError(error)) throw error;
      if (error.code === 'TableAlreadyExists') return 'exists';
      throw creationError(error);
    }
  }

  accessPolicies(table: string): Promise<AccessPolicy[]> {
    const request = { method: 'GET', path: `${table}?comp=acl`, headers: { accept: 'application/xml' } } as const;
    return this.#ask({ action: 'get the access policies of table', container: table }, () =>
      this.#requests.send(request, ({ body }) => readIdentifiers(body)),
    );
  }

  async setAccessPolicies(table: string, policies: readonly AccessPolicy[]): Promise<void> {
    const headers = { accept: 'application/xml', 'content-type': 'application/xml' };
    const request = { method: 'PUT', path: `${table}?comp=acl`, headers, body: writeIdentifiers(policies) } as const;
    await this.#ask({ action: 'set the access policies of table', container: table }, () =>
      this.#requests.send(request, () => undefined),
    );
  }

  async deleteTable(table: string): Promise<void> {
    try {
      await this.#ask({ action: 'delete table', container: table }, () =>
        this.#requests.send({ method: 'DELETE', path: `Tables(${inAddress(quoted(table))})` }, () => undefined),
      );
    } catch (error) {
      if (!isStorageError(error, 'container-not-found')) throw error;
    }
  }

  writeEntities(
    table: string,
    how: EntityWrite,
    entities: readonly StoredEntity[],
    signal?: AbortSignal,
  ): Promise<void> {
    const check = (answer: TableAnswer) => checkTransaction(answer, entities.length);
    return this.#ask(
      { action: 'write entities to', container: table },
      async () => {
        await this.#requests.send(transactionRequest(this.endpoint, table, how, entities), check, signal);
      },
      entities,
    );
  }

  writeEntity(table: string, how: EntityWrite, entity: StoredEntity, signal?: AbortSignal): Promise<void> {
    const asked = { action: 'write the entity', container: table, name: nameOfKey(entity.key) };
    return this.#ask(asked, () => this.#requests.send(writeRequest(table, how, entity), () => undefined, signal));
  }

  async #ask<T>(
    request: Omit<RequestContext, 'alias'>,
    send: () => Promise<T>,
    sent: readonly StoredEntity[] = [],
  ): Promise<T> {
    try {
      return await send();
    } catch (error) {
      const at = error instanceof TransactionRefusal ? error.at : undefined;
      const about = { ...request, alias: this.alias, ...(at === undefined ? {} : { name: nameOfKey(sent[at]!.key) }) };
      const { kind, message, status, code } =
        error instanceof StorageError ? withContext(about, error) : storageErrorOf(error, about);
      // No request needs an existing entity, so only the table can be missing.
      const isTable = about.container !== undefined && (kind === 'not-found' || kind === 'account-not-found');
      throw new StorageError(isTable ? 'container-not-found' : kind, message, status, code, at);
    }
  }
}

function tablesIn({ header, body }: TableAnswer): { names: string[]; next?: string } {
  const next = header('x-ms-continuation-nexttablename');
  let names: unknown;
  try {
    names = JSON.parse(body).value.map((table: { TableName?: unknown }) => table.TableName);
  } catch {
    // The error follows below.
  }
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw new StorageError('server', 'The service sent an incomplete list of tables.');
  }
  return { names, ...(next !== undefined && { next }) };
}

/**
 * Where the service continues a query; undefined at its end, where it names neither key. The SDK's HTTP client drops
 * headers without a value, so the partition that is missing beside a row is the one whose key is the empty string.
 */
function continuationIn(header: TableAnswer['header']): Omit<QueryPosition, 'query'> | undefined {
  const partition = header('x-ms-continuation-nextpartitionkey');
  const row = header('x-ms-continuation-nextrowkey');
  if (row === undefined) return partition === undefined ? undefined : { partition };
  return { partition: partition ?? '', row };
}

function timeIn(date: string | undefined): string {
  const time = Date.parse(date ?? '');
  if (Number.isNaN(time)) throw new StorageError('server', 'The service sent an answer without a time.');
  return new Date(time).toISOString();
}
