import { createHash } from 'node:crypto';

/** A namespace of our own, by RFC 9562: no other program makes the same UUIDs of the same ids. */
const NAMESPACE = Buffer.from('6f1c1f0e5b0d4c0a9c1e8d2b7a4f3e21', 'hex');

/** The UUID of an id, version 5: always the same. */
export function idAsUuid(id: string): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(id).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
