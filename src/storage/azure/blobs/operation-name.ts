/** The REST operation that a request is, under the name the service's documentation gives it. */
export function operationName(method: string, url: string, header: (name: string) => string | undefined): string {
  const query = queryOf(url);
  const component = query.get('comp');
  const kind = query.get('restype');
  switch (component) {
    case 'list':
      return kind === 'container' ? 'ListBlobs' : 'ListContainers';
    case 'metadata':
      return write(method) ? 'SetBlobMetadata' : 'GetBlobMetadata';
    case 'properties':
      return write(method) ? 'SetBlobProperties' : 'GetAccountProperties';
    case 'tier':
      return 'SetBlobTier';
    case 'tags':
      return write(method) ? 'SetBlobTags' : 'GetBlobTags';
    case 'snapshot':
      return 'SnapshotBlob';
    case 'block':
      return header('x-ms-copy-source') ? 'PutBlockFromURL' : 'PutBlock';
    case 'blocklist':
      return write(method) ? 'PutBlockList' : 'GetBlockList';
    case 'copy':
      return 'AbortCopyBlob';
    case 'userdelegationkey':
      return 'GetUserDelegationKey';
    case undefined:
      break;
    default:
      return `${method} ${component}`;
  }
  if (kind === 'container') {
    return write(method) ? 'CreateContainer' : method === 'DELETE' ? 'DeleteContainer' : 'GetContainerProperties';
  }
  switch (method) {
    case 'HEAD':
      return 'GetBlobProperties';
    case 'GET':
      return 'GetBlob';
    case 'DELETE':
      return 'DeleteBlob';
    default:
      if (!header('x-ms-copy-source')) return 'PutBlob';
      return header('x-ms-requires-sync') === 'true' ? 'CopyBlobFromURL' : 'CopyBlob';
  }
}

/** The same for the table service, whose addresses say it in their own way. */
export function tableOperationName(method: string, url: string): string {
  const resource = url.replace(/\?.*$/s, '').replace(/^.*\//s, '');
  if (resource === 'Tables') return method === 'POST' ? 'CreateTable' : 'QueryTables';
  if (resource === '$batch') return 'ExecuteTransaction';
  if (resource.startsWith('Tables(')) return method === 'DELETE' ? 'DeleteTable' : `${method} table`;
  switch (method) {
    case 'GET':
      return 'QueryEntities';
    case 'POST':
      return 'InsertEntity';
    case 'PUT':
      return 'InsertOrReplaceEntity';
    case 'PATCH':
    case 'MERGE':
      return 'InsertOrMergeEntity';
    default:
      return `${method} entity`;
  }
}

function write(method: string): boolean {
  return method === 'PUT' || method === 'POST';
}

function queryOf(url: string): Map<string, string> {
  const query = new Map<string, string>();
  const start = url.indexOf('?');
  if (start < 0) return query;
  for (const pair of url.slice(start + 1).split('&')) {
    const cut = pair.indexOf('=');
    if (cut > 0) query.set(pair.slice(0, cut), pair.slice(cut + 1));
  }
  return query;
}
