import type { ContainerClient } from '@azure/storage-blob';

/** Azure's limit, in UTF-16 code units. */
const LONGEST_NAME = 1024;

/** Names in which nothing could be rewritten: most names, and making a client for each would be dear. */
const PLAIN = /^[A-Za-z0-9_-][A-Za-z0-9_ ~=,;@()-]*(?:[./][A-Za-z0-9_ ~=,;@()-]+)*$/;

/** Control characters and what Unicode calls noncharacters: refused by the service or lost in its listings. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const UNLISTABLE = /[\u0000-\u001f\u007f-\u009f\ufdd0-\ufdef\ufffe\uffff]/;

/**
 * Whether a client made for this name addresses this name, in this container. The SDK resolves dot segments and turns
 * backslashes round, so that a hostile name could reach into another container; the service drops dots at the end of
 * a path segment. Everything that either would touch is refused.
 */
export function addresses(container: ContainerClient, name: string): boolean {
  if (name === '' || name.length > LONGEST_NAME) return false;
  if (PLAIN.test(name)) return true;
  if (UNLISTABLE.test(name) || name.includes('\\')) return false;
  if (name.split('/').some((segment) => segment.endsWith('.'))) return false;
  try {
    const expected = `${decodeURIComponent(new URL(container.url).pathname)}/${name}`;
    return decodeURIComponent(new URL(container.getBlobClient(name).url).pathname) === expected;
  } catch {
    // Half a surrogate pair: no address can be made of it.
    return false;
  }
}
