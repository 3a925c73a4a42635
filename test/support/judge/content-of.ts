import { createHash } from 'node:crypto';
import { BlobServiceClient } from '@azure/storage-blob';

/** Everything of a blob that a restore has to write, as the plain SDK shows it, with our records if there are any. */
export interface WholeBlob {
  sha256: string;
  type: string;
  headers: Record<string, string>;
  metadata: Record<string, string>;
  tags: Record<string, string>;
  /** Only if it was set on the blob itself. */
  tier?: string;
}

/** All base blobs of a container, by name; empty if the container does not exist. */
export async function contentOf(connectionString: string, container: string): Promise<Record<string, WholeBlob>> {
  const client = BlobServiceClient.fromConnectionString(connectionString).getContainerClient(container);
  const all: Record<string, WholeBlob> = {};
  if (!(await client.exists())) return all;
  for await (const { name, properties, metadata = {}, tags = {} } of client.listBlobsFlat({
    includeMetadata: true,
    includeTags: true,
  })) {
    const content = await client.getBlobClient(name).downloadToBuffer();
    const { contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl, contentMD5 } = properties;
    const headers = { contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl };
    const md5 = contentMD5 && { contentMD5: Buffer.from(contentMD5).toString('base64') };
    all[name] = {
      sha256: createHash('sha256').update(content).digest('hex'),
      type: String(properties.blobType),
      headers: Object.fromEntries(Object.entries({ ...headers, ...md5 }).filter(([, value]) => value)) as Record<
        string,
        string
      >,
      metadata,
      tags,
      ...(properties.accessTier !== undefined &&
        !properties.accessTierInferred && { tier: String(properties.accessTier) }),
    };
  }
  return all;
}
