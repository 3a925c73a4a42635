/**
 * What went wrong at the storage service, in the few kinds that callers tell apart. Made by the adapter, so that
 * nothing else needs to know status codes. The message is for people and holds no URL query, key or signature.
 */
export type StorageErrorKind =
  /** The blob or table entity is not there. */
  | 'not-found'
  /** The container or table is not there, or is being deleted. */
  | 'container-not-found'
  /** An If-Match, If-None-Match or source condition did not hold (412, 304, or 409 for create-only). */
  | 'precondition'
  /** 403 or 401 on the account that was called. */
  | 'access-denied'
  /** The copy source refused to be read: 403 behind a 403 or CannotVerifyCopySource. */
  | 'source-access-denied'
  /** The copy source is gone. */
  | 'source-not-found'
  /** The copy source, or the blob itself, is in the archive tier. */
  | 'archived'
  /** A lease on the destination forbids writing. */
  | 'leased'
  /** A copy is pending on the destination. */
  | 'pending-copy'
  /** There is no pending copy to abort, or it is another one. */
  | 'no-pending-copy'
  /** The destination is a blob of another type. */
  | 'type-differs'
  /** The account, or this type of blob, does not have the access tier that was asked for. */
  | 'tier-not-supported'
  /** A base blob cannot be deleted while it has snapshots. */
  | 'snapshots-present'
  /** Immutability policy or legal hold. */
  | 'immutable'
  /** The copy source is larger than the method allows, or an entity or a request larger than the service takes. */
  | 'too-large'
  /** 429, or 503 after every retry. */
  | 'throttled'
  /** 500-class answers after every retry. */
  | 'server'
  /** No connection, no DNS, TLS failure, time-out. */
  | 'unreachable'
  /** Stopped by the caller's abort signal. */
  | 'aborted'
  /** The request was refused as malformed; a bug here, or a name the service does not accept. */
  | 'invalid'
  /** The service does not offer this operation (501 on the emulator). */
  | 'unsupported'
  /** What was read is not what was written there. */
  | 'damaged'
  | 'unknown';

export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly kind: StorageErrorKind;
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  /** The service's error code, such as `BlobNotFound`, or Node's, such as `ECONNREFUSED`. */
  readonly code: string;
  /** Of several entities that were sent together, which one was at fault, from 0; absent where the service does not say. */
  readonly at?: number;

  constructor(kind: StorageErrorKind, message: string, status = 0, code = '', at?: number) {
    super(message);
    this.kind = kind;
    this.status = status;
    this.code = code;
    if (at !== undefined) this.at = at;
  }
}

export function isStorageError(error: unknown, ...kinds: StorageErrorKind[]): error is StorageError {
  return error instanceof StorageError && (kinds.length === 0 || kinds.includes(error.kind));
}
