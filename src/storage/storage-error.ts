/**
 * The kinds of storage errors that callers distinguish. The adapter translates status codes into them. The message is
 * for people and contains no URL query, key or signature.
 */
export type StorageErrorKind =
  /** The blob or table entity does not exist. */
  | 'not-found'
  /** The container or table does not exist, or the service is deleting it. */
  | 'container-not-found'
  /** The service knows no account of this name, or the account does not have the service. */
  | 'account-not-found'
  /** The container or table cannot be created yet: the service is still deleting one of this name. */
  | 'being-deleted'
  /** The account refuses to create the container or table. */
  | 'not-created'
  /** An If-Match, If-None-Match or source condition was not met (412, 304, or 409 for create-only). */
  | 'precondition'
  /** 403 or 401 from the called account. */
  | 'access-denied'
  /** The copy source denied access: 403 behind a 403 or CannotVerifyCopySource. */
  | 'source-access-denied'
  /** The copy source does not exist. */
  | 'source-not-found'
  /** The copy source, or the blob itself, is in the archive tier. */
  | 'archived'
  /** A lease on the destination prevents the write. */
  | 'leased'
  /** A copy is pending on the destination. */
  | 'pending-copy'
  /** The blob has no pending copy, or another one. */
  | 'no-pending-copy'
  /** The destination is a blob of another type. */
  | 'type-differs'
  /** The account or this type of blob does not support the requested access tier. */
  | 'tier-not-supported'
  /** A base blob cannot be deleted while it has snapshots. */
  | 'snapshots-present'
  /** An immutability policy or a legal hold protects the blob. */
  | 'immutable'
  /** The same protects the control container, where Strongroom must replace its own objects. */
  | 'control-immutable'
  /** The copy source is too large for the method, or an entity or request too large for the service. */
  | 'too-large'
  /** 429, or 503 after every retry. */
  | 'throttled'
  /** 500-class answers after every retry. */
  | 'server'
  /** No connection, no DNS, TLS failure, time-out. */
  | 'unreachable'
  /** The caller's signal aborted the request. */
  | 'aborted'
  /** The service rejected the request as malformed: a bug here, or a name that the service does not support. */
  | 'invalid'
  /** The service does not support this operation (501 on the emulator). */
  | 'unsupported'
  /** The content read differs from the content written. */
  | 'damaged'
  | 'unknown';

export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly kind: StorageErrorKind;
  /** HTTP status; 0 if there was no answer. */
  readonly status: number;
  /** The service's error code, such as `BlobNotFound`, or Node's, such as `ECONNREFUSED`. */
  readonly code: string;
  /** In a transaction, the index of the entity that caused the error, if the service reports it. */
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
