import type { CopyState } from '#domain/blobs/blob.ts';
import { reducedSource } from '#domain/copying/copy-source.ts';
import { StorageError } from '../../storage-error.ts';
import { printable, serviceText } from '../service-text.ts';

/** The copy state of a blob from its listing or properties. Throws `StorageError` (`server`) for an unknown status. */
export function copyStateOf(
  id: string,
  status: string,
  more: { progress: string | undefined; description: string | undefined; source: string | undefined },
): CopyState {
  if (status !== 'pending' && status !== 'success' && status !== 'aborted' && status !== 'failed') {
    throw new StorageError('server', `The service sent an unknown copy status: ${printable(status.slice(0, 20))}.`);
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
