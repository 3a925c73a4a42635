import type { PartOptions, PartResult } from '../part.ts';
import { proveSeeds } from '../seeds/prove-seeds.ts';
import { liveTables } from '../tables/life.ts';
import { RARE_EVENTS } from '../tables/rare-events.ts';

/** Plays tables that change while they are backed up, and compares every restore point with what they held. */
export async function proveTables(options: PartOptions): Promise<PartResult> {
  const proof = await proveSeeds(
    { play: liveTables, part: 'tables', seeds: 1_000, seedsAtNight: 20_000, rareEvents: RARE_EVENTS },
    options,
  );
  return { title: 'Tables that are written to during their backups, judged by the bytes in the vault', ...proof };
}
