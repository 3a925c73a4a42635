import { randomUUID } from 'node:crypto';
import { type StoredEntity, withDoublesNamed } from '#domain/tables/entity-text.ts';
import { StorageError } from '../../storage-error.ts';
import type { EntityWrite } from '../../table-account.ts';
import { inAddress, quoted } from './table-query.ts';
import { refusal, type TableAnswer, type TableRequest } from './table-request.ts';

/** The request that writes one entity: its text goes out as it is, but that Doubles are called so. */
export function writeRequest(table: string, how: EntityWrite, { key, text }: StoredEntity): TableRequest {
  const headers = { 'content-type': 'application/json', prefer: 'return-no-content' };
  const body = withDoublesNamed(text);
  if (how === 'insert') return { method: 'POST', path: table, headers, body };
  const path = `${table}(PartitionKey=${inAddress(quoted(key.partition))},RowKey=${inAddress(quoted(key.row))})`;
  return { method: how === 'replace' ? 'PUT' : 'PATCH', path, headers, body };
}

/** The request that writes entities of one partition together, one change set in multipart. */
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

/** The emulator looks for a line end, and to it these are some. In JSON they stand in strings only. */
function inOneLine(text: string): string {
  return text.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

/** What a transaction was refused for, and which of its entities was at fault, where the service says so. */
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
 * The service accepts every transaction (202) and says within the answer what came of it: a part for each entity, or one for the
 * entity that was at fault. Throws `TransactionRefusal`, or `StorageError` (`server`) for an answer that is not whole.
 */
export function checkTransaction({ header, body }: TableAnswer, entities: number): void {
  const boundary = /boundary="?([^";]+)/i.exec(header('content-type') ?? '')?.[1];
  const parts = body.split(/^HTTP\/1\.1 /m).slice(1);
  const statuses = parts.map((part) => Number(part.slice(0, 3)));
  const failed = statuses.findIndex((status) => !(status >= 200 && status <= 299));
  if (boundary === undefined || !body.includes(`--${boundary}--`) || (failed < 0 && parts.length !== entities)) {
    throw new StorageError('server', 'The service sent an answer to a transaction that is not whole.');
  }
  if (failed < 0) return;
  const part = parts[failed]!;
  const said = part.slice(part.search(/[{<]/), part.search(/[}>][^}>]*$/) + 1);
  throw new TransactionRefusal(statuses[failed]!, said, faultIn(said, entities));
}

/** The service puts the entity's number before what it says: `3:The specified entity already exists.` */
function faultIn(said: string, entities: number): number | undefined {
  const number = /"value"\s*:\s*"(\d+):/.exec(said)?.[1];
  const at = number === undefined ? (entities === 1 ? 0 : undefined) : Number(number);
  return at !== undefined && at < entities ? at : undefined;
}
