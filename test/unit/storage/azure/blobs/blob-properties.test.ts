import type { BlobGetPropertiesResponse } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import { blobStateOf } from '#storage/azure/blobs/blob-properties.ts';

function answer(headers: Record<string, string>, metadata: Record<string, string>): BlobGetPropertiesResponse {
  const _response = { headers: { get: (name: string) => headers[name] } };
  return { etag: '"0x1"', contentLength: 4, blobType: 'BlockBlob', metadata, _response } as never;
}

test('I10: a blob is a directory if the service says so, and not if its writer does', () => {
  const marked = { hdi_isfolder: 'true' };
  expect(blobStateOf('a', answer({}, marked))).not.toHaveProperty('isDirectory');
  expect(blobStateOf('a', answer({ 'x-ms-resource-type': 'file' }, marked))).not.toHaveProperty('isDirectory');
  expect(blobStateOf('a', answer({ 'x-ms-resource-type': 'directory' }, {}))).toMatchObject({ isDirectory: true });
});
