import { expect, test } from 'vitest';
import { nameOf, storageOperation } from '../../support/faults/storage-operation.ts';

test.each([
  ['GET', '/source?comp=list', {}, 'source.ListContainers'],
  ['GET', '/source/data?restype=container&comp=list&include=metadata', {}, 'source.ListBlobs'],
  ['GET', '/vault/strongroom?restype=container&comp=list', {}, 'control.ListBlobs'],
  ['PUT', '/vault/databackup?restype=container', {}, 'vault.CreateContainer'],
  ['PUT', '/vault/databackup/a', { 'x-ms-copy-source': 'x' }, 'vault.CopyBlob'],
  ['PUT', '/vault/databackup/a', { 'x-ms-copy-source': 'x', 'x-ms-requires-sync': 'true' }, 'vault.CopyBlobFromURL'],
  ['PUT', '/vault/databackup/a?comp=block&blockid=x', { 'x-ms-copy-source': 'x' }, 'vault.PutBlockFromURL'],
  ['PUT', '/vault/databackup/a?comp=blocklist', {}, 'vault.PutBlockList'],
  ['GET', '/vault/databackup/a?comp=blocklist', {}, 'vault.GetBlockList'],
  ['PUT', '/vault/databackup/a?comp=copy&copyid=x', {}, 'vault.AbortCopyBlob'],
  ['PUT', '/vault/databackup/a?comp=snapshot', {}, 'vault.SnapshotBlob'],
  ['HEAD', '/vault/databackup/a', {}, 'vault.GetBlobProperties'],
  ['DELETE', '/vault/databackup/a', {}, 'vault.DeleteBlob'],
  ['PUT', '/vault/strongroom/locks/nightly.json', {}, 'control.PutBlob:lock'],
  ['GET', '/vault/strongroom/jobs/n/runs/r/run.json', {}, 'control.GetBlob:summary'],
  ['PUT', '/vault/strongroom/jobs/n/runs/r/manifest/c/000000-slice.ndjson.gz', {}, 'control.PutBlob:manifest'],
  ['PUT', '/vault/strongroom/jobs/n/runs/r/pending/c/x.ndjson.gz', {}, 'control.PutBlob:pending'],
])('%s %s is the operation %4$s', (method, url, headers, name) => {
  const [path = '', query = ''] = url.split('?');
  const request = { service: 'blob' as const, method, path, query: new URLSearchParams(query), headers };
  expect(nameOf(storageOperation(request, 'source'))).toBe(name);
});

test('names are decoded, and tables are a side of their own', () => {
  const about = { method: 'PUT', query: new URLSearchParams(), headers: {} };
  expect(storageOperation({ ...about, service: 'blob', path: '/vault/databackup/%C3%BC/a%20b' }, 'source').blob).toBe(
    'ü/a b',
  );
  const entity = storageOperation(
    { ...about, service: 'table', path: "/vault/strongroom(PartitionKey='a')" },
    'source',
  );
  expect(nameOf(entity)).toBe('table.InsertOrReplaceEntity');
});
