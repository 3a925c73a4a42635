/** Listings of blobs that exist only as numbers, with the fields and the order of the service. */

const MODIFIED = 'Sat, 21 Nov 2026 05:57:45 GMT';
const MODIFIED_ISO = '2026-11-21T05:57:45.000Z';
const COPIED = 'Sun, 22 Nov 2026 01:30:12 GMT';
const PER_FOLDER = 50;

export interface GeneratedPage {
  endpoint: string;
  container: string;
  from: number;
  to: number;
  /** The total number of blobs. */
  total: number;
  /** Undefined for the source; for a backup container, the metadata that its tool writes. */
  metadataOf: ((index: number) => string) | undefined;
}

export function listingPage({ endpoint, container, from, to, total, metadataOf }: GeneratedPage): string {
  const blobs: string[] = [];
  for (let index = from; index < to; index++) blobs.push(blobEntry(index, metadataOf));
  const next = to < total ? `<NextMarker>${to}</NextMarker>` : '<NextMarker/>';
  return `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="${endpoint}" ContainerName="${container}"><MaxResults>5000</MaxResults><Blobs>${blobs.join('')}</Blobs>${next}</EnumerationResults>`;
}

function blobEntry(index: number, metadataOf: GeneratedPage['metadataOf']): string {
  const modified = metadataOf ? COPIED : MODIFIED;
  const etag = metadataOf ? `0x8DE4A${hex(index)}` : sourceEtag(index);
  const copy = metadataOf
    ? `<CopyId>7d0a1d1c-56c5-4c0b-9d4e-${hex(index)}</CopyId><CopySource>https://source.blob.core.windows.net/data/${nameOf(index)}</CopySource><CopyStatus>success</CopyStatus><CopyProgress>4096/4096</CopyProgress><CopyCompletionTime>${COPIED}</CopyCompletionTime>`
    : '';
  return (
    `<Blob><Name>${nameOf(index)}</Name><Properties><Creation-Time>${modified}</Creation-Time><Last-Modified>${modified}</Last-Modified>` +
    `<Etag>${etag}</Etag><Content-Length>4096</Content-Length><Content-Type>application/octet-stream</Content-Type>` +
    `<Content-Encoding /><Content-Language /><Content-CRC64 /><Content-MD5>${md5Of(index)}</Content-MD5><Cache-Control /><Content-Disposition />` +
    `<BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier><AccessTierInferred>true</AccessTierInferred>` +
    `<LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>${copy}<ServerEncrypted>true</ServerEncrypted></Properties>` +
    `${metadataOf ? `<Metadata>${metadataOf(index)}</Metadata>` : ''}<OrMetadata /></Blob>`
  );
}

/** Strongroom's record of a copied blob. */
export function strongroomRecord(index: number): string {
  return (
    `<strongroom_etag>${sourceEtag(index)}</strongroom_etag><strongroom_modified>${MODIFIED_ISO}</strongroom_modified>` +
    `<strongroom_run>bench-20261122T013000Z-a1b2c3</strongroom_run>`
  );
}

/** The source's time, as rclone stores it. */
export function rcloneRecord(): string {
  return `<mtime>${MODIFIED_ISO.replace('.000', '')}</mtime>`;
}

function nameOf(index: number): string {
  return `folder-${decimal(Math.floor(index / PER_FOLDER))}/a document of some length ${decimal(index)}.json`;
}

function sourceEtag(index: number): string {
  return `0x8DE29${hex(index)}`;
}

function md5Of(index: number): string {
  return Buffer.from(`content ${decimal(index)}`).toString('base64');
}

function hex(index: number): string {
  return index.toString(16).toUpperCase().padStart(12, '0');
}

function decimal(index: number): string {
  return String(index).padStart(8, '0');
}
