import { expect, test } from 'vitest';
import { uploadId } from '#functions/archive/upload-id.ts';

/** As the real host passes them. */
const PROPERTIES = {
  lastModified: '2026-11-30T10:00:00+00:00',
  contentHash: 'XUFAKrxLKna5cZ2REBfFkg==',
  contentLength: 5,
  eTag: {},
};

test('each attempt to archive an upload of a blob trigger has the same id, whatever the case of the keys', () => {
  const id = uploadId('a/b', PROPERTIES);
  expect(id).toMatch(/^scan-[0-9a-f]{32}$/);
  expect(uploadId('a/b', structuredClone(PROPERTIES))).toBe(id);
  const upper = Object.fromEntries(
    Object.entries(PROPERTIES).map(([key, value]) => [key[0]!.toUpperCase() + key.slice(1), value]),
  );
  expect(uploadId('a/b', upper)).toBe(id);
});

test('versions that differ in name, time, content or length have different ids', () => {
  const changes = [
    { lastModified: '2026-11-30T10:00:01+00:00' },
    { contentHash: 'fVBTxEmSiVWjYAHKPqN7Jw==' },
    { contentLength: 6 },
    { contentHash: null },
  ];
  const ids = [
    uploadId('a', PROPERTIES),
    uploadId('b', PROPERTIES),
    ...changes.map((change) => uploadId('a', { ...PROPERTIES, ...change })),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});

test('without a time, versions cannot be told apart', () => {
  for (const odd of [undefined, null, 'text', {}, { lastModified: {} }, { lastModified: '' }]) {
    expect(uploadId('a', odd)).toBeUndefined();
  }
});
