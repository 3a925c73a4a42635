import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  beyondCopy,
  canBeSent,
  isCopiedByService,
  readRecord,
  recordOf,
  type SourceRecord,
  settableTier,
  tagFingerprint,
  tagsAreWithheld,
  unsettledIn,
  withMarks,
  withoutRecord,
  withRecord,
} from '#domain/copying/record.ts';
import { eventOwner } from '#domain/run/run-id.ts';
import { anyBlobState, blobState } from '../../../support/builders/blob-state.ts';

const RUN = 'nightly-20260501T000000Z-aaaaaa';
const key = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/).filter((name) => !/^strongroom_/i.test(name));
const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
const anyMetadata = fc.dictionary(key, value, { maxKeys: 6 });
const record: SourceRecord = { etag: '0x1', modified: '2026-05-01T10:00:00.000Z', run: RUN };
const written = {
  strongroom_etag: record.etag,
  strongroom_modified: record.modified,
  strongroom_run: record.run,
};

/** What a writer to the source may try, in any case: keys of ours, and the mark of a directory. */
const reserved = fc
  .tuple(
    fc.constantFrom(
      ...['strongroom_etag', 'strongroom_modified', 'strongroom_run', 'strongroom_tier', 'strongroom_tags'],
      ...['strongroom_x', 'strongroom_', 'hdi_isfolder'],
    ),
    fc.infiniteStream(fc.boolean()),
  )
  .map(([name, upper]) => [...name].map((letter) => (upper.next().value ? letter.toUpperCase() : letter)).join(''));
const anyKey = fc.oneof(key, reserved, fc.constantFrom('ä', 'a-b', '1a', '__proto__'));
const anyValue = fc.oneof(
  value,
  fc.constantFrom('', ' x', 'x ', 'grün', 'a\r\nb'),
  fc.constantFrom('0x1', '0x2', RUN, 'uploads-event-1'),
  fc.integer({ min: 1, max: 8192 }).map((length) => 'x'.repeat(length)),
);
const hostileMetadata = fc.array(fc.tuple(anyKey, anyValue), { maxLength: 8 }).map((all) => Object.fromEntries(all));

function sizeOf(metadata: Record<string, string>): number {
  return Object.entries(metadata).reduce((sum, [name, text]) => sum + name.length + text.length, 0);
}

describe('the record in metadata', () => {
  it('comes back as it was written, beside everything else', () => {
    fc.assert(
      fc.property(anyMetadata, anyBlobState, (metadata, blob) => {
        const own = recordOf(blob, RUN);
        const merged = withRecord(metadata, own)!;
        expect(readRecord(merged)).toEqual(own);
        expect(withoutRecord(merged)).toEqual({ ...metadata });
        expect(beyondCopy(metadata)).toBeUndefined();
      }),
    );
  });

  it('says which version the copy is of, its tier and its tags, and which run made it', () => {
    const tagged = blobState({ tier: 'Cool', tags: { a: '1', b: '2' }, size: 7, contentMd5: 'AA' });
    const tags = '5f13efef7cdd95e7a0171a4cc6ef6439';
    expect(recordOf(tagged, RUN)).toStrictEqual({ ...record, tier: 'Cool', tags });
  });

  it('says nothing of a tier or of tags that the source does not have', () => {
    const own = recordOf(blobState(), RUN);
    expect(own).toStrictEqual(record);
    expect(readRecord(withRecord(undefined, own))).toStrictEqual(record);
    expect(beyondCopy(undefined)).toBeUndefined();
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
    expect(withRecord(old, record)).toEqual({ a: 'b', ...written });
    expect(beyondCopy(old)).toBe(old);
  });

  it.each([
    ['nothing', undefined],
    ['no metadata', {}],
    ['other metadata', { etag: '0x1', modified: 'x', run: RUN }],
    ['half a record', { strongroom_etag: '0x1', strongroom_run: RUN }],
    ['a record without an ETag', { strongroom_modified: record.modified, strongroom_run: RUN }],
    ['a record without a run', { strongroom_etag: '0x1', strongroom_modified: record.modified }],
    ['keys that only end like ours', { forged_key_etag: '0x1', forged_key_modified: 'x', forged_key_run: RUN }],
    ['a record of nothing that makes copies', { ...written, strongroom_run: 'x' }],
    ['a record of an event without a rule', { ...written, strongroom_run: '-event-1' }],
  ])('is not seen in %s', (_what, metadata) => {
    expect(readRecord(metadata)).toBeUndefined();
  });

  it('names a run, or the owner of an upload', () => {
    for (const run of [RUN, eventOwner('uploads', 'scan-5d0a'), eventOwner('a-b', '7F_-x')]) {
      expect(readRecord({ ...written, strongroom_run: run })?.run).toBe(run);
    }
  });

  it('does not change what it is given', () => {
    const metadata = Object.freeze({ a: 'b', strongroom_etag: 'old' });
    withRecord(metadata, record);
    withoutRecord(metadata);
    expect(metadata).toEqual({ a: 'b', strongroom_etag: 'old' });
  });
});

describe('I10: whatever metadata a writer gives the source', () => {
  it('a copy has the record that we write, or metadata in which there is none', () => {
    fc.assert(
      fc.property(hostileMetadata, (metadata) => {
        const sent = withRecord(metadata, record);
        // Without metadata of its own, the service gives a copy that of the source.
        expect(readRecord(sent ?? metadata)).toEqual(sent && record);
        const names = Object.keys(sent ?? metadata).map((name) => name.toLowerCase());
        expect(names).not.toContain('hdi_isfolder');
        expect(names.filter((name) => name.startsWith('strongroom_'))).toHaveLength(sent ? 3 : 0);
      }),
      { numRuns: 2000 },
    );
  });

  it('the copy and what the entry says of it have everything together, and a copy of it is always possible', () => {
    fc.assert(
      fc.property(hostileMetadata, (metadata) => {
        const sent = withRecord(metadata, record);
        const entry = beyondCopy(metadata);
        expect(entry ?? withoutRecord(sent ?? metadata)).toEqual(metadata);
        if (sent) expect(sizeOf(sent)).toBeLessThanOrEqual(8192);
      }),
      { numRuns: 2000 },
    );
  });

  it('no later record takes the room of what an earlier copy carried', () => {
    const longest = { ...record, etag: `0x${'8'.repeat(62)}`, run: eventOwner('r'.repeat(40), 'e'.repeat(64)) };
    fc.assert(
      fc.property(hostileMetadata, (metadata) => {
        const one = withRecord(metadata, record);
        const other = withRecord(metadata, { ...longest, tier: 'unsettled', tags: 'f'.repeat(32) });
        expect(other && withoutRecord(other)).toEqual(one && withoutRecord(one));
        if (other) expect(sizeOf(other)).toBeLessThanOrEqual(8192);
      }),
      { numRuns: 2000 },
    );
  });

  it('a forged record of 8 KiB goes into the entry and not into the copy', () => {
    const forged = { strongroom_etag: '0x0', strongroom_modified: 'x', strongroom_run: RUN };
    const metadata = { ...forged, p: 'p'.repeat(8192 - sizeOf(forged) - 1) };
    expect(sizeOf(metadata)).toBe(8192);
    expect(withRecord(metadata, record)).toEqual(written);
    expect(beyondCopy(metadata)).toBe(metadata);
  });
});

describe('I7: the service copies metadata that a header would not carry as it is', () => {
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
  ])('%s; with a reserved key beside it, the copy has the record, and the entry has everything', (_what, own) => {
    const metadata = { z: 'z', ...own };
    expect(isCopiedByService(metadata)).toBe(true);
    expect(withRecord(metadata, record)).toBeUndefined();
    expect(beyondCopy(metadata)).toBeUndefined();
    for (const name of ['StrongRoom_x', 'HDI_IsFolder']) {
      const marked = { ...metadata, [name]: 'true' };
      expect(isCopiedByService(marked)).toBe(false);
      expect(withRecord(marked, record)).toEqual({ z: 'z', ...written });
      expect(beyondCopy(marked)).toBe(marked);
    }
  });

  it('a copy carries what the source lists first, as far as there is room beside the longest record', () => {
    const metadata = { a: 'x'.repeat(7000), b: 'x'.repeat(678), c: 'x' };
    expect(withRecord({ a: metadata.a, b: metadata.b }, record)).toEqual({ a: metadata.a, b: metadata.b, ...written });
    expect(beyondCopy({ a: metadata.a, b: metadata.b })).toBeUndefined();
    expect(withRecord(metadata, record)).toEqual({ a: metadata.a, b: metadata.b, ...written });
    expect(beyondCopy(metadata)).toBe(metadata);
  });

  it('what is given back always fits a header', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string({ unit: 'binary' })), (metadata) => {
        for (const [name, text] of Object.entries(withRecord({ ...metadata, hdi_isfolder: '' }, record)!)) {
          expect(name).toMatch(/^[\w]+$/);
          expect(text.trim()).toBe(text);
          expect(text).toMatch(/^[\x20-\x7e]+$/);
        }
      }),
    );
  });
});

describe('whether headers can carry metadata', () => {
  it('is the question of 8 KiB of names and values together', () => {
    expect(canBeSent({ ab: 'x'.repeat(4000), cd: 'x'.repeat(4188) })).toBe(true);
    expect(canBeSent({ ab: 'x'.repeat(4000), cd: 'x'.repeat(4189) })).toBe(false);
  });

  it.each([{}, { a: 'b' }, { _: '!' }, { A9_: '~ ~' }])('has the answer yes for %j', (metadata) => {
    expect(canBeSent(metadata)).toBe(true);
  });
});

describe('the marks of what is not settled', () => {
  const metadata = { Author: 'Ada', Strongroom_Tier: 'Cool', strongroom_tags: 'f00d', ...written };

  it('replace what the record says, in whatever case the service gives its keys, and nothing else', () => {
    const { Strongroom_Tier: _, ...others } = metadata;
    expect(withMarks(metadata, { tier: 'unsettled' })).toEqual({ ...others, strongroom_tier: 'unsettled' });
    expect(withMarks(metadata, { tier: 'Hot', tags: 'unsettled' })).toEqual({
      ...{ Author: 'Ada', ...written },
      ...{ strongroom_tier: 'Hot', strongroom_tags: 'unsettled' },
    });
    expect(withMarks(metadata, {})).toEqual(metadata);
    expect(withMarks(undefined, { tags: 'unsettled' })).toEqual({ strongroom_tags: 'unsettled' });
  });

  it.each([
    [undefined, {}],
    [record, {}],
    [{ ...record, tier: 'Cool', tags: 'f00d' }, {}],
    [{ ...record, tier: 'unsettled', tags: 'f00d' }, { tier: 'unsettled' }],
    [{ ...record, tier: 'Cool', tags: 'unsettled' }, { tags: 'unsettled' }],
    [
      { ...record, tier: 'unsettled', tags: 'unsettled' },
      { tier: 'unsettled', tags: 'unsettled' },
    ],
  ])('in the record %j are %j, which the next copy passes on', (own, marks) => {
    expect(unsettledIn(own)).toStrictEqual(marks);
  });
});

describe('tiers', () => {
  it.each([
    [{ tier: 'Hot' }, 'Hot'],
    [{ tier: 'Cool' }, 'Cool'],
    [{ tier: 'Cold' }, 'Cold'],
    [{ tier: 'Hot', type: 'append' as const }, undefined],
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

  it('is the one that the vault has had from the first release: another one would set all tags once more', () => {
    expect(tagFingerprint({ b: '2', a: '1' })).toBe('5f13efef7cdd95e7a0171a4cc6ef6439');
  });
});

describe('tags are withheld from an app that may not read them', () => {
  it.each([
    [{ tagCount: 1 }, true],
    [{ tagCount: 0 }, false],
    [{}, false],
    [{ tagCount: 1, tags: { a: '1' } }, false],
  ])('in %j: %s', (blob, withheld) => {
    expect(tagsAreWithheld(blobState(blob))).toBe(withheld);
  });
});
