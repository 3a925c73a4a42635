import { expect, test } from 'vitest';
import { operationName } from '#storage/azure/blobs/operation-name.ts';
import { tableOperationName } from '#storage/azure/tables/table-operation-name.ts';

const AT = 'https://a.blob.core.windows.net';
const COPY = { 'x-ms-copy-source': 'https://s/x' };

test.each<[string, string, string, Record<string, string>?]>([
  ['ListContainers', 'GET', '/?comp=list&maxresults=5000'],
  ['ListBlobs', 'GET', '/c?restype=container&comp=list&include=metadata'],
  ['CreateContainer', 'PUT', '/c?restype=container'],
  ['DeleteContainer', 'DELETE', '/c?restype=container'],
  ['GetBlobProperties', 'HEAD', '/c/n?sv=1&sig=x'],
  ['GetBlob', 'GET', '/c/n'],
  ['GetBlob', 'GET', '/c/n?snapshot=2026-11-21T05%3A57%3A45.0000000Z'],
  ['PutBlob', 'PUT', '/c/n'],
  ['DeleteBlob', 'DELETE', '/c/n'],
  ['DeleteBlob', 'DELETE', '/c/n?snapshot=2026-11-21T05%3A57%3A45.0000000Z'],
  ['CopyBlob', 'PUT', '/c/n', COPY],
  ['CopyBlobFromURL', 'PUT', '/c/n', { ...COPY, 'x-ms-requires-sync': 'true' }],
  ['AbortCopyBlob', 'PUT', '/c/n?comp=copy&copyid=1'],
  ['PutBlock', 'PUT', '/c/n?comp=block&blockid=a'],
  ['PutBlockFromURL', 'PUT', '/c/n?comp=block&blockid=a', COPY],
  ['PutBlockList', 'PUT', '/c/n?comp=blocklist'],
  ['SnapshotBlob', 'PUT', '/c/n?comp=snapshot'],
  ['SetBlobMetadata', 'PUT', '/c/n?comp=metadata'],
  ['SetBlobTier', 'PUT', '/c/n?comp=tier'],
  ['SetBlobTags', 'PUT', '/c/n?comp=tags'],
  ['GetBlobTags', 'GET', '/c/n?comp=tags'],
  ['GetUserDelegationKey', 'POST', '/?restype=service&comp=userdelegationkey'],
  ['PUT lease', 'PUT', '/c/n?comp=lease'],
])('%s is %s %s', (name, method, path, headers = {}) => {
  expect(operationName(method, AT + path, (header) => headers[header])).toBe(name);
});

test.each([
  ['CreateTable', 'POST', '/Tables'],
  ['QueryEntities', 'GET', '/runs()?$filter=a'],
  ['QueryTables', 'GET', '/Tables?NextTableName=a'],
  ['DeleteTable', 'DELETE', "/Tables('runs')"],
  ['QueryEntities', 'GET', '/runs?$filter=a'],
  ['InsertEntity', 'POST', '/runs'],
  ['InsertOrReplaceEntity', 'PUT', "/runs(PartitionKey='run',RowKey='1')"],
  ['InsertOrReplaceEntity', 'PUT', "/runs(PartitionKey='%25%2F',RowKey='()')?sv=1"],
  ['InsertOrMergeEntity', 'PATCH', "/runs(PartitionKey='run',RowKey='1')"],
  ['ExecuteTransaction', 'POST', '/$batch'],
])('%s is %s %s', (name, method, path) => {
  expect(tableOperationName(method, `https://a.table.core.windows.net${path}`)).toBe(name);
});
