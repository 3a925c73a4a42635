import { newAccountKey } from '../../host/azurite/azurite.ts';
import { type CountedServer, startCountedServer } from './counted-server.ts';

export interface StandInShape {
  containers: number;
  blobsPerContainer: number;
  /** Of the source's one table; by default it has none. */
  entities?: number;
}

/** What the stand-in's accounts hold. */
export const STAND_IN = {
  /** The blobs to back up. */
  source: 'source',
  /** Their mirror, with Strongroom's records in the metadata: nothing has changed. */
  mirror: 'mirror',
  /** Their mirror as rclone leaves it, under the same container names. */
  rcloneMirror: 'rclonemirror',
  /** Nothing yet. Copies are answered at once and not kept. */
  empty: 'empty',
} as const;

/**
 * A storage server that makes its listings up as they are asked for. It speaks as much of the protocol as backing up
 * and comparing need, and answers faster than Azurite, so that what is measured is the client.
 */
export function startStandIn({ containers, blobsPerContainer, entities = 0 }: StandInShape): Promise<CountedServer> {
  return startCountedServer({
    entry: new URL('stand-in-process.ts', import.meta.url),
    args: [containers, blobsPerContainer, entities].map(String),
    accounts: Object.values(STAND_IN).map((name) => ({ name, key: newAccountKey() })),
  });
}
