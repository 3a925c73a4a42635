export type BlobType = 'BlockBlob' | 'PageBlob' | 'AppendBlob';

/** One version of a blob, for one function. */
export interface BlobVersion {
  /** `Host.Functions.NAME` */
  functionId: string;
  blobType: BlobType;
  container: string;
  blob: string;
  /** With its quotes. */
  etag: string;
}

export function functionIdOf(name: string): string {
  return `Host.Functions.${name}`;
}

/** What is put into the queue of the host, in the shape the real one gives it. */
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

/** `undefined` where the text is no such message. */
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

/** With quotes, as the real host writes ETags. Listings give them without. */
export function quotedETag(etag: string): string {
  return `"${etag.replaceAll('"', '')}"`;
}
