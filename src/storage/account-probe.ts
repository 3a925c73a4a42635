import type { QueueConnection } from './account-connection.ts';
import type { BlobAccount } from './blob-account.ts';
import type { TableAccount } from './table-account.ts';

/** No object has this ETag, so with it as a condition, an account looks at rights and then does nothing. */
export const NO_ETAG = '0x0';

/**
 * Connections to an account of their own, to find out what it allows: each request is sent once, and nothing that the
 * app has kept, such as a key for signatures, answers in place of the account.
 */
export interface AccountProbe {
  blobs: BlobAccount;
  tables: TableAccount;
  /**
   * Asks to delete a blob on a condition that no blob meets. Throws `StorageError`: `precondition` if the right to
   * delete is there.
   */
  deleteNothing(container: string, name: string): Promise<void>;
  /** Days for which deleted blobs can be restored; undefined if soft delete is off. Throws `StorageError`. */
  softDeleteDays(): Promise<number | undefined>;
  /** Who the account sees; undefined without an identity. Throws `StorageError`. */
  identity(): Promise<AccountIdentity | undefined>;
}

/** The same for queues, which only the host works with. */
export interface QueueProbe {
  connection: QueueConnection;
  /** Looks at a message and leaves it there. Throws `StorageError`: `container-not-found` if there is no such queue. */
  peek(queue: string): Promise<void>;
  identity(): Promise<AccountIdentity | undefined>;
}

/** The owner of a token. What the token does not say is absent. */
export interface AccountIdentity {
  objectId?: string;
  type?: 'ServicePrincipal' | 'User';
}
