// The child process of the stand-in server. It ends with its parent.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { listingPage, rcloneRecord, strongroomRecord } from './generated-listing.ts';
import { GeneratedTable } from './generated-table.ts';
import { KeptObjects } from './kept-objects.ts';
import { countRequests } from './request-counter.ts';
import { STAND_IN } from './stand-in.ts';
import { TableAnswers } from './table-answers.ts';

const [containers = 0, blobsPerContainer = 0, entities = 0] = process.argv.slice(2).map(Number);
const SOURCES = Array.from({ length: containers }, (_, index) => `data${index}`);
const BACKUPS = SOURCES.map((name) => `${name}backup`);
const PAGE = 5000;

/** The names of the generated containers of each account, and the metadata of their blobs. */
const GENERATED: Record<string, { names: string[]; metadataOf?: (index: number) => string }> = {
  [STAND_IN.source]: { names: SOURCES },
  [STAND_IN.unchanged]: { names: BACKUPS, metadataOf: strongroomRecord },
  [STAND_IN.unchangedByRclone]: { names: SOURCES, metadataOf: rcloneRecord },
  [STAND_IN.empty]: { names: [] },
};

const kept = new KeptObjects();
const created = new Set<string>();
const sourceTables = new TableAnswers(new GeneratedTable(entities));

process.on('disconnect', () => process.exit());
countRequests();
const blobs = await listen(answerBlobs);
const tables = await listen(answerTables);
console.log(`Blob service is successfully listening at http://127.0.0.1:${blobs}`);
console.log(`Table service is successfully listening at http://127.0.0.1:${tables}`);

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Promise<number> {
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => send(response, 500, `<Error><Message>${error}</Message></Error>`));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

async function answerBlobs(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const [account = '', container = '', ...rest] = url.pathname.slice(1).split('/');
  const path = `${account}/${container}/${rest.map(decodeURIComponent).join('/')}`;
  const query = url.searchParams;
  const body = await buffer(request);
  if (query.get('comp') === 'list') {
    if (query.get('restype') !== 'container') return send(response, 200, containerList(account));
    const listing = blobList(account, container, query);
    return listing === undefined ? missing(response, 'ContainerNotFound') : send(response, 200, listing);
  }
  if (query.get('restype') === 'container') {
    created.add(`${account}/${container}`);
    return send(response, request.method === 'PUT' ? 201 : 200, '', { etag: '"0x1"' });
  }
  if (request.method === 'PUT') {
    if (request.headers['x-ms-copy-source'] !== undefined) return copied(request, response);
    const written = kept.put(path, body, request.headers as Record<string, string>);
    if (written) return send(response, 201, '', { etag: written.etag });
    return send(response, 412, '', { 'x-ms-error-code': 'ConditionNotMet' });
  }
  const found = kept.get(path);
  if (found === undefined) return missing(response, 'BlobNotFound');
  const { etag, headers } = found;
  send(response, 200, found.body, {
    ...headers,
    etag,
    'x-ms-blob-type': 'BlockBlob',
    'last-modified': 'Sun, 22 Nov 2026 01:30:12 GMT',
    'content-length': String(found.body.length),
  });
}

function containerList(account: string): string {
  const names = GENERATED[account]?.names ?? [];
  const entries = names.map(
    (name) =>
      `<Container><Name>${name}</Name><Properties><Last-Modified>Sun, 22 Nov 2026 01:30:12 GMT</Last-Modified><Etag>"0x1"</Etag></Properties></Container>`,
  );
  return `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="x"><Containers>${entries.join('')}</Containers><NextMarker/></EnumerationResults>`;
}

function blobList(account: string, container: string, query: URLSearchParams): string | undefined {
  const generated = GENERATED[account];
  if (!generated?.names.includes(container)) {
    const name = `${account}/${container}`;
    const isThere = created.has(name) || container === 'strongroom';
    return isThere ? kept.list(name, query.get('prefix') ?? '', query.get('delimiter')) : undefined;
  }
  const from = Number(query.get('marker') ?? 0);
  return listingPage({
    endpoint: `http://127.0.0.1/${account}`,
    container,
    from,
    to: Math.min(from + Math.min(Number(query.get('maxresults') ?? PAGE), PAGE), blobsPerContainer),
    total: blobsPerContainer,
    metadataOf: generated.metadataOf,
  });
}

function copied(request: IncomingMessage, response: ServerResponse): void {
  const synchronous = request.headers['x-ms-requires-sync'] === 'true';
  send(response, 202, '', {
    etag: '"0x8DE4A000000000001"',
    'last-modified': 'Sun, 22 Nov 2026 01:30:12 GMT',
    'x-ms-copy-id': '7d0a1d1c-56c5-4c0b-9d4e-000000000001',
    'x-ms-copy-status': 'success',
    ...(synchronous && { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' }),
  });
}

/** The source's tables; in any other account, a table that accepts every row and stores none. */
async function answerTables(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const sent = await buffer(request);
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const [account, ...resource] = pathname.slice(1).split('/').map(decodeURIComponent);
  if (account === STAND_IN.source) {
    const { method = '' } = request;
    const {
      status,
      headers,
      body = '',
    } = sourceTables.answer(method, resource.join('/'), searchParams, sent.toString());
    return send(response, status, body, headers);
  }
  if (request.method === 'GET') return send(response, 200, '{"value":[]}', { 'content-type': 'application/json' });
  send(response, 204, '', { etag: 'W/"1"' });
}

function missing(response: ServerResponse, code: string): void {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  send(response, 404, body, { 'x-ms-error-code': code });
}

function send(
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/xml', 'x-ms-version': '2025-11-05', ...headers });
  // In two steps, so the answer is sent in chunks, as listings are.
  if (body.length > 0) response.write(body);
  response.end();
}
