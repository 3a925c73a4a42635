import type { PartOptions, PartResult } from '../part.ts';
import { proveSeeds } from '../seeds/prove-seeds.ts';
import { RARE_EVENTS } from '../simulation/rare-events.ts';
import { simulate } from '../simulation/simulate.ts';

/** Plays random runs of the app's own code on storage in memory, in virtual time. */
export async function proveSimulation(options: PartOptions): Promise<PartResult> {
  const proof = await proveSeeds(
    {
      play: simulate,
      part: 'simulation',
      seeds: 2_000,
      seedsAtNight: 50_000,
      rareEvents: RARE_EVENTS,
    },
    options,
  );
  return { title: 'Simulation of whole runs on storage in memory, with faults, crashes and races', ...proof };
}
