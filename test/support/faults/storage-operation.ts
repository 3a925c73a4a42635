/** The operation of a request and the storage that it is for, derived without code of the app. */
export interface StorageOperation {
  side: 'source' | 'vault' | 'control' | 'table';
  /** The name of the operation in the documentation of the service. */
  name: string;
  /** The kind of object, in the control container. */
  kind?: ControlKind;
  container: string;
  /** Decoded; '' if the request is about a container or the account. */
  blob: string;
}

export type ControlKind = 'lock' | 'chain' | 'summary' | 'manifest' | 'plan' | 'pending' | 'progress' | 'signs';

export interface AskedOf {
  service: 'blob' | 'table';
  method: string;
  /** Still percent-encoded, starting with the account, as for the emulator. */
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
}

export const CONTROL = 'strongroom';

export function storageOperation(request: AskedOf, sourceAccount: string): StorageOperation {
  const [, account = '', container = '', ...rest] = request.path.split('/');
  const blob = rest.map(decodeURIComponent).join('/');
  if (request.service === 'table') return { side: 'table', name: ofTable(request, container), container, blob };
  const name = ofBlobs(request, container, blob);
  if (account === sourceAccount) return { side: 'source', name, container, blob };
  if (container !== CONTROL) return { side: 'vault', name, container, blob };
  const kind = kindOf(blob);
  return { side: 'control', name, ...(kind && { kind }), container, blob };
}

/** `control.PutBlob:lock`: the name of an operation in cells and histories. */
export function nameOf({ side, name, kind }: StorageOperation): string {
  return `${side}.${name}${kind ? `:${kind}` : ''}`;
}

function kindOf(blob: string): ControlKind | undefined {
  if (blob.startsWith('locks/')) return 'lock';
  if (/^jobs\/[^/]+\/chain\//.test(blob)) return 'chain';
  const [, run = ''] = /^jobs\/[^/]+\/runs\/[^/]+\/(.+)$/.exec(blob) ?? [];
  if (run === 'run.json') return 'summary';
  if (run === 'signs') return 'signs';
  return (['manifest', 'plan', 'pending', 'progress'] as const).find((folder) => run.startsWith(`${folder}/`));
}

const COMPONENTS: Record<string, [read: string, write: string]> = {
  metadata: ['GetBlobMetadata', 'SetBlobMetadata'],
  properties: ['GetAccountProperties', 'SetBlobProperties'],
  tags: ['GetBlobTags', 'SetBlobTags'],
  blocklist: ['GetBlockList', 'PutBlockList'],
  tier: ['', 'SetBlobTier'],
  snapshot: ['', 'SnapshotBlob'],
  appendblock: ['', 'AppendBlock'],
  lease: ['', 'LeaseBlob'],
  copy: ['', 'AbortCopyBlob'],
  userdelegationkey: ['', 'GetUserDelegationKey'],
};

function ofBlobs({ method, query, headers }: AskedOf, container: string, blob: string): string {
  const component = query.get('comp');
  const writes = method === 'PUT' || method === 'POST';
  const copies = 'x-ms-copy-source' in headers;
  if (component === 'list') return container === '' ? 'ListContainers' : 'ListBlobs';
  if (component === 'block') return copies ? 'PutBlockFromURL' : 'PutBlock';
  if (component !== null) return COMPONENTS[component]?.[writes ? 1 : 0] || `${method} ${component}`;
  if (blob === '') {
    return writes ? 'CreateContainer' : method === 'DELETE' ? 'DeleteContainer' : 'GetContainerProperties';
  }
  if (method === 'HEAD') return 'GetBlobProperties';
  if (method === 'GET') return 'GetBlob';
  if (method === 'DELETE') return 'DeleteBlob';
  if (!copies) return 'PutBlob';
  return headers['x-ms-requires-sync'] === 'true' ? 'CopyBlobFromURL' : 'CopyBlob';
}

function ofTable({ method }: AskedOf, resource: string): string {
  if (resource === 'Tables') return method === 'POST' ? 'CreateTable' : 'QueryTables';
  if (method === 'GET') return 'QueryEntities';
  return method === 'PUT' ? 'InsertOrReplaceEntity' : `${method} entity`;
}
