import { expect, test } from 'vitest';
import { heldAs } from '#domain/copying/held.ts';
import { blobState } from '../../../support/builders/blob-state.ts';

const OUTCOME = { name: 'a.txt', etag: '0x1', modified: '2026-05-01T10:00:00.000Z', size: 10 };

test('the entry of a blob whose copy has all of its metadata repeats none of it', () => {
  const source = blobState({ metadata: { Author: 'Ada' } });
  expect(heldAs(source, 'copied', { method: 'sync', vaultEtag: '0xV' })).toStrictEqual({
    ...{ ...OUTCOME, status: 'copied' },
    ...{ method: 'sync', vaultEtag: '0xV' },
  });
});

test('I7: the entry of a blob whose copy lacks some of its metadata has all of it', () => {
  const metadata = { Author: 'Ada', strongroom_etag: 'forged' };
  expect(heldAs(blobState({ metadata }), 'unchanged', { vaultEtag: '0xV' })).toStrictEqual({
    ...{ ...OUTCOME, status: 'unchanged' },
    ...{ vaultEtag: '0xV', metadata },
  });
});
