import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  readRecord,
  recordOf,
  type SourceRecord,
  settableTier,
  tagFingerprint,
  withoutRecord,
  withRecord,
} from '#domain/copying/record.ts';
import { anyBlobState, blobState } from '../../../support/builders/blob-state.ts';

const key = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/).filter((name) => !/^strongroom_/i.test(name));
const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
const anyMetadata = fc.dictionary(key, value, { maxKeys: 6 });
const record: SourceRecord = { etag: '0x1', modified: '2026-05-01T10:00:00.000Z', run: 'r' };

describe('the record in metadata', () => {
  it('comes back as it was written, beside everything else', () => {
    fc.assert(
      fc.property(anyMetadata, anyBlobState, (metadata, blob) => {
        const written = recordOf(blob, 'nightly-20260501T000000Z-aaaaaa');
        const merged = withRecord(metadata, written)!;
        expect(readRecord(merged)).toEqual(written);
        expect(withoutRecord(merged)).toEqual({ ...metadata });
      }),
    );
  });

  it('comes back in whatever case the service gives its keys', () => {
    fc.assert(
      fc.property(anyMetadata, fc.boolean(), (metadata, upper) => {
        const cased = Object.entries(withRecord(metadata, { ...record, tier: 'Cool', tags: 'ab' })!).map(
          ([name, text]) => [upper ? name.toUpperCase() : name.toLowerCase(), text],
        );
        expect(readRecord(Object.fromEntries(cased))).toEqual({ ...record, tier: 'Cool', tags: 'ab' });
        expect(Object.keys(withoutRecord(Object.fromEntries(cased))).some((name) => /^strongroom_/i.test(name))).toBe(
          false,
        );
      }),
    );
  });

  it('replaces a record that came along with the source, whatever the case of its keys', () => {
    const old = { Strongroom_Etag: '0xOLD', STRONGROOM_RUN: 'old', strongroom_tier: 'Cool', strongroom_x: 'y', a: 'b' };
    expect(withRecord(old, record)).toEqual({
      a: 'b',
      strongroom_etag: '0x1',
      strongroom_modified: record.modified,
      strongroom_run: 'r',
    });
  });

  it.each([
    ['nothing', undefined],
    ['no metadata', {}],
    ['other metadata', { etag: '0x1', modified: 'x', run: 'r' }],
    ['half a record', { strongroom_etag: '0x1', strongroom_run: 'r' }],
  ])('is not seen in %s', (_what, metadata) => {
    expect(readRecord(metadata)).toBeUndefined();
  });

  it('does not change what it is given', () => {
    const metadata = Object.freeze({ a: 'b', strongroom_etag: 'old' });
    withRecord(metadata, record);
    withoutRecord(metadata);
    expect(metadata).toEqual({ a: 'b', strongroom_etag: 'old' });
  });
});

describe('I7: metadata that a header would not carry as it is keeps the copy without a record', () => {
  it.each([
    ['letters beyond ASCII', { a: 'grün' }],
    ['a control character', { a: 'x\u0007y' }],
    ['a line break', { a: 'x\r\ny: z' }],
    ['a space in front', { a: ' x' }],
    ['a space behind', { a: 'x ' }],
    ['an empty value', { a: '' }],
    ['a name beyond ASCII', { ä: 'x' }],
    ['a name with a hyphen', { 'a-b': 'x' }],
    ['a name beginning with a digit', { '1a': 'x' }],
  ])('%s', (_what, metadata) => {
    expect(withRecord(metadata, record)).toBeUndefined();
  });

  it('names and values together may have 8 KiB with the record, and not one more', () => {
    const taken = Object.entries(withRecord({}, record)!).reduce((sum, [k, v]) => sum + k.length + v.length, 0);
    const room = 8192 - taken - 1;
    expect(withRecord({ a: 'x'.repeat(room) }, record)).toBeDefined();
    expect(withRecord({ a: 'x'.repeat(room + 1) }, record)).toBeUndefined();
  });

  it('what is given back always fits a header', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string({ unit: 'binary' })), (metadata) => {
        for (const [name, text] of Object.entries(withRecord(metadata, record) ?? {})) {
          expect(name).toMatch(/^[\w]+$/);
          expect(text.trim()).toBe(text);
          expect(text).toMatch(/^[\x20-\x7e]+$/);
        }
      }),
    );
  });
});

describe('tiers', () => {
  it.each([
    [{ tier: 'Cool' }, 'Cool'],
    [{ tier: 'Hot', tierInferred: true }, undefined],
    [{ tier: 'Archive' }, undefined],
    [{ tier: 'Premium' }, undefined],
    [{ tier: 'Smart' }, undefined],
    [{ tier: 'P10', type: 'page' as const }, undefined],
    [{}, undefined],
  ])('of %j, %s is set on the copy', (blob, tier) => {
    expect(settableTier(blobState(blob))).toBe(tier);
  });
});

describe('the fingerprint of tags', () => {
  it('is the same for every order of them, and another for any other tags', () => {
    const tags = fc.dictionary(fc.string({ maxLength: 4 }), fc.string({ maxLength: 4 }), {
      maxKeys: 5,
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(tags, tags, (a, b) => {
        expect(tagFingerprint(Object.fromEntries(Object.entries(a).reverse()))).toBe(tagFingerprint(a));
        const same = JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
        expect(tagFingerprint(a) === tagFingerprint(b)).toBe(same);
      }),
    );
  });

  it('is none where there are none', () => {
    expect(tagFingerprint(undefined)).toBeUndefined();
    expect(tagFingerprint({})).toBeUndefined();
  });
});
