import { createHash } from 'node:crypto';

/** The properties of a blob that distinguish its versions. */
const DISTINCTIVE = ['lastmodified', 'contenthash', 'contentlength'];

/**
 * The id of an upload that a blob trigger found: the same for each attempt to archive it, so that an attempt continues
 * the claim of the one before. The host passes no ETag: where one would be, there is an empty object. Undefined if it
 * passes no time either. `properties` is what the host knows of the blob; hosts differ in the case of its keys.
 */
export function uploadId(name: string, properties: unknown): string | undefined {
  if (typeof properties !== 'object' || properties === null) return undefined;
  const known = new Map(Object.entries(properties).map(([key, value]) => [key.toLowerCase(), value]));
  const [modified, ...others] = DISTINCTIVE.map((key) => known.get(key));
  if (typeof modified !== 'string' || modified === '') return undefined;
  const text = JSON.stringify([name, modified, ...others]);
  return `scan-${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}
