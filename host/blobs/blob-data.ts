import type { BlobClient, BlobGetPropertiesResponse } from '@azure/storage-blob';
import { dateTimeOffset } from '../storage/date-time-offset.ts';
import type { TypedData } from '../worker/core-api.ts';

/** The whole content, pinned to the version whose properties are given. */
export async function blobContent(blob: BlobClient, { etag }: BlobGetPropertiesResponse): Promise<TypedData> {
  const { readableStreamBody } = await blob.download(0, undefined, {
    ...(etag !== undefined && { conditions: { ifMatch: etag } }),
  });
  const chunks: Buffer[] = [];
  for await (const chunk of readableStreamBody ?? []) chunks.push(Buffer.from(chunk));
  return { bytes: Buffer.concat(chunks) };
}

/** What goes with it, under the names the real host gives; those in the path's pattern come last, and win. */
export function blobMetadata(
  blob: BlobClient,
  properties: BlobGetPropertiesResponse,
  names: Record<string, string>,
): Record<string, TypedData> {
  // The address of a connection with a signature has that in its query, and it is a secret.
  const uri = blob.url.split('?')[0];
  return {
    BlobTrigger: { string: `${blob.containerName}/${blob.name}` },
    Uri: { json: JSON.stringify(uri) },
    Properties: { json: JSON.stringify(ofDotNet(properties)) },
    Metadata: { json: JSON.stringify(properties.metadata ?? {}) },
    ...Object.fromEntries(Object.entries(names).map(([name, value]) => [name, { string: value }])),
  };
}

function ofDotNet(properties: BlobGetPropertiesResponse): Record<string, unknown> {
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
    ETag: properties.etag,
    AccessTier: properties.accessTier,
  };
}
