import { BlockBlobClient, RestError, StorageSharedKeyCredential } from '@azure/storage-blob';
import type { TestAccount } from './accounts.ts';
import type { FaultRule, ProxiedRequest, ProxiedResponse } from './fault-proxy.ts';

/**
 * Carries out Put Block From URL for an Azurite that answers 501 to it: reads the range from the source, under the
 * source condition that was sent, and puts it as a block. The server has checked the request's signature by then. What
 * a newer Azurite answers itself passes unchanged.
 */
export function putBlockFromUrl(accounts: TestAccount[]): FaultRule {
  return {
    match: (request) => request.query.get('comp') === 'block' && 'x-ms-copy-source' in request.headers,
    after: (request, response) => (response.status === 501 ? carryOut(request, accounts) : response),
  };
}

async function carryOut(request: ProxiedRequest, accounts: TestAccount[]): Promise<ProxiedResponse> {
  const { 'x-ms-copy-source': source, 'x-ms-source-range': range, 'x-ms-source-if-match': ifMatch } = request.headers;
  const read = await fetch(source!, {
    headers: { ...(range ? { 'x-ms-range': range } : {}), ...(ifMatch ? { 'if-match': ifMatch } : {}) },
  });
  // Azurite says 412 also of a blob that is not there.
  if (read.status === 412 && (await fetch(source!, { method: 'HEAD' })).ok)
    return refused(412, 'SourceConditionNotMet');
  if (!read.ok) return refused(read.status === 412 ? 404 : read.status, 'CannotVerifyCopySource');
  const account = accounts.find(({ name }) => request.path.startsWith(`/${name}/`))!;
  const address = account.blobEndpoint + request.path.slice(account.name.length + 1);
  const client = new BlockBlobClient(address, new StorageSharedKeyCredential(account.name, account.key));
  const block = Buffer.from(await read.arrayBuffer());
  try {
    await client.stageBlock(request.query.get('blockid')!, block, block.length);
  } catch (error) {
    if (error instanceof RestError) return refused(error.statusCode!, error.code!);
    throw error;
  }
  return { status: 201, headers: {}, body: '' };
}

function refused(status: number, code: string): ProxiedResponse {
  return {
    status,
    headers: { 'x-ms-error-code': code, 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`,
  };
}
