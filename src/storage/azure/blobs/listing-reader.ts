import type { BlobState, BlobType, ContentHeaders, CopyState, SnapshotOrVersion } from '#domain/blobs/blob.ts';
import { reducedSource } from '#domain/copying/copy-source.ts';
import type { BlobPage } from '../../blob-account.ts';
import { StorageError } from '../../storage-error.ts';
import { serviceText } from '../service-text.ts';
import { bareEtag } from './etag.ts';
import { XmlCursor, XmlError } from './xml-cursor.ts';

export interface ListingReaderOptions {
  /** Content headers other than the MD5. */
  contentHeaders?: boolean;
  /**
   * What was asked for beside base blobs, which are all that comes out otherwise. A version id without a word on
   * whether it is the current one is an earlier version's where versions were asked for, and the base blob's where not.
   */
  kept?: 'snapshots' | 'snapshots and versions';
}

/**
 * Reads the body of a List Blobs answer. Takes the fields that are needed and steps over everything else.
 *
 * Throws `StorageError` (`server`) for a body that is cut short, malformed, or lacks what every blob has: a page is
 * whole or it is an error, since a blob that is missing from a listing would be taken for one that is gone.
 *
 * The strings of a page are copies: the body can be let go of at once, which is what keeps memory flat.
 */
export function readListing(body: Buffer | string, options: ListingReaderOptions = {}): BlobPage {
  try {
    return read(
      new XmlCursor(typeof body === 'string' ? Buffer.from(body) : body),
      options.contentHeaders ? WITH_CONTENT_HEADERS : PROPERTIES,
      options.kept,
    );
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw new StorageError('server', `The service sent a listing that is not whole: ${error.message}.`);
  }
}

function read(xml: XmlCursor, properties: Properties, asked: ListingReaderOptions['kept']): BlobPage {
  const page: BlobPage = { blobs: [], prefixes: [] };
  let complete = false;
  xml.document('EnumerationResults', (element) => {
    if (element === 'Blobs') {
      complete = true;
      xml.children(element, (entry) => {
        if (entry === 'Blob') {
          const blob = readBlob(xml, properties, asked);
          if (blob) page.blobs.push(blob);
        } else if (entry === 'BlobPrefix') page.prefixes.push(readPrefix(xml));
        else xml.skip(entry);
      });
    } else if (element === 'NextMarker') {
      const next = xml.content(element);
      if (next !== '') page.next = next;
    } else xml.skip(element);
  });
  if (!complete) throw new XmlError('it has no list of blobs');
  return page;
}

/** A blob while its fields come in, in whatever order. */
interface Draft {
  state: Partial<BlobState>;
  copyId?: string;
  copyStatus?: string;
  copyProgress?: string;
  copyDescription?: string;
  copySource?: string;
}

function readBlob(xml: XmlCursor, properties: Properties, asked: ListingReaderOptions['kept']): BlobState | undefined {
  const draft: Draft = { state: {} };
  let deleted = false;
  let snapshot = '';
  let version = '';
  let current = '';
  xml.children('Blob', (element) => {
    switch (element) {
      case 'Name':
        draft.state.name = readName(xml);
        break;
      case 'Properties':
        xml.children(element, (property) => {
          const take = properties.get(property);
          if (take) take(draft, xml.content(property));
          else xml.skip(property);
        });
        break;
      case 'Metadata': {
        const metadata = readMetadata(xml);
        if (metadata) draft.state.metadata = metadata;
        break;
      }
      case 'Tags':
        draft.state.tags = readTags(xml);
        break;
      case 'Deleted':
        deleted = xml.content(element) === 'true';
        break;
      case 'Snapshot':
        snapshot = xml.content(element);
        break;
      case 'VersionId':
        version = xml.content(element);
        break;
      case 'IsCurrentVersion':
        current = xml.content(element);
        break;
      default:
        xml.skip(element);
    }
  });
  if (deleted) return undefined;
  // Of a blob that was deleted, versions are left and none of them is said to be or not to be current.
  const earlier = current === 'false' || (asked === 'snapshots and versions' && version !== '' && current !== 'true');
  if (snapshot === '' && !earlier) return finished(draft);
  const kept: SnapshotOrVersion | undefined = snapshot !== '' ? { snapshot } : version !== '' ? { version } : undefined;
  if (!asked || !kept) return undefined;
  draft.state.snapshotOrVersion = kept;
  return finished(draft);
}

/** What to do with the text of each property; the others are stepped over. */
type Properties = Map<string, (draft: Draft, text: string) => void>;

const PROPERTIES: Properties = new Map<string, (draft: Draft, text: string) => void>([
  [
    'Last-Modified',
    ({ state }, text) => {
      state.lastModified = isoTime(text);
    },
  ],
  [
    'Etag',
    ({ state }, text) => {
      state.etag = bareEtag(text);
    },
  ],
  [
    'Content-Length',
    ({ state }, text) => {
      state.size = readSize(text);
    },
  ],
  [
    'BlobType',
    ({ state }, text) => {
      state.type = blobType(text);
    },
  ],
  [
    'AccessTierInferred',
    ({ state }, text) => {
      if (text === 'true') state.tierInferred = true;
    },
  ],
  [
    'TagCount',
    ({ state }, text) => {
      const count = readSize(text);
      if (count > 0) state.tagCount = count;
    },
  ],
  [
    'ResourceType',
    ({ state }, text) => {
      if (text === 'directory') state.isDirectory = true;
    },
  ],
  ['Content-MD5', intoState('contentMd5')],
  ['AccessTier', intoState('tier')],
  ['ArchiveStatus', intoState('archiveStatus')],
  ['CopyId', intoDraft('copyId')],
  ['CopyStatus', intoDraft('copyStatus')],
  ['CopyProgress', intoDraft('copyProgress')],
  ['CopyStatusDescription', intoDraft('copyDescription')],
  ['CopySource', intoDraft('copySource')],
]);

const WITH_CONTENT_HEADERS: Properties = new Map([
  ...PROPERTIES,
  ['Content-Type', intoState('contentType')],
  ['Content-Encoding', intoState('contentEncoding')],
  ['Content-Language', intoState('contentLanguage')],
  ['Content-Disposition', intoState('contentDisposition')],
  ['Cache-Control', intoState('cacheControl')],
]);

/** An empty element is how a listing says that there is none. */
function intoState(field: keyof ContentHeaders | 'tier' | 'archiveStatus'): (draft: Draft, text: string) => void {
  return ({ state }, text) => {
    if (text !== '') state[field] = text;
  };
}

function intoDraft(field: Exclude<keyof Draft, 'state'>): (draft: Draft, text: string) => void {
  return (draft, text) => {
    if (text !== '') draft[field] = text;
  };
}

function finished(draft: Draft): BlobState {
  const { state, copyId, copyStatus, copyProgress: progress, copyDescription: description, copySource: source } = draft;
  if (state.metadata?.hdi_isfolder === 'true') state.isDirectory = true;
  if (state.isDirectory) {
    // It has no content, and the service may leave out what describes it.
    state.size ??= 0;
    state.type ??= 'block';
  }
  if (copyId && copyStatus) state.copy = copyState(copyId, copyStatus, { progress, description, source });
  if (!isComplete(state)) throw new XmlError('a blob lacks its name, ETag, time, size or type');
  return state;
}

function isComplete(state: Partial<BlobState>): state is BlobState {
  return !!state.name && !!state.etag && !!state.lastModified && state.size !== undefined && state.type !== undefined;
}

export function copyState(
  id: string,
  status: string,
  more: { progress: string | undefined; description: string | undefined; source: string | undefined },
): CopyState {
  if (status !== 'pending' && status !== 'success' && status !== 'aborted' && status !== 'failed') {
    throw new XmlError(`${status.slice(0, 20)} is not a copy status`);
  }
  const source = more.source && reducedSource(more.source);
  return {
    id,
    status,
    ...(more.progress ? { progress: more.progress } : {}),
    ...(more.description ? { description: serviceText(more.description) } : {}),
    ...(source ? { source } : {}),
  };
}

/** Names that XML cannot carry come percent-encoded. */
function readName(xml: XmlCursor): string {
  const encoded = xml.attribute('Encoded') === 'true';
  const name = xml.content('Name');
  if (!encoded) return name;
  try {
    return decodeURIComponent(name);
  } catch {
    throw new XmlError('a name is not encoded as it claims');
  }
}

function readPrefix(xml: XmlCursor): string {
  let prefix: string | undefined;
  xml.children('BlobPrefix', (element) => {
    if (element === 'Name') prefix = readName(xml);
    else xml.skip(element);
  });
  if (!prefix) throw new XmlError('a prefix has no name');
  return prefix;
}

/** Undefined where the service holds the metadata back because it is encrypted with a key of the customer's. */
function readMetadata(xml: XmlCursor): Record<string, string> | undefined {
  const withheld = xml.attribute('Encrypted') === 'true';
  const entries: [string, string][] = [];
  xml.children('Metadata', (key) => {
    const value = xml.content(key);
    // Stands in for keys that no XML element can be named after; it is no key of the blob's.
    if (key !== 'x-ms-invalid-name') entries.push([key, value]);
  });
  return withheld ? undefined : Object.fromEntries(entries);
}

function readTags(xml: XmlCursor): Record<string, string> {
  const entries: [string, string][] = [];
  xml.children('Tags', (set) => {
    if (set !== 'TagSet') return xml.skip(set);
    xml.children(set, (tag) => {
      if (tag !== 'Tag') return xml.skip(tag);
      let key: string | undefined;
      let value = '';
      xml.children(tag, (part) => {
        if (part === 'Key') key = xml.content(part);
        else if (part === 'Value') value = xml.content(part);
        else xml.skip(part);
      });
      if (key === undefined) throw new XmlError('a tag has no key');
      entries.push([key, value]);
    });
  });
  return Object.fromEntries(entries);
}

function readSize(text: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw new XmlError(`${text.slice(0, 20)} is not a size`);
  return Number(text);
}

function blobType(text: string): BlobType {
  switch (text) {
    case 'BlockBlob':
      return 'block';
    case 'PageBlob':
      return 'page';
    case 'AppendBlob':
      return 'append';
    default:
      throw new XmlError(`${text.slice(0, 20)} is not a type of blob`);
  }
}

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';

/** `Mon, 27 Jul 2009 12:28:53 GMT` to ISO. Done by hand: `Date` would take as long as all the rest together. */
function isoTime(text: string): string {
  const found = /^[A-Z][a-z]{2}, ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}:[0-9]{2}:[0-9]{2}) GMT$/.exec(text);
  const month = found ? MONTHS.indexOf(found[2]!) / 3 + 1 : 0;
  if (!found || !Number.isInteger(month) || month < 1) throw new XmlError(`${text.slice(0, 40)} is not a time`);
  return `${found[3]}-${month < 10 ? '0' : ''}${month}-${found[1]}T${found[4]}.000Z`;
}
