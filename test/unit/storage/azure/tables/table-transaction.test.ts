import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredEntity } from '#domain/tables/entity-text.ts';
import { checkTransaction, transactionRequest, writeRequest } from '#storage/azure/tables/table-transaction.ts';
import { type EntityWrite, transactionBytes } from '#storage/table-account.ts';
import { entityText, properties } from '../../../../support/builders/entity-texts.ts';

const ENDPOINT = 'https://acct.table.core.windows.net';

function entity(partition: string, row: string, members: string[] = []): StoredEntity {
  return { key: { partition, row }, text: entityText(partition, row, members) };
}

describe('a request that writes an entity', () => {
  it.each<[EntityWrite, string, string]>([
    ['insert', 'POST', 'orders'],
    ['replace', 'PUT', "orders(PartitionKey='it''s%20%25%2F',RowKey='%C3%A9()')"],
    ['merge', 'PATCH', "orders(PartitionKey='it''s%20%25%2F',RowKey='%C3%A9()')"],
  ])('%s sends %s %s', (how, method, path) => {
    const given = entity("it's %/", 'é()', ['"n":1', '"Timestamp":"2026-11-01T00:00:00Z"']);
    expect(writeRequest('orders', how, given)).toMatchObject({ method, path, body: given.text });
  });

  it('a request marks Doubles as such', () => {
    const { body } = writeRequest('orders', 'insert', entity('p', 'r', ['"x":3.0']));
    expect(body).toBe(entityText('p', 'r', ['"x@odata.type":"Edm.Double","x":3.0']));
  });
});

describe('a transaction', () => {
  it('a transaction holds the unchanged text of each entity, one after another', () => {
    const entities = [entity('p', '1', ['"s":"é\\u0000\\r\\n"']), entity('p', '2', ['"n":1'])];
    const { method, path, headers, body } = transactionRequest(ENDPOINT, 'orders', 'replace', entities);
    expect([method, path]).toEqual(['POST', '$batch']);
    const batch = /^multipart\/mixed; boundary=(batch_.+)$/.exec(headers?.['content-type'] ?? '')?.[1];
    const lines = body!.split('\r\n');
    expect(lines[0]).toBe(`--${batch}`);
    const changes = /^Content-Type: multipart\/mixed; boundary=(changeset_.+)$/.exec(lines[1]!)?.[1];
    expect(lines.slice(-3)).toEqual([`--${changes}--`, `--${batch}--`, '']);
    const parts = body!.split(`--${changes}\r\n`).slice(1);
    expect(parts).toHaveLength(2);
    for (const [index, part] of parts.entries()) {
      const [about, head, text] = part.split('\r\n\r\n');
      expect(about).toBe('Content-Type: application/http\r\nContent-Transfer-Encoding: binary');
      expect(head!.split('\r\n')[0]).toBe(`PUT ${ENDPOINT}/orders(PartitionKey='p',RowKey='${index + 1}') HTTP/1.1`);
      expect(text!.split('\r\n')[0]).toBe(entities[index]!.text);
    }
  });

  it('a transaction is never larger than the computed size of its entities', () => {
    const key = fc.string({ unit: fc.constantFrom(..."a%é日\u{1f600}'"), maxLength: 512 });
    const some = fc.array(fc.tuple(key, properties), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(key, some, fc.constantFrom<EntityWrite>('insert', 'replace', 'merge'), (partition, all, how) => {
        const entities = all.map(([row, members]) => entity(partition, row, members));
        const { body } = transactionRequest(`https://${'a'.repeat(250)}`, 't'.repeat(63), how, entities);
        const said = entities.reduce((sum, each) => sum + transactionBytes(how, each), 0);
        expect(Buffer.byteLength(body!)).toBeLessThanOrEqual(said);
      }),
    );
  });

  it('a transaction of small entities takes less than twice their size and a kibibyte each', () => {
    const small = entity('p', 'r', ['"n":1']);
    expect(transactionBytes('insert', small)).toBeLessThan(2 * small.text.length + 1024);
  });
});

describe('the answer to a transaction', () => {
  const answer = (...parts: string[]) => ({
    header: (name: string) => (name === 'content-type' ? 'multipart/mixed; boundary=batchresponse_1' : undefined),
    body: [
      '--batchresponse_1',
      'Content-Type: multipart/mixed; boundary=changesetresponse_2',
      '',
      ...parts.flatMap((part) => [
        '--changesetresponse_2',
        'Content-Type: application/http',
        'Content-Transfer-Encoding: binary',
        '',
        part,
        '',
      ]),
      '--changesetresponse_2--',
      '--batchresponse_1--',
      '',
    ].join('\r\n'),
  });
  const done = 'HTTP/1.1 204 No Content\r\nPreference-Applied: return-no-content\r\nDataServiceVersion: 3.0;\r\n';
  const refused = (status: number, code: string, message: string) =>
    `HTTP/1.1 ${status} Some Words\r\nContent-Type: application/json\r\n\r\n${JSON.stringify({
      'odata.error': { code, message: { lang: 'en-US', value: `${message}\nRequestId:1\nTime:2` } },
    })}`;

  it('an answer is good if it says so for every entity', () => {
    expect(() => checkTransaction(answer(done, done), 2)).not.toThrow();
  });

  it.each([
    ['names the entity at fault', refused(409, 'EntityAlreadyExists', '1:The specified entity already exists.'), 1],
    ['does not name the entity at fault', refused(400, 'InvalidInput', 'One of the inputs is not valid.'), undefined],
    [
      'names an entity that does not exist',
      refused(400, 'InvalidInput', '7:One of the inputs is not valid.'),
      undefined,
    ],
  ])('an answer is understood that %s', (_what, part, at) => {
    const [, status, code] = /^HTTP\/1\.1 (\d+).*"code":"(\w+)"/s.exec(part)!;
    expect(() => checkTransaction(answer(part), 2)).toThrow(
      expect.objectContaining({
        statusCode: Number(status),
        code,
        at,
        message: expect.stringMatching(/not valid|exists/),
      }),
    );
  });

  it('an answer about one entity concerns the only one there is', () => {
    const part = refused(400, 'InvalidInput', 'One of the inputs is not valid.');
    expect(() => checkTransaction(answer(part), 1)).toThrow(expect.objectContaining({ at: 0 }));
  });

  it.each([
    ['is cut short', (body: string) => body.slice(0, -10)],
    ['says nothing of one entity', (body: string) => body.replace('HTTP/1.1 204 No Content', '')],
    ['is empty', () => ''],
    ['is a page of HTML', () => '<p>Oops'],
  ])('an answer is refused if it %s', (_what, spoil) => {
    const { header, body } = answer(done, done);
    expect(() => checkTransaction({ header, body: spoil(body) }, 2)).toThrow(
      expect.objectContaining({ kind: 'server' }),
    );
  });
});
