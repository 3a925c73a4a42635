import type { ContainerClient } from '@azure/storage-blob';
import { isUnlistable } from '#domain/blobs/unaddressable.ts';

/** The limit of Azure, in UTF-16 code units. */
const LONGEST_NAME = 1024;

/** Names in which the SDK rewrites nothing. Most names match, and skip the expensive check with a client. */
const PLAIN = /^[A-Za-z0-9_-][A-Za-z0-9_ ~=,;@()-]*(?:[./][A-Za-z0-9_ ~=,;@()-]+)*$/;

/**
 * Whether the SDK's client for a name addresses exactly this name in this container. The SDK resolves dot segments and
 * replaces backslashes, so a hostile name could reach another container. The service drops dots at the end of a path
 * segment. This rejects every name that either of them would change.
 */
export function addresses(container: ContainerClient, name: string): boolean {
  if (name === '' || name.length > LONGEST_NAME) return false;
  if (PLAIN.test(name)) return true;
  if (isUnlistable(name)) return false;
  if (name.split('/').some((segment) => segment.endsWith('.'))) return false;
  try {
    const expected = `${decodeURIComponent(new URL(container.url).pathname)}/${name}`;
    return decodeURIComponent(new URL(container.getBlobClient(name).url).pathname) === expected;
  } catch {
    // An unpaired surrogate cannot be part of a URL.
    return false;
  }
}
