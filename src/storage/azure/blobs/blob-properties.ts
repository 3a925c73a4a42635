import type { BlobGetPropertiesResponse } from '@azure/storage-blob';
import type { BlobState, SnapshotOrVersion } from '#domain/blobs/blob.ts';
import { copyStateOf } from './copy-state.ts';
import { bareEtag } from './etag.ts';

/** The state of a blob from its response headers, in the form of a listing. */
export function blobStateOf(
  name: string,
  properties: BlobGetPropertiesResponse,
  snapshotOrVersion?: SnapshotOrVersion,
): BlobState {
  const state: BlobState = {
    name,
    etag: bareEtag(properties.etag),
    lastModified: properties.lastModified?.toISOString() ?? '',
    size: properties.contentLength ?? 0,
    type: properties.blobType === 'PageBlob' ? 'page' : properties.blobType === 'AppendBlob' ? 'append' : 'block',
    metadata: properties.metadata ?? {},
  };
  if (snapshotOrVersion) state.snapshotOrVersion = snapshotOrVersion;
  addContentHeaders(state, properties);
  if (properties.accessTier) state.tier = properties.accessTier;
  if (properties.accessTierInferred) state.tierInferred = true;
  if (properties.isSealed) state.sealed = true;
  if (properties.archiveStatus) state.archiveStatus = properties.archiveStatus;
  if (properties.leaseStatus === 'locked') state.leased = true;
  if (properties.tagCount) state.tagCount = properties.tagCount;
  if (properties._response.headers.get('x-ms-resource-type') === 'directory') state.isDirectory = true;
  if (properties.copyId && properties.copyStatus) {
    state.copy = copyStateOf(properties.copyId, properties.copyStatus, {
      progress: properties.copyProgress,
      description: properties.copyStatusDescription,
      source: properties.copySource,
    });
  }
  return state;
}

function addContentHeaders(state: BlobState, properties: BlobGetPropertiesResponse): void {
  if (properties.contentType) state.contentType = properties.contentType;
  if (properties.contentEncoding) state.contentEncoding = properties.contentEncoding;
  if (properties.contentLanguage) state.contentLanguage = properties.contentLanguage;
  if (properties.contentDisposition) state.contentDisposition = properties.contentDisposition;
  if (properties.cacheControl) state.cacheControl = properties.cacheControl;
  if (properties.contentMD5?.length) state.contentMd5 = Buffer.from(properties.contentMD5).toString('base64');
}
