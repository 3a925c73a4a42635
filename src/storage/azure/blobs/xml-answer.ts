import { StorageError } from '../../storage-error.ts';
import { XmlCursor, XmlError } from './xml-cursor.ts';

/** The root element of each XML answer that the SDK's parser reads, and the child without which it is not whole. */
const ANSWERS: Record<string, { root: string; child?: string }> = {
  ListContainers: { root: 'EnumerationResults', child: 'Containers' },
  ListBlobs: { root: 'EnumerationResults', child: 'Blobs' },
  GetContainerACL: { root: 'SignedIdentifiers' },
  GetBlockList: { root: 'BlockList' },
  GetBlobTags: { root: 'Tags' },
  GetAccountProperties: { root: 'StorageServiceProperties' },
  GetUserDelegationKey: { root: 'UserDelegationKey', child: 'Value' },
};

/**
 * Throws `StorageError` (`server`) if the body of a successful answer is not the document of its operation: it is cut
 * off, or something between, such as a sign-in page, answered. The SDK's parser reads such a body as an empty document,
 * and an empty list of containers would make all data look deleted.
 */
export function checkXmlAnswer(operation: string, body: Buffer): void {
  const expected = ANSWERS[operation];
  if (!expected) return;
  const { root, child } = expected;
  try {
    const xml = new XmlCursor(body);
    let isWhole = child === undefined;
    xml.document(root, (element) => {
      isWhole ||= element === child;
      xml.skip(element);
    });
    if (!isWhole) throw new XmlError(`it has no element ${child}`);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw new StorageError('server', `The service sent an incomplete answer to ${operation}: ${error.message}.`);
  }
}
