import type { RestoreChoice } from '#domain/restore/decide-entry.ts';
import type { BlobAccount } from '#storage/blob-account.ts';

/** Where a restore reads the blobs of a container, and where it writes them. */
export interface RestorePlaces extends RestoreChoice {
  source: BlobAccount;
  /** The prefix of names in the backup container. */
  sourcePrefix: string;
  target: BlobAccount;
  destination: string;
  /** The prefix of names in the target. */
  targetPrefix: string;
}
