import { live } from '../lives/life.ts';
import { RARE_EVENTS } from '../lives/rare-events.ts';
import type { PartOptions, PartResult } from '../part.ts';
import { proveSeeds } from '../seeds/prove-seeds.ts';

/** Plays random weeks in the life of a vault and compares every restore point with the source of its time. */
export async function proveLives(options: PartOptions): Promise<PartResult> {
  const proof = await proveSeeds(
    { play: live, part: 'lives', seeds: 500, seedsAtNight: 10_000, rareEvents: RARE_EVENTS },
    options,
  );
  return { title: 'Lives of vaults: weeks of backups, restores, verifications and prunes', ...proof };
}
