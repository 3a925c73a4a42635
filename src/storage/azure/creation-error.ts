import { StorageError, type StorageErrorKind } from '../storage-error.ts';

/** Answers that say nothing about the container or table: the service did not serve the request. */
const NOT_ABOUT_IT = new Set<StorageErrorKind>(['throttled', 'server', 'unreachable', 'aborted']);

/** The error of a request to create a container or table, which a write to it could also meet for other reasons. */
export function creationError({ kind, message, status, code }: StorageError): StorageError {
  if (/BeingDeleted$/.test(code)) return new StorageError('being-deleted', message, status, code);
  // Without a code, another server has answered.
  const isOther = kind === 'account-not-found' && code === '';
  return new StorageError(isOther || NOT_ABOUT_IT.has(kind) ? kind : 'not-created', message, status, code);
}
