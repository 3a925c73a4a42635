export type BlobType = 'BlockBlob' | 'PageBlob' | 'AppendBlob';

/** A version of a blob, for one function. */
export interface BlobVersion {
  /** `Host.Functions.NAME` */
  functionId: string;
  blobType: BlobType;
  container: string;
  blob: string;
  /** With quotes. */
  etag: string;
}

export function functionIdOf(name: string): string {
  return `Host.Functions.${name}`;
}

/** A message of the host's queue, in the form of the real host. */
export function toBlobMessage({ functionId, blobType, container, blob, etag }: BlobVersion): string {
  return JSON.stringify({
    Type: 'BlobTrigger',
    FunctionId: functionId,
    BlobType: blobType,
    ContainerName: container,
    BlobName: blob,
    ETag: etag,
  });
}

/** Undefined if the text is not such a message. */
export function fromBlobMessage(text: string): BlobVersion | undefined {
  try {
    const { FunctionId, BlobType, ContainerName, BlobName, ETag } = JSON.parse(text) as Record<string, unknown>;
    const values = [FunctionId, ContainerName, BlobName, ETag];
    if (values.some((value) => typeof value !== 'string' || value === '')) return undefined;
    return {
      functionId: String(FunctionId),
      blobType: BlobType as BlobType,
      container: String(ContainerName),
      blob: String(BlobName),
      etag: String(ETag),
    };
  } catch {
    return undefined;
  }
}

/** With quotes, as the real host writes ETags. Listings omit the quotes. */
export function quotedETag(etag: string): string {
  return `"${etag.replaceAll('"', '')}"`;
}
