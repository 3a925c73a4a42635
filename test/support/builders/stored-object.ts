import type { StoredObject } from '#storage/blob-account.ts';

/** An object as a vault returns it, written when it was read. */
export function storedObject(body: string | Uint8Array, about: Partial<StoredObject> = {}): StoredObject {
  const now = new Date();
  return { body: Buffer.from(body), etag: '0x1', metadata: {}, lastModified: now, readAt: now, ...about };
}
