import { newAccountKey } from '../../host/azurite/azurite.ts';
import { type CountedServer, startCountedServer } from './counted-server.ts';

export interface StandInShape {
  containers: number;
  blobsPerContainer: number;
  /** The number of entities of the source's table; none by default. */
  entities?: number;
}

/** The accounts of the stand-in server. */
export const STAND_IN = {
  /** The blobs to back up. */
  source: 'source',
  /** Their unchanged copies, with Strongroom's records in the metadata. */
  unchanged: 'unchanged',
  /** Their unchanged copies by rclone, under the same container names. */
  unchangedByRclone: 'rclonemirror',
  /** An empty account. Copies are answered at once and not stored. */
  empty: 'empty',
} as const;

/**
 * A storage server that generates its listings. It knows the part of the protocol that backups and comparisons need,
 * and answers faster than Azurite, so the measurement shows the client.
 */
export function startStandIn({ containers, blobsPerContainer, entities = 0 }: StandInShape): Promise<CountedServer> {
  return startCountedServer({
    entry: new URL('stand-in-process.ts', import.meta.url),
    args: [containers, blobsPerContainer, entities].map(String),
    accounts: Object.values(STAND_IN).map((name) => ({ name, key: newAccountKey() })),
  });
}
