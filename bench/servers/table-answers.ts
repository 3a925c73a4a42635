import { randomUUID } from 'node:crypto';
import type { EntityAnswer, GeneratedTable } from './generated-table.ts';
import { GENERATED_TABLE } from './generated-table.ts';
import { WrittenTables } from './written-tables.ts';

export interface TableReply {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/** The tables of the account: a generated one to back up, and written ones from restores. */
export class TableAnswers {
  readonly #generated: GeneratedTable;
  readonly #written = new WrittenTables();

  constructor(generated: GeneratedTable) {
    this.#generated = generated;
  }

  /** `resource` is the address after the account, without percent-encoding. */
  answer(method: string, resource: string, query: URLSearchParams, body: string): TableReply {
    if (resource === 'Tables') return method === 'POST' ? this.#create(JSON.parse(body).TableName) : this.#list();
    if (resource === '$batch') return this.#transaction(body);
    const table = /^[A-Za-z0-9]+/.exec(resource)?.[0] ?? '';
    if (resource === `${table}/count`) return { status: 200, body: String(this.#written.count(table)) };
    if (table !== GENERATED_TABLE && !this.#written.has(table)) return error(404, 'TableNotFound');
    if (method === 'GET') return this.#read(table, query);
    if (table === GENERATED_TABLE) this.#generated.rewrite(/RowKey='([^']*)'/.exec(resource)?.[1] ?? '');
    else this.#written.write(table, body);
    return { status: 204, headers: { etag: 'W/"1"' } };
  }

  #list(): TableReply {
    return { status: 200, headers: JSON_TYPE, body: JSON.stringify({ value: [{ TableName: GENERATED_TABLE }] }) };
  }

  #create(table: string): TableReply {
    return this.#written.create(table) ? { status: 204 } : error(409, 'TableAlreadyExists');
  }

  #read(table: string, query: URLSearchParams): TableReply {
    if (table !== GENERATED_TABLE) {
      if (this.#written.count(table) > 0)
        throw new Error(`The stand-in server does not return what was written to ${table}`);
      return { status: 200, headers: JSON_TYPE, body: '{"value":[]}' };
    }
    const nextRow = query.get('NextRowKey');
    const { body, next }: EntityAnswer = this.#generated.page({
      filter: query.get('$filter') ?? '',
      top: Number(query.get('$top') ?? 1000),
      keysOnly: query.has('$select'),
      ...(nextRow !== null && { nextRow }),
    });
    const goOn = next && {
      'x-ms-continuation-NextPartitionKey': next.partition,
      'x-ms-continuation-NextRowKey': next.row,
    };
    return { status: 200, headers: { ...JSON_TYPE, ...goOn }, body };
  }

  #transaction(body: string): TableReply {
    const changes = `changesetresponse_${randomUUID()}`;
    const batch = `batchresponse_${randomUUID()}`;
    const answers: string[] = [];
    for (const [, table = '', entity = ''] of body.matchAll(OPERATION)) {
      this.#written.write(table, entity);
      answers.push(
        `--${changes}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n` +
          `HTTP/1.1 204 No Content\r\nX-Content-Type-Options: nosniff\r\nPreference-Applied: return-no-content\r\nDataServiceVersion: 3.0;\r\nETag: W/"1"\r\n\r\n\r\n`,
      );
    }
    return {
      status: 202,
      headers: { 'content-type': `multipart/mixed; boundary=${batch}` },
      body: `--${batch}\r\nContent-Type: multipart/mixed; boundary=${changes}\r\n\r\n${answers.join('')}--${changes}--\r\n--${batch}--\r\n`,
    };
  }
}

/** An operation within a transaction: its table, and its entity after the headers. */
const OPERATION = /^(?:POST|PUT|PATCH|MERGE) \S*\/([A-Za-z0-9]+)[^/]*? HTTP\/1\.1\r?\n(?:.+\r?\n)*\s*(\{.*\})/gm;

const JSON_TYPE = { 'content-type': 'application/json;odata=minimalmetadata' };

function error(status: number, code: string): TableReply {
  const body = JSON.stringify({ 'odata.error': { code, message: { lang: 'en-US', value: code } } });
  return { status, headers: JSON_TYPE, body };
}
