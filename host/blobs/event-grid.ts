import { isIP } from 'node:net';
import { type BlobType, quotedETag } from './blob-message.ts';

/** A call from Event Grid. */
export type EventGridCall =
  | { kind: 'handshake'; validationCode: string }
  | { kind: 'events'; blobs: { container: string; blob: string; etag: string; blobType: BlobType }[] }
  | { kind: 'goodbye' };

/** Parses a call; undefined if it is not from Event Grid. `eventType` is the header `aeg-event-type`. */
export function readEventGridCall(eventType: string | undefined, body: Buffer): EventGridCall | undefined {
  const kind = eventType?.toLowerCase();
  if (kind === 'unsubscribe') return { kind: 'goodbye' };
  const events = eventsOf(body);
  if (kind === 'subscriptionvalidation') {
    const code = field(dataOf(events?.[0]), 'validationCode');
    return typeof code === 'string' ? { kind: 'handshake', validationCode: code } : undefined;
  }
  if (kind !== 'notification' || events === undefined) return undefined;
  const blobs = events.map((event) => {
    const data = dataOf(event);
    const [url, etag, blobType] = ['url', 'eTag', 'blobType'].map((name) => field(data, name));
    const blob = typeof url === 'string' ? blobAt(url) : undefined;
    return blob && { ...blob, etag: quotedETag(String(etag ?? '')), blobType: (blobType ?? 'BlockBlob') as BlobType };
  });
  return blobs.some((blob) => blob === undefined)
    ? undefined
    : { kind: 'events', blobs: blobs.filter((blob) => blob !== undefined) };
}

/** The Event Grid schema sends a list. The CloudEvents schema may send a single event. */
function eventsOf(body: Buffer): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return Array.isArray(value) ? value : [value];
  } catch {
    return undefined;
  }
}

function dataOf(event: unknown): unknown {
  const data = field(event, 'data');
  if (typeof data !== 'string') return data;
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

function blobAt(address: string): { container: string; blob: string } | undefined {
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  const path = url.pathname.split('/').slice(1);
  // An emulator has the account name in the path.
  if (isIP(url.hostname) !== 0 || url.hostname === 'localhost') path.shift();
  try {
    const [container = '', ...blob] = path.map(decodeURIComponent);
    return container === '' || blob.join('/') === '' ? undefined : { container, blob: blob.join('/') };
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
