import { blobsIn, type Collection, fill, overwrite } from '../collection.ts';
import type { Contender, Step } from '../contenders/contender.ts';
import { nodeScript } from '../contenders/node-script.ts';
import { rclone, rcloneVersion, TUNED } from '../contenders/rclone.ts';
import { Strongroom } from '../contenders/strongroom.ts';
import { type Measurement, measurement, medians } from '../measurement.ts';
import { startCountedAzurite } from '../servers/azurite.ts';
import type { Target } from '../target.ts';
import type { PartOptions, PartResult } from './part.ts';

const FULL: Collection = { containers: 4, small: 5000, large: 20 };
const QUICK: Collection = { containers: 4, small: 800, large: 4 };
const OVERWRITTEN = 100;

const SOURCE = 'source';

/** Measures a first copy, a run with nothing changed, and one with overwritten blobs, all from the same source. */
export async function measureCopying({ quick, repeat, progress }: PartOptions): Promise<PartResult> {
  const collection = quick ? QUICK : FULL;
  const blobs = blobsIn(collection);
  const version = rcloneVersion();
  const steps: Record<Step, string> = {
    first: `first copy of ${blobs} blobs`,
    unchanged: 'nothing changed',
    overwritten: `${OVERWRITTEN} overwritten`,
  };
  const measured: Measurement[] = [];
  for (let round = 1; round <= repeat; round++) {
    const contenders = contendersFor(version);
    const azurite = await startCountedAzurite([SOURCE, ...contenders.map(({ vault }) => vault)]);
    try {
      progress(`filling Azurite with ${blobs} blobs${repeat > 1 ? `, round ${round} of ${repeat}` : ''}`);
      await fill(azurite.connectionString(SOURCE), collection);
      for (const [step, what] of Object.entries(steps) as [Step, string][]) {
        if (step === 'overwritten') await overwrite(azurite.connectionString(SOURCE), collection, OVERWRITTEN);
        for (const contender of contenders) {
          progress(`${what}: ${contender.name}`);
          await azurite.takeCounts();
          const usage = await contender.run({ server: azurite, source: SOURCE, step });
          measured.push(measurement(what, contender.name, await azurite.takeCounts(), usage));
        }
      }
    } finally {
      await azurite.stop();
      for (const contender of contenders) contender.remove?.();
    }
  }
  const measurements = medians(measured);
  return {
    title: `${collection.small} blobs of 4 KiB and ${collection.large} of 8 MiB in ${collection.containers} containers, on Azurite`,
    notes: [
      'The server counts the requests, including tables and manifests. Azurite makes about 700 copies per second,',
      'which limits the seconds of a first copy. Only Strongroom takes a snapshot before it overwrites. CPU is that of',
      'the whole process from its start; the seconds of Strongroom begin when its host has started.',
      version === undefined
        ? 'rclone is not installed, so it is not in the table.'
        : `rclone ${version}, tuned: ${TUNED.join(' ')}.`,
    ],
    measurements,
    blobs,
    // With few blobs, the fixed cost of a run weighs too much.
    targets: targetsOf(measurements, steps, blobs).filter(({ unit }) => !quick || unit === 'requests'),
  };
}

function contendersFor(version: string | undefined): Contender[] {
  return [
    new Strongroom('vaultstrongroom'),
    nodeScript('usual program, 32 at once', 'vaultsample', 'usual-sample.ts'),
    ...(version === undefined
      ? []
      : [rclone('rclone sync', 'vaultrclone'), rclone('rclone sync, tuned', 'vaulttuned', TUNED)]),
  ];
}

function targetsOf(measurements: Measurement[], steps: Record<Step, string>, blobs: number): Target[] {
  const requests = (step: Step) =>
    measurements.find(({ what, contender }) => what === steps[step] && contender === 'Strongroom')!.requests;
  const aBlob = 1.05;
  const quiet = Math.floor((2 * blobs) / 5000) + 60;
  return [
    { what: 'first copy', atMost: aBlob, measured: requests('first') / blobs, unit: 'requests per blob' },
    { what: 'nothing changed', atMost: quiet, measured: requests('unchanged'), unit: 'requests' },
    {
      what: `${OVERWRITTEN} overwritten`,
      // The cost of a copy, and one request for the snapshot before it.
      atMost: quiet + Math.floor((aBlob + 1) * OVERWRITTEN),
      measured: requests('overwritten'),
      unit: 'requests',
    },
  ];
}
