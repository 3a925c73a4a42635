import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { canBeSent, recordOf, withRecord } from '#domain/copying/record.ts';
import { hasRecord, lacksOf, restoredMetadata } from '#domain/restore/restored-metadata.ts';
import type { BlobEntry } from '#domain/run/outcome.ts';
import { blobState } from '../../../support/builders/blob-state.ts';

const ENTRY: BlobEntry = { name: 'a.txt', etag: '0xS1', modified: '2026-05-01T10:00:00.000Z', size: 10 };
const RECORD = withRecord({}, recordOf(blobState({ etag: '0xS1' }), 'nightly-20260501T000000Z-aaaaaa'))!;

type Metadata = Record<string, string>;
const restored = (held: Metadata, metadata?: Metadata) =>
  restoredMetadata({ ...ENTRY, ...(metadata && { metadata }) }, blobState({ metadata: held }));

describe('the metadata of a restored blob', () => {
  it('is that of the copy without our record', () => {
    expect(restored({ Author: 'Ada', ...RECORD })).toEqual({ metadata: { Author: 'Ada' }, how: 'sent', lost: [] });
  });

  it('is all that the source had if the restore point has it, keys of ours and of directories included', () => {
    const own = {
      Author: 'Ada',
      strongroom_etag: 'forged',
      Strongroom_Run: 'x',
      hdi_isfolder: 'true',
      constructor: 'y',
    };
    expect(restored({ Author: 'Ada', ...RECORD }, own)).toEqual({ metadata: own, how: 'sent', lost: [] });
  });

  it('is carried by the service if no header can carry it and the copy has no record', () => {
    const own = { Author: 'Zoë', Empty: '' };
    expect(restored(own)).toEqual({ metadata: own, how: 'carried', lost: [] });
  });

  it('is cleared if it is empty and the copy has a record', () => {
    expect(restored(RECORD)).toEqual({ metadata: {}, how: 'cleared', lost: [] });
    expect(restored(RECORD, { Author: 'Zoë' })).toEqual({ metadata: {}, how: 'cleared', lost: ['Author'] });
    expect(restored({})).toEqual({ metadata: {}, how: 'carried', lost: [] });
  });

  it('is cleared if nothing of it can be sent, and the service would copy something else', () => {
    const lost = { metadata: {}, lost: ['Author'] };
    expect(restored({ Author: 'Ada' }, { Author: 'Zoë' })).toEqual({ ...lost, how: 'cleared' });
    expect(restored({}, { Author: 'Zoë' })).toEqual({ ...lost, how: 'carried' });
    // The service would copy the record along.
    expect(restored({ Author: 'Zoë', ...RECORD })).toEqual({ ...lost, how: 'cleared' });
    expect(restored({ Author: 'Zoë', Title: 'x', ...RECORD })).toEqual({
      ...{ metadata: { Title: 'x' }, how: 'sent' },
      lost: ['Author'],
    });
  });

  it('is known to have a record, or a part of it, in any case of its keys', () => {
    expect(hasRecord(blobState({ metadata: { Author: 'Ada', Strongroom_Tier: 'Cool' } }))).toBe(true);
    for (const metadata of [{ Author: 'Ada' }, {}]) expect(hasRecord(blobState({ metadata }))).toBe(false);
    expect(hasRecord(blobState())).toBe(false);
  });

  it('names what no header can carry', () => {
    const own = { Author: 'Zoë', strongroom_x: '1', Outer: ' spaces ', toString: '' };
    const result = restored(RECORD, own);
    expect(result).toEqual({ metadata: { strongroom_x: '1' }, how: 'sent', lost: ['Author', 'Outer', 'toString'] });
    expect(lacksOf(result)).toEqual({
      code: 'metadata-not-kept',
      message: 'It was restored without the metadata "Author", "Outer", "toString"',
    });
    expect(lacksOf(result, 'tier-not-kept')).toEqual({
      code: 'metadata-not-kept',
      message: 'It was restored without the metadata "Author", "Outer", "toString"; also: tier-not-kept',
    });
    expect(lacksOf(restored(RECORD), 'tier-not-kept')).toEqual({ code: 'tier-not-kept' });
    const many = (length: number) =>
      restored(RECORD, Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, ''])));
    expect(lacksOf(many(10)).message).toMatch(/"k8", "k9"$/);
    expect(lacksOf(many(12)).message).toMatch(/"k9" and 2 more$/);
    expect(lacksOf(restored(RECORD))).toStrictEqual({});
  });
});

const key = fc.constantFrom('Author', 'strongroom_etag', 'STRONGROOM_RUN', 'hdi_isfolder', '__proto__', 'constructor');
const value = fc.constantFrom('x', 'ü', '', ' x', 'y'.repeat(100));
const metadata = fc
  .array(fc.tuple(key, value), { maxLength: 6 })
  .map((entries): Metadata => Object.fromEntries(entries));

test('every entry that the source had is sent as it was, or named; and no record of ours is sent', () => {
  fc.assert(
    fc.property(metadata, metadata, fc.boolean(), (all, beside, isRecorded) => {
      const result = restored({ ...beside, ...(isRecorded && RECORD) }, all);
      expect(Object.entries(result.metadata).every(([name, text]) => all[name] === text)).toBe(true);
      expect([...Object.keys(result.metadata), ...result.lost].sort()).toEqual(Object.keys(all).sort());
      expect(result.how === 'sent').toBe(Object.keys(result.metadata).length > 0);
      if (result.how === 'sent') expect(canBeSent(result.metadata)).toBe(true);
    }),
  );
});
