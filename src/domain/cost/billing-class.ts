/**
 * How Azure bills an operation. `tier` is a read or a write, which depends on the tiers before and after; `unknown` is
 * an operation that this table does not have.
 */
export type BillingClass = 'write' | 'read' | 'list' | 'other' | 'free' | 'tier' | 'table' | 'unknown';

/** The classes of general-purpose v2 accounts, by the names under which a run counts its requests. */
const OPERATIONS: Record<Exclude<BillingClass, 'unknown'>, readonly string[]> = {
  write: [
    ...['PutBlob', 'PutBlock', 'PutBlockList', 'AppendBlock', 'PUT seal'],
    ...['CopyBlob', 'CopyBlobFromURL', 'PutBlockFromURL'],
  ],
  read: ['GetBlob'],
  list: ['ListBlobs', 'ListContainers', 'CreateContainer'],
  other: [
    ...['GetBlobProperties', 'SetBlobProperties', 'GetBlobMetadata', 'SetBlobMetadata', 'GetBlobTags', 'SetBlobTags'],
    ...['GetContainerProperties', 'GetContainerACL', 'SetContainerACL', 'GetAccountProperties', 'GetBlockList'],
    ...['SnapshotBlob', 'AbortCopyBlob', 'GetUserDelegationKey'],
  ],
  free: ['DeleteBlob', 'DeleteContainer'],
  tier: ['SetBlobTier'],
  table: [
    ...['QueryTables', 'CreateTable', 'DeleteTable', 'GetTableACL', 'SetTableACL', 'QueryEntities'],
    ...['ExecuteTransaction', 'InsertEntity', 'InsertOrReplaceEntity', 'InsertOrMergeEntity'],
  ],
};

const CLASSES = new Map(
  Object.entries(OPERATIONS).flatMap(([name, operations]) =>
    operations.map((operation) => [operation, name as BillingClass] as const),
  ),
);

export function billingClassOf(operation: string): BillingClass {
  return CLASSES.get(operation) ?? 'unknown';
}

/** Operations that write content of another blob: the service reads that blob, which its account pays. */
const COPYING = new Set(['CopyBlob', 'CopyBlobFromURL', 'PutBlockFromURL']);

export function readsSource(operation: string): boolean {
  return COPYING.has(operation);
}
