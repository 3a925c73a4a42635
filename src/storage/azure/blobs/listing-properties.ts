import type { BlobState, BlobType, ContentHeaders } from '#domain/blobs/blob.ts';
import { copyStateOf } from './copy-state.ts';
import { bareEtag } from './etag.ts';
import { XmlError } from './xml-cursor.ts';

/** A blob during the read. Its fields may come in any order. */
export interface Draft {
  state: Partial<BlobState>;
  copyId?: string;
  copyStatus?: string;
  copyProgress?: string;
  copyDescription?: string;
  copySource?: string;
}

/** How to read each property. The listing reader skips all others. */
export type Properties = Map<string, (draft: Draft, text: string) => void>;

export const PROPERTIES: Properties = new Map<string, (draft: Draft, text: string) => void>([
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
  [
    'Sealed',
    ({ state }, text) => {
      if (text === 'true') state.sealed = true;
    },
  ],
  ['EncryptionScope', intoState('encryptionScope')],
  [
    'LeaseStatus',
    ({ state }, text) => {
      if (text === 'locked') state.leased = true;
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

export const WITH_CONTENT_HEADERS: Properties = new Map([
  ...PROPERTIES,
  ['Content-Type', intoState('contentType')],
  ['Content-Encoding', intoState('contentEncoding')],
  ['Content-Language', intoState('contentLanguage')],
  ['Content-Disposition', intoState('contentDisposition')],
  ['Cache-Control', intoState('cacheControl')],
]);

/** In a listing, an empty element means that there is no value. */
function intoState(
  field: keyof ContentHeaders | 'tier' | 'archiveStatus' | 'encryptionScope',
): (draft: Draft, text: string) => void {
  return ({ state }, text) => {
    if (text !== '') state[field] = text;
  };
}

function intoDraft(field: Exclude<keyof Draft, 'state'>): (draft: Draft, text: string) => void {
  return (draft, text) => {
    if (text !== '') draft[field] = text;
  };
}

export function finished(draft: Draft): BlobState {
  const { state, copyId, copyStatus, copyProgress: progress, copyDescription: description, copySource: source } = draft;
  if (state.isDirectory) {
    // A directory has no content, and the service may omit its size and type.
    state.size ??= 0;
    state.type ??= 'block';
  }
  if (copyId && copyStatus) state.copy = copyStateOf(copyId, copyStatus, { progress, description, source });
  if (!isComplete(state)) throw new XmlError('a blob lacks its name, ETag, time, size or type');
  return state;
}

function isComplete(state: Partial<BlobState>): state is BlobState {
  return !!state.name && !!state.etag && !!state.lastModified && state.size !== undefined && state.type !== undefined;
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

/** `Mon, 27 Jul 2009 12:28:53 GMT` to ISO. Without `Date`, which takes as long as the rest of the listing together. */
function isoTime(text: string): string {
  const found = /^[A-Z][a-z]{2}, ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}:[0-9]{2}:[0-9]{2}) GMT$/.exec(text);
  const month = found ? MONTHS.indexOf(found[2]!) / 3 + 1 : 0;
  if (!found || !Number.isInteger(month) || month < 1) throw new XmlError(`${text.slice(0, 40)} is not a time`);
  return `${found[3]}-${month < 10 ? '0' : ''}${month}-${found[1]}T${found[4]}.000Z`;
}
