import type { BlobState, SnapshotOrVersion } from '#domain/blobs/blob.ts';
import type { BlobPage } from '../../blob-account.ts';
import { StorageError } from '../../storage-error.ts';
import { type Draft, finished, PROPERTIES, type Properties, WITH_CONTENT_HEADERS } from './listing-properties.ts';
import { XmlCursor, XmlError } from './xml-cursor.ts';

export interface ListingReaderOptions {
  /** Content headers other than the MD5. */
  contentHeaders?: boolean;
  /**
   * What the listing includes in addition to base blobs. A version id without `IsCurrentVersion` belongs to an earlier
   * version if the listing includes versions, and to the base blob otherwise.
   */
  include?: 'snapshots' | 'snapshots and versions';
}

/**
 * Reads the body of a List Blobs answer. Reads the fields that Strongroom needs, and skips all others.
 *
 * Throws `StorageError` (`server`) if the body is cut off, malformed, or lacks a required field. A page is complete or
 * an error, since a blob that is missing from a listing would look like a deleted one.
 *
 * The strings of a page are copies, so that the body can be freed at once and memory stays flat.
 */
export function readListing(body: Buffer | string, options: ListingReaderOptions = {}): BlobPage {
  try {
    return read(
      new XmlCursor(typeof body === 'string' ? Buffer.from(body) : body),
      options.contentHeaders ? WITH_CONTENT_HEADERS : PROPERTIES,
      options.include,
    );
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw new StorageError('server', `The service sent an incomplete listing: ${error.message}.`);
  }
}

function read(xml: XmlCursor, properties: Properties, include: ListingReaderOptions['include']): BlobPage {
  const page: BlobPage = { blobs: [], prefixes: [] };
  let complete = false;
  xml.document('EnumerationResults', (element) => {
    if (element === 'Blobs') {
      complete = true;
      xml.children(element, (entry) => {
        if (entry === 'Blob') {
          const blob = readBlob(xml, properties, include);
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

function readBlob(
  xml: XmlCursor,
  properties: Properties,
  include: ListingReaderOptions['include'],
): BlobState | undefined {
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
  // The versions of a deleted blob have no `IsCurrentVersion`.
  const earlier = current === 'false' || (include === 'snapshots and versions' && version !== '' && current !== 'true');
  if (snapshot === '' && !earlier) return finished(draft);
  const id: SnapshotOrVersion | undefined = snapshot !== '' ? { snapshot } : version !== '' ? { version } : undefined;
  if (!include || !id) return undefined;
  draft.state.snapshotOrVersion = id;
  return finished(draft);
}

/** Names that XML cannot contain are percent-encoded. */
function readName(xml: XmlCursor): string {
  const encoded = xml.attribute('Encoded') === 'true';
  const name = xml.content('Name');
  if (!encoded) return name;
  try {
    return decodeURIComponent(name);
  } catch {
    throw new XmlError('a name is not percent-encoded as its element says');
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

/** Undefined if the service withholds the metadata, which is encrypted with a customer-provided key. */
function readMetadata(xml: XmlCursor): Record<string, string> | undefined {
  const withheld = xml.attribute('Encrypted') === 'true';
  const entries: [string, string][] = [];
  xml.children('Metadata', (key) => {
    // The service uses the name `x-ms-invalid-name` for keys that cannot be names of XML elements. No header can carry
    // it, so the service copies such metadata.
    entries.push([key, xml.content(key)]);
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
