import { blobsIn, fill } from '../collection.ts';
import { Strongroom, type StrongroomUsage } from '../contenders/strongroom.ts';
import { measurement, medians } from '../measurement.ts';
import { startCountedAzurite } from '../servers/azurite.ts';
import type { PartOptions, PartResult } from './part.ts';

const FULL = 1500;
const QUICK = 100;
const BLOBS = 8;
const SOURCE = 'source';
const VAULT = 'vault';

/** Measures many small containers, one for each tenant: what a container costs beside its blobs. */
export async function measureContainers({ quick, repeat, progress }: PartOptions): Promise<PartResult> {
  const containers = quick ? QUICK : FULL;
  const collection = { containers, small: containers * BLOBS, large: 0 };
  const steps = { full: `first copy of ${containers} containers`, incremental: 'nothing changed' };
  const measured: { of: ReturnType<typeof measurement>; usage: StrongroomUsage }[] = [];
  for (let round = 1; round <= repeat; round++) {
    const azurite = await startCountedAzurite([SOURCE, VAULT]);
    const strongroom = new Strongroom(VAULT);
    try {
      progress(`filling Azurite with ${containers} containers${repeat > 1 ? `, round ${round} of ${repeat}` : ''}`);
      await fill(azurite.connectionString(SOURCE), collection);
      for (const mode of ['full', 'incremental'] as const) {
        progress(steps[mode]);
        await azurite.takeCounts();
        const usage = await strongroom.backUp(azurite, SOURCE, mode);
        measured.push({ of: measurement(steps[mode], strongroom.name, await azurite.takeCounts(), usage), usage });
      }
    } finally {
      await azurite.stop();
      strongroom.remove();
    }
  }
  const first = measured[0]!;
  const { rows, turns } = first.usage.history;
  return {
    title: `${containers} containers with ${BLOBS} blobs of 4 KiB each, on Azurite`,
    notes: [
      'Rows are those of the history that the Durable extension would store in Azure, and turns the executions of',
      'orchestrations, each of which takes Azure a tenth of a second or more.',
    ],
    measurements: medians(measured.map(({ of }) => of)),
    blobs: blobsIn(collection),
    targets: [
      { what: steps.full, atMost: 3, measured: rows / containers, unit: 'rows per container' },
      { what: steps.full, atMost: 1, measured: turns / containers, unit: 'turns per container' },
      // Lock, listings, parts and properties of each container, beside one request for each blob.
      {
        what: steps.full,
        atMost: BLOBS + 15,
        measured: first.of.requests / containers,
        unit: 'requests per container',
      },
    ],
  };
}
