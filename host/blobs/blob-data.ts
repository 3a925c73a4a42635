import type { BlobClient, BlobGetPropertiesResponse } from '@azure/storage-blob';
import { dateTimeOffset } from '../storage/date-time-offset.ts';
import type { TypedData } from '../worker/core-api.ts';

/** Several blobs are in memory at once, and anyone who uploads chooses their sizes. */
const LARGEST_CONTENT = 16 * 1024 * 1024;

/** Reads the whole content of the version that has these properties; of a large one, nothing. */
export async function blobContent(
  blob: BlobClient,
  { etag, contentLength = 0 }: BlobGetPropertiesResponse,
): Promise<TypedData> {
  if (contentLength > LARGEST_CONTENT) return {};
  const { readableStreamBody } = await blob.download(0, undefined, {
    ...(etag !== undefined && { conditions: { ifMatch: etag } }),
  });
  const chunks: Buffer[] = [];
  for await (const chunk of readableStreamBody ?? []) chunks.push(Buffer.from(chunk));
  return { bytes: Buffer.concat(chunks) };
}

/** The trigger metadata under the names of the real host. Names from the path pattern take precedence. */
export function blobMetadata(
  blob: BlobClient,
  properties: BlobGetPropertiesResponse,
  names: Record<string, string>,
): Record<string, TypedData> {
  // The query of the URL may contain a SAS, which is a secret.
  const uri = blob.url.split('?')[0];
  return {
    BlobTrigger: { string: `${blob.containerName}/${blob.name}` },
    Uri: { json: JSON.stringify(uri) },
    Properties: { json: JSON.stringify(dotNetProperties(properties)) },
    Metadata: { json: JSON.stringify(properties.metadata ?? {}) },
    ...Object.fromEntries(Object.entries(names).map(([name, value]) => [name, { string: value }])),
  };
}

function dotNetProperties(properties: BlobGetPropertiesResponse): Record<string, unknown> {
  const { lastModified, createdOn, contentMD5 } = properties;
  const time = (value: Date | undefined) => value && (JSON.parse(dateTimeOffset(value)) as string);
  return {
    LastModified: time(lastModified),
    CreatedOn: time(createdOn),
    Metadata: properties.metadata ?? {},
    BlobType: ['BlockBlob', 'PageBlob', 'AppendBlob'].indexOf(properties.blobType ?? 'BlockBlob'),
    ContentLength: properties.contentLength,
    ContentType: properties.contentType,
    ContentEncoding: properties.contentEncoding,
    ContentLanguage: properties.contentLanguage,
    ContentDisposition: properties.contentDisposition,
    CacheControl: properties.cacheControl,
    ContentHash: contentMD5 && Buffer.from(contentMD5).toString('base64'),
    // The real host serializes a type without public properties: no function learns the ETag.
    ETag: {},
    AccessTier: properties.accessTier,
  };
}
