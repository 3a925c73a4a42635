import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blobFilter } from '#domain/blobs/blob-filter.ts';
import { type Outcome, outcomeOf } from '#domain/run/outcome.ts';
import { PartWriter, readPart } from '#domain/run/part.ts';
import { readListing } from '#storage/azure/blobs/listing-reader.ts';
import { connectBlobAccount } from '#storage/azure/connect.ts';
import { StorageError } from '#storage/storage-error.ts';
import { blobState } from '../../support/builders/blob-state.ts';
import { HOSTILE_NAMES } from '../../support/builders/hostile-names.ts';

const account = connectBlobAccount({ alias: 'a', connectionString: 'AccountName=acct;AccountKey=eA==' });
const access = await account.readAccess('data', new Date(Date.now() + 60_000));

/** Hostile names, pieces of them put together, and whatever else a string can be. */
const anyName = fc.oneof(
  fc.constantFrom(...HOSTILE_NAMES),
  fc
    .array(fc.constantFrom(...HOSTILE_NAMES.filter(({ length }) => length < 12), '/', '.', '..', '\\', '%2f'), {
      minLength: 1,
      maxLength: 6,
    })
    .map((pieces) => pieces.join('')),
  fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }),
  fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 20 })
    .map((codes) => String.fromCharCode(...codes)),
);

const RUNS = { numRuns: 800, seed: 20_261_121 };

describe('names that chance makes', () => {
  it('are addressed only where the address leads to that name and that container', () => {
    let addressed = 0;
    fc.assert(
      fc.property(anyName, (name) => {
        if (!account.canAddress('data', name)) return;
        addressed++;
        const url = new URL(access.urlOf(name));
        // Again through a parser, as a proxy on the way would: nothing may be left that it would resolve.
        expect(new URL(url.href).pathname).toBe(url.pathname);
        expect(decodeURIComponent(url.pathname)).toBe(`/data/${name}`);
        expect([url.host, url.hash, url.searchParams.get('sr')]).toEqual(['acct.blob.core.windows.net', '', 'b']);
        // What Azure drops from the end of a segment is not there.
        expect(name.split('/').some((segment) => segment.endsWith('.'))).toBe(false);
      }),
      RUNS,
    );
    expect(addressed).toBeGreaterThan(200);
  });

  it('have addresses of their own: no two lead to one place', () => {
    const addresses = new Map<string, string>();
    fc.assert(
      fc.property(anyName, (name) => {
        if (!account.canAddress('data', name)) return;
        const address = new URL(access.urlOf(name)).pathname;
        expect(addresses.get(address) ?? name).toBe(name);
        addresses.set(address, name);
      }),
      RUNS,
    );
  });

  it('come back from a part as they are', () => {
    fc.assert(
      fc.property(fc.array(anyName, { maxLength: 30 }), fc.jsonValue(), (names, next) => {
        const writer = new PartWriter<Outcome>();
        const outcomes = names.map((name) => outcomeOf(blobState({ name }), 'copied', { message: name }));
        for (const outcome of outcomes) writer.add(outcome);
        const { items, end } = readPart<Outcome, object>(writer.finish({ next }).body, 'p');
        expect(items).toEqual(outcomes);
        expect(end).toEqual({ next: JSON.parse(JSON.stringify(next)), items: names.length });
      }),
      { ...RUNS, numRuns: 300 },
    );
  });

  it('are matched or not by any glob, and quickly', () => {
    const started = performance.now();
    fc.assert(
      fc.property(
        fc.array(fc.oneof(anyName, fc.constantFrom('**/*', '*.{a,b}', '[!a]*', '?'.repeat(50)))),
        anyName,
        (globs, name) => {
          let filter: (name: string) => boolean;
          try {
            filter = blobFilter({ include: globs.slice(0, 2), exclude: globs.slice(2, 4) });
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
            return;
          }
          expect(typeof filter(name)).toBe('boolean');
        },
      ),
      RUNS,
    );
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});

describe('listings that chance makes', () => {
  /** What XML 1.0 can carry; half a surrogate pair it cannot. */
  const carried = (name: string) =>
    name.isWellFormed() && ![...name].some((each) => each < ' ' || each === '\ufffe' || each === '\uffff');
  const escaped = (text: string) =>
    text.replace(/[&<>"']/g, (each) => `&#x${each.charCodeAt(0).toString(16)};`).replaceAll('\r', '&#13;');
  const blob = (name: string, metadata: Record<string, string>) => {
    // The service percent-encodes a name that XML cannot carry.
    const named = carried(name)
      ? `<Name>${escaped(name)}</Name>`
      : `<Name Encoded="true">${encodeURIComponent(name)}</Name>`;
    const entries = Object.entries(metadata).map(([key, value]) => `<${key}>${escaped(value)}</${key}>`);
    return (
      `<Blob>${named}<Properties><Last-Modified>Sat, 21 Nov 2026 05:57:45 GMT</Last-Modified><Etag>0x1</Etag>` +
      '<Content-Length>1</Content-Length><BlobType>BlockBlob</BlobType></Properties>' +
      `<Metadata>${entries.join('')}</Metadata></Blob>`
    );
  };
  const anyListing = fc.record({
    names: fc.uniqueArray(
      anyName.filter((name) => name.isWellFormed()),
      { maxLength: 6 },
    ),
    metadata: fc.dictionary(fc.stringMatching(/^[A-Za-z_]\w{0,8}$/), anyName.filter(carried), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
    next: fc.string(),
  });
  const listing = ({ names, metadata, next }: { names: string[]; metadata: Record<string, string>; next: string }) =>
    '<?xml version="1.0" encoding="utf-8"?><EnumerationResults>' +
    `<Blobs>${names.map((name) => blob(name, metadata)).join('')}</Blobs>` +
    `<NextMarker>${Buffer.from(next).toString('base64')}</NextMarker></EnumerationResults>`;

  it('give every name and all metadata back', () => {
    fc.assert(
      fc.property(anyListing, (wanted) => {
        const page = readListing(listing(wanted));
        expect(page.blobs.map(({ name }) => name)).toEqual(wanted.names);
        for (const { metadata } of page.blobs)
          expect(Object.entries(metadata!)).toEqual(Object.entries(wanted.metadata));
      }),
      { ...RUNS, numRuns: 500 },
    );
  });

  it('cut anywhere are refused, never read as shorter', () => {
    fc.assert(
      fc.property(anyListing, fc.nat(), (wanted, at) => {
        const whole = Buffer.from(listing(wanted));
        const cut = whole.subarray(0, at % whole.length);
        let found: unknown;
        try {
          found = readListing(cut);
        } catch (error) {
          expect(error).toBeInstanceOf(StorageError);
          return;
        }
        expect.unreachable(`${cut.length} of ${whole.length} bytes were read as ${JSON.stringify(found)}`);
      }),
      RUNS,
    );
  });

  it('with a byte changed are read as something, or refused as no listing, and nothing else happens', () => {
    fc.assert(
      fc.property(anyListing, fc.nat(), fc.nat(255), (wanted, at, byte) => {
        const changed = Buffer.from(listing(wanted));
        changed[at % changed.length] = byte;
        try {
          readListing(changed);
        } catch (error) {
          expect(error).toBeInstanceOf(StorageError);
        }
      }),
      RUNS,
    );
  });
});
