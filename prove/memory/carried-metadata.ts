/** What the service accepts in a header and gives back as it was. Written apart from the app, which it judges. */
const SENDABLE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
const RESERVED = /^(?:strongroom_|hdi_isfolder$)/i;
/** Bytes of names and values: the limit of the service, without the room for a record. */
const ROOM = 8 * 1024 - 512;

type Metadata = Record<string, string>;

/** Whether only the service can carry the metadata: then a copy has exactly those of its source. */
function isForService(metadata: Metadata): boolean {
  return (
    !Object.keys(metadata).some((key) => RESERVED.test(key)) &&
    Object.values(metadata).some((value) => !SENDABLE.test(value))
  );
}

/** The metadata that a backup blob has beside its record. */
export function carriedMetadata(metadata: Metadata): Metadata {
  if (isForService(metadata)) return metadata;
  let room = ROOM;
  const carried: Metadata = {};
  for (const [key, value] of Object.entries(metadata)) {
    if (RESERVED.test(key) || !SENDABLE.test(value)) continue;
    room -= key.length + value.length;
    if (room < 0) break;
    carried[key] = value;
  }
  return carried;
}

/** The metadata that a restored blob has: all of its source, except what no header can carry. */
export function restoredMetadata(metadata: Metadata): Metadata {
  if (isForService(metadata)) return metadata;
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => SENDABLE.test(value)));
}
