import type { AccessPolicy } from '#domain/run/container-properties.ts';
import { StorageError } from '../../storage-error.ts';
import { XmlCursor, XmlError } from '../blobs/xml-cursor.ts';

const FIELDS = { Start: 'start', Expiry: 'expiry', Permission: 'permissions' } as const;

/** The stored access policies in an answer of the table service. Throws `StorageError` if it is incomplete. */
export function readIdentifiers(body: string): AccessPolicy[] {
  const policies: AccessPolicy[] = [];
  const xml = new XmlCursor(Buffer.from(body));
  const readFields = (policy: AccessPolicy) => (field: string) => {
    const text = xml.content(field);
    if (field in FIELDS && text !== '') policy[FIELDS[field as keyof typeof FIELDS]] = text;
  };
  const readIdentifier = () => {
    const policy: AccessPolicy = { id: '' };
    xml.children('SignedIdentifier', (child) => {
      if (child === 'Id') policy.id = xml.content(child);
      else if (child === 'AccessPolicy') xml.children(child, readFields(policy));
      else xml.skip(child);
    });
    policies.push(policy);
  };
  try {
    xml.document('SignedIdentifiers', (child) => (child === 'SignedIdentifier' ? readIdentifier() : xml.skip(child)));
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw new StorageError('server', `The service sent incomplete access policies: ${error.message}.`);
  }
  return policies;
}

export function writeIdentifiers(policies: readonly AccessPolicy[]): string {
  const identifiers = policies.map(({ id, start, expiry, permissions }) => {
    const fields = element('Start', start) + element('Expiry', expiry) + element('Permission', permissions);
    return `<SignedIdentifier>${element('Id', id)}<AccessPolicy>${fields}</AccessPolicy></SignedIdentifier>`;
  });
  return `<?xml version="1.0" encoding="utf-8"?><SignedIdentifiers>${identifiers.join('')}</SignedIdentifiers>`;
}

/** An absent field is left to the signature. */
function element(name: string, text: string | undefined): string {
  return text === undefined ? '' : `<${name}>${escaped(text)}</${name}>`;
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character]!);
}
