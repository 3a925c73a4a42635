import { createHash } from 'node:crypto';
import { BlobServiceClient } from '@azure/storage-blob';

/** Of an address that is wrong, an operator should soon hear. */
const OPTIONS = { retryOptions: { maxTries: 3, retryDelayInMs: 500 } };

/** A vault, read by a connection string or by the address of its blob service with a SAS. Nothing here writes. */
export function azureVault(address) {
  const service = /^https?:/.test(address)
    ? new BlobServiceClient(address, undefined, OPTIONS)
    : BlobServiceClient.fromConnectionString(address, OPTIONS);
  const clientOf = (container, { name, snapshot, versionId }) => {
    const client = service.getContainerClient(container).getBlobClient(name);
    if (snapshot) return client.withSnapshot(snapshot);
    return versionId ? client.withVersion(versionId) : client;
  };
  return {
    /** The blobs of a container in the order of the service; with `all`, their snapshots and versions as well. */
    async *list(container, { prefix, all = false }) {
      const include = all ? { includeSnapshots: true, includeVersions: true } : {};
      const client = service.getContainerClient(container);
      try {
        for await (const item of client.listBlobsFlat({ prefix, includeMetadata: true, ...include }))
          yield asBlob(item);
      } catch (error) {
        if (error.code === 'ContainerNotFound') return;
        throw error;
      }
    },

    /** Undefined if there is no such blob. */
    async read(container, name) {
      try {
        return await clientOf(container, { name }).downloadToBuffer();
      } catch (error) {
        if (error.statusCode === 404) return undefined;
        throw error;
      }
    },

    async sha256(container, blob) {
      const hash = createHash('sha256');
      const { readableStreamBody } = await clientOf(container, blob).download();
      for await (const bytes of readableStreamBody) hash.update(bytes);
      return hash.digest('hex');
    },
  };
}

function asBlob({ name, snapshot, versionId, isCurrentVersion, metadata, properties }) {
  const { etag = '', contentLength: size, accessTier: tier } = properties;
  const version = versionId !== undefined && !isCurrentVersion ? versionId : undefined;
  return { name, snapshot, versionId: version, metadata, etag: etag.replaceAll('"', ''), size, tier };
}
