import { blobFilter } from '../blobs/blob-filter.ts';
import { isValidContainerName } from '../blobs/container-pattern.ts';
import { parseTrace, type TracePlace } from '../run/trace.ts';
import { accountOfIdentity, serviceIdentity } from '../service-identity.ts';

/**
 * A hint that a blob was written. Anyone who may put messages into the queue can make one, so Strongroom trusts nothing
 * in it: it only says which blob to check.
 */
export interface ArchiveEvent {
  /**
   * As `serviceIdentity` returns it, or the bare name. Absent if the event names no account: then any account matches.
   */
  account?: string;
  container: string;
  name: string;
  /** ETag of the version that was written, without quotes. */
  etag?: string;
  /** What caused it, if the message says so. */
  trace?: TracePlace;
}

/** The options of an archive rule that decide which uploads belong to it. */
export interface RuleSource {
  source: {
    account: string;
    container: string;
    prefix: string;
    include: readonly string[];
    exclude: readonly string[];
  };
}

const UPLOADS = ['Microsoft.Storage.BlobCreated', 'Microsoft.Storage.BlobRenamed'];

/** Events that arrive before the content is complete. Another event follows when it is. */
const UNFINISHED: unknown[] = ['CreateFile', 'SftpCreate', 'SftpWrite'];

/**
 * The uploads in a queue message: events of Event Grid (its own schema or CloudEvents 1.0), one or a list, or
 * `{"container", "name", "etag"?, "account"?}` by hand. Other events are left out. Never throws; `unreadable` says what
 * is wrong with the message, without its content.
 */
export function readEvents(text: string): { events: ArchiveEvent[] } | { unreadable: string } {
  let message: unknown;
  try {
    message = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return { unreadable: 'the message is not JSON' };
  }
  const items = Array.isArray(message) ? message : [message];
  const events: ArchiveEvent[] = [];
  for (const [index, item] of items.entries()) {
    const read = readEvent(item);
    if ('unreadable' in read) {
      const which = items.length === 1 ? '' : `event ${index + 1} of ${items.length}: `;
      return { unreadable: `${which}${read.unreadable}` };
    }
    // The distributed tracing extension of CloudEvents; events of Azure Storage have none.
    const trace = parseTrace(fieldOf(item, 'traceparent'), fieldOf(item, 'tracestate'));
    events.push(...read.events.map((event) => (trace ? { ...event, trace } : event)));
  }
  return { events };
}

type Read = { events: ArchiveEvent[] } | { unreadable: string };

function readEvent(item: unknown): Read {
  if (typeof item !== 'object' || item === null || Array.isArray(item))
    return { unreadable: 'not a valid event: use a JSON object' };
  const type = fieldOf(item, 'eventType') ?? fieldOf(item, 'type');
  if (type === undefined || fieldOf(item, 'container') !== undefined) return readByHand(item);
  if (typeof type !== 'string') return { unreadable: 'the type of the event is not a string' };
  const data = fieldOf(item, 'data');
  const api = fieldOf(data, 'api');
  if (!UPLOADS.includes(type) || UNFINISHED.includes(api)) return { events: [] };
  // The event of a renamed blob has its old and its new address.
  const url = fieldOf(data, 'url') ?? fieldOf(data, 'destinationUrl');
  if (typeof url !== 'string') return { unreadable: 'the event has no "data.url", or it is not a string' };
  const place = readUrl(url);
  return 'unreadable' in place ? place : checked(place, fieldOf(data, 'eTag'));
}

function readByHand(item: object): Read {
  const [container, name, account] = [fieldOf(item, 'container'), fieldOf(item, 'name'), fieldOf(item, 'account')];
  if (typeof container !== 'string' || typeof name !== 'string') {
    return {
      unreadable:
        'not a valid event: use an event of Event Grid, or an object whose "container" and "name" are strings',
    };
  }
  if (account === undefined) return checked({ container, name }, fieldOf(item, 'etag'));
  const known = typeof account === 'string' ? accountByHand(account) : undefined;
  if (known === undefined) {
    return { unreadable: '"account" is not a valid account: use its name, or the address of its blob service' };
  }
  return checked({ account: known, container, name }, fieldOf(item, 'etag'));
}

function accountByHand(account: string): string | undefined {
  if (/^[a-z0-9]{3,24}$/.test(account)) return account;
  const isAddress = account.length <= 300 && /^https?:\/\/[^?#@]+$/.test(account) && URL.canParse(account);
  return isAddress ? serviceIdentity(account) : undefined;
}

function checked(place: ArchiveEvent, etag: unknown): Read {
  const { container, name } = place;
  if (!isValidContainerName(container) && !/^\$[a-z]+$/.test(container)) {
    return {
      unreadable: 'not a valid container name in the event: use 3 to 63 lower-case letters, digits and hyphens',
    };
  }
  if (name.length < 1 || name.length > 1024 || !name.isWellFormed()) {
    return { unreadable: 'not a valid blob name in the event: use 1 to 1024 characters of Unicode' };
  }
  const plain = typeof etag === 'string' ? etag.replace(/^W\//, '').replace(/^"(.*)"$/, '$1') : '';
  // Without a valid ETag, the check of the source decides.
  return { events: [/^[!#-~]{1,128}$/.test(plain) ? { ...place, etag: plain } : place] };
}

/**
 * Account, container and name in the address of a blob. URL parsers resolve dot segments, which are part of the name
 * here, so this takes the address apart itself.
 */
function readUrl(url: string): ArchiveEvent | { unreadable: string } {
  // A query may contain a signature. A number sign is part of the name, as the service writes it.
  const parts = /^(https?:\/\/[^/?#\\@]{1,300})\/([^?]*)/i.exec(url);
  if (!parts || !URL.canParse(parts[1]!)) return { unreadable: '"data.url" is not the address of a blob' };
  const server = parts[1]!;
  let service = server;
  let path = parts[2]!;
  if (!/\.(?:blob|dfs)\./.test(new URL(server).hostname)) {
    // An emulator has the account in the path.
    const [account] = path.split('/', 1);
    if (!/^[\w-]+$/.test(account!) || account === path) {
      return { unreadable: '"data.url" is not the address of a blob' };
    }
    service = `${server}/${account}`;
    path = path.slice(account!.length + 1);
  }
  const slash = path.indexOf('/');
  const container = slash < 0 ? '$root' : decoded(path.slice(0, slash));
  return { account: serviceIdentity(service), container, name: decoded(path.slice(slash + 1)) };
}

/** Text that cannot be decoded was never encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/**
 * Whether an event is about the account whose blob service is at `endpoint`, for example
 * `https://acct.blob.core.windows.net`.
 */
export function isOfAccount({ account }: ArchiveEvent, endpoint: string): boolean {
  if (account === undefined) return true;
  const identity = serviceIdentity(endpoint);
  return account === identity || account === accountOfIdentity(identity);
}

/** The rules that archive the upload of an event. `endpointOf` returns the address of the blob service of an alias. */
export function rulesFor<R extends RuleSource>(
  event: ArchiveEvent,
  rules: readonly R[],
  endpointOf: (alias: string) => string,
): R[] {
  return rules.filter(
    ({ source }) =>
      source.container === event.container &&
      event.name.startsWith(source.prefix) &&
      isOfAccount(event, endpointOf(source.account)) &&
      blobFilter(source)(event.name),
  );
}
