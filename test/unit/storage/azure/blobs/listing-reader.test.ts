import {
  AnonymousCredential,
  BlobServiceClient,
  type ContainerListBlobFlatSegmentResponse,
  newPipeline,
} from '@azure/storage-blob';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCopiedByService } from '#domain/copying/record.ts';
import { readListing } from '#storage/azure/blobs/listing-reader.ts';
import type { BlobPage } from '#storage/blob-account.ts';
import { StorageError } from '#storage/storage-error.ts';

const SAMPLE = `<?xml version="1.0" encoding="utf-8"?>
<!-- one of each -->
<EnumerationResults ServiceEndpoint="https://acct.blob.core.windows.net/" ContainerName="data">
  <Prefix>a&amp;b</Prefix><MaxResults>5000</MaxResults><Delimiter>/</Delimiter>
  <Blobs>
    <Blob>
      <Name>a&amp;b/&lt;x&gt;&#13;&#xA;\u{1f600}</Name>
      <Properties>
        <Creation-Time>Fri, 20 Nov 2026 05:57:45 GMT</Creation-Time>
        <Last-Modified>Sat, 21 Nov 2026 05:57:45 GMT</Last-Modified>
        <Etag>0x8DC0000000000AB</Etag>
        <Content-Length>1234</Content-Length>
        <Content-Type>text/plain; charset=utf-8</Content-Type>
        <Content-Encoding /><Content-Language></Content-Language>
        <Content-MD5>XUFAKrxLKna5cZ2REBfFkg==</Content-MD5>
        <Cache-Control>no-cache</Cache-Control>
        <BlobType>BlockBlob</BlobType>
        <AccessTier>Archive</AccessTier><AccessTierInferred>true</AccessTierInferred>
        <ArchiveStatus>rehydrate-pending-to-hot</ArchiveStatus>
        <LeaseStatus>unlocked</LeaseStatus>
        <CopyId>1f8</CopyId><CopyStatus>failed</CopyStatus><CopyProgress>0/9</CopyProgress>
        <CopySource>https://other.example/x?sv=1&amp;sig=secret</CopySource>
        <CopyStatusDescription>404 &quot;gone&quot;</CopyStatusDescription>
        <TagCount>2</TagCount>
      </Properties>
      <Metadata><Name>evil</Name><Etag>0xEVIL</Etag><empty /><odd><![CDATA[a<b>]]>&amp;c</odd></Metadata>
      <Tags><TagSet><Tag><Key>k 1</Key><Value>v=1</Value></Tag><Tag><Key>k2</Key><Value /></Tag></TagSet></Tags>
      <OrMetadata><or-1_2>complete</or-1_2></OrMetadata>
    </Blob>
    <BlobPrefix><Name>dir/</Name></BlobPrefix>
    <BlobPrefix><Name Encoded="true">caf%C3%A9%EF%BF%BE/</Name><Properties><Etag>0x1</Etag></Properties></BlobPrefix>
  </Blobs>
  <NextMarker>2!92!MDAw&amp;</NextMarker>
</EnumerationResults>`;

function page(blobs: string, rest = '<NextMarker />'): string {
  return `<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>${blobs}</Blobs>${rest}</EnumerationResults>`;
}

const PROPERTIES =
  '<Last-Modified>Sat, 21 Nov 2026 05:57:45 GMT</Last-Modified><Etag>0x1</Etag><Content-Length>1</Content-Length><BlobType>BlockBlob</BlobType>';

function blob(fields: { before?: string; name?: string; properties?: string; after?: string } = {}): string {
  const { before = '', name = '<Name>n</Name>', properties = PROPERTIES, after = '' } = fields;
  return `<Blob>${before}${name}<Properties>${properties}</Properties>${after}</Blob>`;
}

function snapshotsAndVersionsIn({ blobs }: BlobPage) {
  return blobs.map(({ etag, snapshotOrVersion }) => [etag, snapshotOrVersion]);
}

function expectRefused(body: string): void {
  let thrown: unknown;
  try {
    readListing(body);
  } catch (error) {
    thrown = error;
  }
  expect(thrown, `a listing of ${body.length} characters`).toBeInstanceOf(StorageError);
  expect((thrown as StorageError).kind).toBe('server');
}

describe('readListing', () => {
  it('readListing reads the wanted fields of each blob, and nothing that only looks like them', () => {
    expect(readListing(SAMPLE, { contentHeaders: true })).toEqual({
      blobs: [
        {
          name: 'a&b/<x>\r\n\u{1f600}',
          lastModified: '2026-11-21T05:57:45.000Z',
          etag: '0x8DC0000000000AB',
          size: 1234,
          type: 'block',
          contentType: 'text/plain; charset=utf-8',
          contentMd5: 'XUFAKrxLKna5cZ2REBfFkg==',
          cacheControl: 'no-cache',
          tier: 'Archive',
          tierInferred: true,
          archiveStatus: 'rehydrate-pending-to-hot',
          tagCount: 2,
          metadata: { Name: 'evil', Etag: '0xEVIL', empty: '', odd: 'a<b>&c' },
          tags: { 'k 1': 'v=1', k2: '' },
          copy: { id: '1f8', status: 'failed', progress: '0/9', description: '404 "gone"', source: 'other.example/x' },
        },
      ],
      prefixes: ['dir/', 'café\ufffe/'],
      next: '2!92!MDAw&',
    });
  });

  it('readListing omits content headers unless requested, except the MD5', () => {
    const [first] = readListing(SAMPLE).blobs;
    expect(first).toMatchObject({ contentMd5: 'XUFAKrxLKna5cZ2REBfFkg==' });
    expect(first).not.toHaveProperty('contentType');
    expect(first).not.toHaveProperty('cacheControl');
  });

  it('readListing reads fields in any order', () => {
    const body = page(blob({ before: '<Metadata><a>1</a></Metadata><Future><Deep><Name>x</Name></Deep></Future>' }));
    expect(readListing(body).blobs).toMatchObject([{ name: 'n', etag: '0x1', metadata: { a: '1' } }]);
  });

  it('readListing distinguishes empty metadata from metadata that was not requested or is withheld', () => {
    const [none, notAsked, withheld] = readListing(
      page(blob({ after: '<Metadata />' }) + blob() + blob({ after: '<Metadata Encrypted="true" />' })),
    ).blobs;
    expect(none?.metadata).toEqual({});
    expect(notAsked).not.toHaveProperty('metadata');
    expect(withheld).not.toHaveProperty('metadata');
  });

  it('readListing keeps a metadata key that is special to JavaScript', () => {
    const [first] = readListing(page(blob({ after: '<Metadata><__proto__>x</__proto__></Metadata>' }))).blobs;
    expect(Object.entries(first!.metadata!)).toEqual([['__proto__', 'x']]);
  });

  it('readListing shows that there are keys it cannot show, so that the service copies the metadata', () => {
    const after = '<Metadata><a>b</a><x-ms-invalid-name>1a</x-ms-invalid-name></Metadata>';
    const [first] = readListing(page(blob({ after }))).blobs;
    expect(isCopiedByService(first!.metadata)).toBe(true);
  });

  it('readListing recognizes directories by their type, and not by metadata that a writer can set', () => {
    const typed = blob({ properties: `${PROPERTIES}<ResourceType>directory</ResourceType>` });
    const marked = blob({ after: '<Metadata><hdi_isfolder>true</hdi_isfolder></Metadata>' });
    const bare = `<Blob><Name>d</Name><Properties><Last-Modified>Sat, 21 Nov 2026 05:57:45 GMT</Last-Modified><Etag>0x1</Etag><ResourceType>directory</ResourceType></Properties></Blob>`;
    const { blobs } = readListing(page(typed + marked + bare + blob()));
    expect(blobs.map(({ isDirectory }) => isDirectory)).toEqual([true, undefined, true, undefined]);
    expect(blobs[2]).toMatchObject({ size: 0, type: 'block' });
  });

  it('readListing leaves out everything but base blobs', () => {
    const others = [
      '<Deleted>true</Deleted>',
      '<Snapshot>2026-11-21T05:57:45.0000000Z</Snapshot>',
      '<IsCurrentVersion>false</IsCurrentVersion>',
    ];
    const { blobs } = readListing(
      page(
        others.map((after) => blob({ after })).join('') +
          blob({ after: '<Deleted>false</Deleted><IsCurrentVersion>true</IsCurrentVersion>' }),
      ),
    );
    expect(blobs).toHaveLength(1);
  });

  const entry = (etag: string, after: string) =>
    blob({ properties: PROPERTIES.replace('0x1', etag), after: `${after}<Metadata />` });
  const SNAPSHOT = '2026-11-20T05:57:45.0000000Z';
  const VERSION = '2026-11-21T05:57:45.0000000Z';

  it('readListing shows requested snapshots and versions, before or after their base blob', () => {
    const body = page(
      entry('0xS', `<Snapshot>${SNAPSHOT}</Snapshot>`) +
        entry('0xV', `<VersionId>${VERSION}</VersionId>`) +
        entry('0xB', '<VersionId>2026-11-22T05:57:45.0000000Z</VersionId><IsCurrentVersion>true</IsCurrentVersion>') +
        entry('0xW', `<VersionId>${VERSION}</VersionId><IsCurrentVersion>false</IsCurrentVersion>`),
    );
    expect(snapshotsAndVersionsIn(readListing(body, { include: 'snapshots and versions' }))).toEqual([
      ['0xS', { snapshot: SNAPSHOT }],
      ['0xV', { version: VERSION }],
      ['0xB', undefined],
      ['0xW', { version: VERSION }],
    ]);
  });

  it('readListing reads a version that is not marked as current as a base blob only if versions were not requested', () => {
    const body = page(entry('0xV', `<VersionId>${VERSION}</VersionId>`));
    expect(snapshotsAndVersionsIn(readListing(body, { include: 'snapshots and versions' }))).toEqual([
      ['0xV', { version: VERSION }],
    ]);
    expect(snapshotsAndVersionsIn(readListing(body, { include: 'snapshots' }))).toEqual([['0xV', undefined]]);
    expect(snapshotsAndVersionsIn(readListing(body))).toEqual([['0xV', undefined]]);
  });

  it('readListing shows all versions of a deleted blob, and no base blob', () => {
    const versions = ['2026-11-19T00:00:00.0000000Z', '2026-11-20T00:00:00.0000000Z', VERSION];
    const body = page(
      versions.map((version, index) => entry(`0x${index}`, `<VersionId>${version}</VersionId>`)).join(''),
    );
    const { blobs } = readListing(body, { include: 'snapshots and versions' });
    expect(blobs.map(({ snapshotOrVersion }) => snapshotOrVersion)).toEqual(versions.map((version) => ({ version })));
  });

  it('readListing leaves out deleted entries of every kind', () => {
    const others = ['', `<Snapshot>${SNAPSHOT}</Snapshot>`, `<VersionId>${VERSION}</VersionId>`];
    const body = page(others.map((after) => entry('0x1', `<Deleted>true</Deleted>${after}`)).join(''));
    expect(readListing(body, { include: 'snapshots and versions' }).blobs).toEqual([]);
  });

  it('readListing reads blobs from before versioning, and empty snapshot elements, as base blobs', () => {
    const body = page(entry('0x1', '') + entry('0x2', '<Snapshot /><VersionId />'));
    expect(snapshotsAndVersionsIn(readListing(body, { include: 'snapshots and versions' }))).toEqual([
      ['0x1', undefined],
      ['0x2', undefined],
    ]);
  });

  it('readListing shows the copy source without its signature', () => {
    const copied = (source: string) =>
      blob({
        properties: `${PROPERTIES}<CopyId>1</CopyId><CopyStatus>success</CopyStatus><CopySource>${source}</CopySource>`,
      });
    const at = 'https://acct.blob.core.windows.net/data/a%20b';
    const { blobs } = readListing(
      page(copied(`${at}?sv=1&amp;sig=secret`) + copied(`${at}?snapshot=${SNAPSHOT}&amp;sig=secret`) + copied('odd')),
    );
    expect(blobs.map(({ copy }) => copy)).toEqual([
      { id: '1', status: 'success', source: 'acct.blob.core.windows.net/data/a%20b' },
      { id: '1', status: 'success', source: `acct.blob.core.windows.net/data/a%20b?snapshot=${SNAPSHOT}` },
      { id: '1', status: 'success' },
    ]);
  });

  it('readListing strips the quotes of ETags', () => {
    const quoted = PROPERTIES.replace('<Etag>0x1</Etag>', '<Etag>"0x1"</Etag>');
    expect(readListing(page(blob({ properties: quoted }))).blobs[0]?.etag).toBe('0x1');
  });

  it('readListing reads empty pages, with and without a next page', () => {
    expect(readListing(page(''))).toEqual({ blobs: [], prefixes: [] });
    expect(readListing('<EnumerationResults><Blobs/><NextMarker>m</NextMarker></EnumerationResults>')).toEqual({
      blobs: [],
      prefixes: [],
      next: 'm',
    });
  });

  it('readListing refuses a listing that is cut anywhere', () => {
    const bytes = Buffer.from(SAMPLE);
    for (let length = 0; length < bytes.length; length++) expectRefused(bytes.subarray(0, length).toString());
  });

  it('readListing never reads a listing with a hole as a shorter one', () => {
    const whole = readListing(SAMPLE, { contentHeaders: true });
    fc.assert(
      fc.property(fc.nat(SAMPLE.length - 1), fc.integer({ min: 1, max: 400 }), (at, length) => {
        const holed = SAMPLE.slice(0, at) + SAMPLE.slice(at + length);
        let read: typeof whole;
        try {
          read = readListing(holed, { contentHeaders: true });
        } catch (error) {
          expect(error).toBeInstanceOf(StorageError);
          return;
        }
        // A hole can swallow an entry only with both its tags, and there are but three of them.
        const entries = (holed.match(/<Blob>|<BlobPrefix>/g) ?? []).length;
        expect(read.blobs.length + read.prefixes.length).toBe(entries);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['nothing', ''],
    ['an error page', '<!DOCTYPE html><html><body>502</body></html>'],
    ['another document', '<Error><Code>ServerBusy</Code></Error>'],
    ['a document without a list', '<EnumerationResults><NextMarker /></EnumerationResults>'],
    ['two documents', `${page('')}${page('')}`],
    ['an unknown entity', page(blob({ name: '<Name>&nbsp;</Name>' }))],
    ['a bare ampersand', page(blob({ name: '<Name>a&b</Name>' }))],
    ['a reference out of range', page(blob({ name: '<Name>&#x110000;</Name>' }))],
    ['a bad percent-encoding', page(blob({ name: '<Name Encoded="true">%E9</Name>' }))],
    ['crossed tags', page('<Blob><Name>n</Blob></Name>')],
    ['elements in a name', page(blob({ name: '<Name>a<b/>c</Name>' }))],
    ['text between blobs', page(`${blob()}stray`)],
    ['no name', page(blob({ name: '' }))],
    ['no ETag', page(blob({ properties: PROPERTIES.replace(/<Etag>.*<\/Etag>/, '') }))],
    ['no size', page(blob({ properties: PROPERTIES.replace(/<Content-Length>.*<\/Content-Length>/, '') }))],
    ['an invalid size', page(blob({ properties: PROPERTIES.replace('>1<', '>-1<') }))],
    ['an unknown type', page(blob({ properties: PROPERTIES.replace('BlockBlob', 'Blob') }))],
    ['an invalid time', page(blob({ properties: PROPERTIES.replace('Nov', 'ovD') }))],
  ])('readListing refuses %s', (_what, body) => expectRefused(body));
});

describe('readListing beside the parser of the SDK', () => {
  // Without character references: the SDK's parser leaves those as they are, and reads a literal CR as LF.
  const character = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...'abcXYZ019/-_. ') },
    { weight: 3, arbitrary: fc.constantFrom(...'&<>"\'%#?+=;[]{}|^`~!@$*(),:') },
    { weight: 1, arbitrary: fc.constantFrom('é', 'ß', '中', '\u{1f600}', '\u202e', '\u00a0', '\n', '\t') },
  );
  const text = fc.array(character, { minLength: 1, maxLength: 24 }).map((characters) => `x${characters.join('')}x`);
  const key = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,10}$/).filter((name) => !(name in {}));
  const entry = fc.record({
    name: text,
    size: fc.nat(2 ** 40),
    etag: fc.stringMatching(/^0x[0-9A-F]{15}$/),
    seconds: fc.integer({ min: 0, max: 4_000_000_000 }),
    type: fc.constantFrom('BlockBlob', 'PageBlob', 'AppendBlob'),
    tier: fc.option(fc.constantFrom('Hot', 'Cool', 'Archive')),
    contentType: fc.option(text),
    metadata: fc.option(fc.dictionary(key, fc.oneof(text, fc.constant('')), { maxKeys: 4 })),
    tags: fc.option(fc.dictionary(text, text, { minKeys: 1, maxKeys: 3 })),
    copy: fc.option(fc.constantFrom('pending', 'success', 'failed', 'aborted')),
  });
  type Entry = typeof entry extends fc.Arbitrary<infer T> ? T : never;

  const escaped = (value: string) =>
    value.replace(/[&<>"']/g, (c) => `&${{ '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' }[c]};`);
  const element = (name: string, value: string) =>
    value === '' ? `<${name} />` : `<${name}>${escaped(value)}</${name}>`;
  const xmlOf = (each: Entry) =>
    `<Blob>${element('Name', each.name)}<Properties>${element('Last-Modified', new Date(each.seconds * 1000).toUTCString())}${element('Etag', each.etag)}${element('Content-Length', String(each.size))}${element('Content-Type', each.contentType ?? '')}<Content-MD5 />${element('BlobType', each.type)}${each.tier ? element('AccessTier', each.tier) : ''}<LeaseStatus>unlocked</LeaseStatus>${each.copy ? element('CopyId', 'id-1') + element('CopyStatus', each.copy) : ''}</Properties>${
      each.metadata
        ? `<Metadata>${Object.entries(each.metadata)
            .map(([k, v]) => element(k, v))
            .join('')}</Metadata>`
        : ''
    }${
      each.tags
        ? `<Tags><TagSet>${Object.entries(each.tags)
            .map(([k, v]) => `<Tag>${element('Key', k)}${element('Value', v)}</Tag>`)
            .join('')}</TagSet></Tags>`
        : ''
    }<OrMetadata /></Blob>`;

  it('both parsers read every generated listing alike', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 6 }), fc.option(text), async (entries, marker) => {
        const body = page(entries.map(xmlOf).join(''), element('NextMarker', marker ?? ''));
        const sdk = await parsedBySdk(body);
        const ours = readListing(body, { contentHeaders: true });
        expect(ours.next ?? '').toBe(sdk.continuationToken ?? '');
        const items = sdk.segment.blobItems;
        expect(ours.blobs).toHaveLength(items.length);
        ours.blobs.forEach((each, index) => {
          const item = items[index]!;
          const { properties } = item;
          expect(each.name).toBe(item.name);
          expect(each.size).toBe(properties.contentLength);
          expect(each.etag).toBe(properties.etag);
          expect(each.lastModified).toBe(properties.lastModified.toISOString());
          expect(`${each.type}blob`).toBe(properties.blobType?.toLowerCase());
          expect(each.tier).toBe(properties.accessTier);
          expect(each.contentType ?? '').toBe(properties.contentType ?? '');
          expect(each.copy?.status).toBe(properties.copyStatus);
          // The SDK reads an empty list of metadata as an empty string.
          expect(each.metadata ?? {}).toEqual(item.metadata || {});
          expect(each.tags).toEqual(item.tags);
        });
      }),
      { numRuns: 150 },
    );
  });
});

async function parsedBySdk(bodyAsText: string) {
  const pipeline = newPipeline(new AnonymousCredential(), {
    httpClient: {
      async sendRequest(request) {
        const headers = request.headers.clone();
        for (const name of headers.headerNames()) headers.remove(name);
        headers.set('content-type', 'application/xml');
        return { request, status: 200, headers, bodyAsText };
      },
    },
  });
  const container = new BlobServiceClient('https://acct.blob.core.windows.net', pipeline).getContainerClient('data');
  const { value } = await container.listBlobsFlat({ includeMetadata: true, includeTags: true }).byPage().next();
  return value as ContainerListBlobFlatSegmentResponse;
}
