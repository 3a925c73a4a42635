/** The REST operation of a blob request, by its name in the service's documentation. */
export function operationName(method: string, url: string, header: (name: string) => string | undefined): string {
  const query = queryOf(url);
  const component = query.get('comp');
  const onContainer = query.get('restype') === 'container';
  if (component === 'list') return onContainer ? 'ListBlobs' : 'ListContainers';
  if (component !== undefined) return componentOperation(method, component, header);
  if (onContainer) {
    return isWrite(method) ? 'CreateContainer' : method === 'DELETE' ? 'DeleteContainer' : 'GetContainerProperties';
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

function componentOperation(method: string, component: string, header: (name: string) => string | undefined): string {
  switch (component) {
    case 'metadata':
      return isWrite(method) ? 'SetBlobMetadata' : 'GetBlobMetadata';
    case 'properties':
      return isWrite(method) ? 'SetBlobProperties' : 'GetAccountProperties';
    case 'tier':
      return 'SetBlobTier';
    case 'tags':
      return isWrite(method) ? 'SetBlobTags' : 'GetBlobTags';
    case 'snapshot':
      return 'SnapshotBlob';
    case 'block':
      return header('x-ms-copy-source') ? 'PutBlockFromURL' : 'PutBlock';
    case 'appendblock':
      return 'AppendBlock';
    case 'blocklist':
      return isWrite(method) ? 'PutBlockList' : 'GetBlockList';
    case 'copy':
      return 'AbortCopyBlob';
    case 'acl':
      return isWrite(method) ? 'SetContainerACL' : 'GetContainerACL';
    case 'userdelegationkey':
      return 'GetUserDelegationKey';
    default:
      return `${method} ${component}`;
  }
}

function isWrite(method: string): boolean {
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
