import { randomUUID } from 'node:crypto';
import { type StoredEntity, withDoublesNamed } from '#domain/tables/entity-text.ts';
import { StorageError } from '../../storage-error.ts';
import type { EntityWrite } from '../../table-account.ts';
import { inAddress, quoted } from './table-query.ts';
import { refusal, type TableAnswer, type TableRequest } from './table-request.ts';

/** The request that writes one entity. Sends its text unchanged, except for added types of Doubles. */
export function writeRequest(table: string, how: EntityWrite, { key, text }: StoredEntity): TableRequest {
  const headers = { 'content-type': 'application/json', prefer: 'return-no-content' };
  const body = withDoublesNamed(text);
  if (how === 'insert') return { method: 'POST', path: table, headers, body };
  const path = `${table}(PartitionKey=${inAddress(quoted(key.partition))},RowKey=${inAddress(quoted(key.row))})`;
  return { method: how === 'replace' ? 'PUT' : 'PATCH', path, headers, body };
}

/** The request that writes entities of one partition in one transaction: a multipart body with one change set. */
export function transactionRequest(
  endpoint: string,
  table: string,
  how: EntityWrite,
  entities: readonly StoredEntity[],
): TableRequest {
  const batch = `batch_${randomUUID()}`;
  const changes = `changeset_${randomUUID()}`;
  const parts = entities.map((entity) => {
    const { method, path, body = '' } = writeRequest(table, how, entity);
    return [
      `--${changes}`,
      'Content-Type: application/http',
      'Content-Transfer-Encoding: binary',
      '',
      `${method} ${endpoint}/${path} HTTP/1.1`,
      'Accept: application/json;odata=minimalmetadata',
      'Content-Type: application/json',
      'DataServiceVersion: 3.0',
      'Prefer: return-no-content',
      '',
      inOneLine(body),
    ].join('\r\n');
  });
  const body = [
    `--${batch}`,
    `Content-Type: multipart/mixed; boundary=${changes}`,
    '',
    ...parts,
    `--${changes}--`,
    `--${batch}--`,
    '',
  ].join('\r\n');
  const headers = { accept: 'application/json', 'content-type': `multipart/mixed; boundary=${batch}` };
  return { method: 'POST', path: '$batch', headers, body };
}

/**
 * The emulator splits at these characters as line ends. JSON only has them in strings, where an escape is equivalent.
 */
function inOneLine(text: string): string {
  return text.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

/** Why the service refused a transaction, and the index of the entity that caused it, if the service reports it. */
export class TransactionRefusal extends Error {
  readonly at: number | undefined;
  readonly statusCode: number;
  readonly code: string;

  constructor(status: number, body: string, at: number | undefined) {
    const { message, code } = refusal(status, body) as Error & { code: string };
    super(message);
    this.statusCode = status;
    this.code = code;
    this.at = at;
  }
}

/**
 * The service answers every transaction with 202. The body has the result: a part for each entity, or one part for the
 * entity that caused a failure. Throws `TransactionRefusal`, or `StorageError` (`server`) for an incomplete answer.
 */
export function checkTransaction({ header, body }: TableAnswer, entities: number): void {
  const boundary = /boundary="?([^";]+)/i.exec(header('content-type') ?? '')?.[1];
  const parts = body.split(/^HTTP\/1\.1 /m).slice(1);
  const statuses = parts.map((part) => Number(part.slice(0, 3)));
  const failed = statuses.findIndex((status) => !(status >= 200 && status <= 299));
  if (boundary === undefined || !body.includes(`--${boundary}--`) || (failed < 0 && parts.length !== entities)) {
    throw new StorageError('server', 'The service sent an incomplete answer to a transaction.');
  }
  if (failed < 0) return;
  const part = parts[failed]!;
  const text = part.slice(part.search(/[{<]/), part.search(/[}>][^}>]*$/) + 1);
  throw new TransactionRefusal(statuses[failed]!, text, faultyEntity(text, entities));
}

/** The message of the service starts with the index of the entity: `3:The specified entity already exists.` */
function faultyEntity(text: string, entities: number): number | undefined {
  const number = /"value"\s*:\s*"(\d+):/.exec(text)?.[1];
  const at = number === undefined ? (entities === 1 ? 0 : undefined) : Number(number);
  return at !== undefined && at < entities ? at : undefined;
}
