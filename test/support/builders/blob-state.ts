import fc from 'fast-check';
import type { BlobState } from '#domain/blobs/blob.ts';

/** A small block blob, as a listing shows it, with any other fields. */
export function blobState(more: Partial<BlobState> = {}): BlobState {
  return {
    name: 'a.txt',
    etag: '0x1',
    lastModified: '2026-05-01T10:00:00.000Z',
    size: 10,
    type: 'block',
    ...more,
  };
}

/** Has few values per field, so that two blobs often agree in some of them. */
export const anyBlobState = fc
  .record(
    {
      etag: fc.constantFrom('0x1', '0x2', '0x3'),
      lastModified: fc.constantFrom('2026-05-01T10:00:00.000Z', '2026-05-01T11:00:00.000Z'),
      size: fc.constantFrom(0, 10, 11),
      type: fc.constantFrom('block', 'page', 'append'),
      tier: fc.constantFrom('Hot', 'Cool', 'Archive'),
      tierInferred: fc.boolean(),
      contentMd5: fc.constantFrom('AAAA', 'BBBB'),
      tagCount: fc.constantFrom(1, 2),
      tags: fc.constantFrom({ a: '1' }, { a: '1', b: '2' }, {}),
      metadata: fc.constantFrom({ Owner: 'x' }, { Owner: 'ü' }, {}),
      isDirectory: fc.constantFrom(false, false, false, false, true),
    },
    { requiredKeys: ['etag', 'lastModified', 'size', 'type'] },
  )
  .map((blob) => blobState(blob as Partial<BlobState>));
