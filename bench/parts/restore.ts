import { fill } from '../collection.ts';
import { nodeScript } from '../contenders/node-script.ts';
import { Strongroom } from '../contenders/strongroom.ts';
import { type Measurement, measurement, medians } from '../measurement.ts';
import { startCountedAzurite } from '../servers/azurite.ts';
import { STAND_IN, startStandIn } from '../servers/stand-in.ts';
import type { PartOptions, PartResult } from './part.ts';

const CONTAINERS = 4;
/** The most requests per blob of a restore. */
const A_BLOB = 1.05;
const LOST = 'source';
const VAULT = 'vaultstrongroom';
const SAMPLE = 'restoredbysample';

/** Measures the cost of restoring many small blobs, and of verifying many items. */
export async function measureRestoring({ quick, repeat, progress }: PartOptions): Promise<PartResult> {
  const small = quick ? 800 : 5000;
  const items = quick ? 20_000 : 100_000;
  const measured: Measurement[] = [];
  const what = {
    with: `restore of ${small} blobs with metadata`,
    without: `restore of ${small} blobs without`,
    verify: `quick verification of ${items} items`,
  };
  for (let round = 1; round <= repeat; round++) {
    for (const metadata of [true, false]) {
      const step = metadata ? what.with : what.without;
      progress(`${step}${repeat > 1 ? `, round ${round} of ${repeat}` : ''}`);
      measured.push(...(await restore(small, metadata, step)));
    }
    progress(what.verify);
    measured.push(await verify(items, what.verify));
  }
  const measurements = medians(measured);
  const requests = (step: string) =>
    measurements.find((each) => each.what === step && each.contender === 'Strongroom')!.requests;
  return {
    title: 'Restores and verifications',
    notes: [
      'Restores run on Azurite, from the vault to the lost account; the verification runs on the stand-in server. The',
      'server counts the requests, including lock, manifest, summary and catalog. A blob without metadata takes a',
      'second request, as the service copies the record along, and Strongroom removes it. The usual program lists the',
      'backup container and copies, 32 at once. It restores the latest version only, with all metadata of the backup',
      'blob, and without tags.',
    ],
    measurements,
    targets: [
      { what: what.with, atMost: A_BLOB, measured: requests(what.with) / small, unit: 'requests per blob' },
      { what: what.without, atMost: A_BLOB + 1, measured: requests(what.without) / small, unit: 'requests per blob' },
      // Besides one request per 5,000 items: the manifest's parts, the lock, the restore point, the run's own writes.
      { what: what.verify, atMost: items / 5000 + 60, measured: requests(what.verify), unit: 'requests' },
    ],
  };
}

async function restore(blobs: number, metadata: boolean, what: string): Promise<Measurement[]> {
  const azurite = await startCountedAzurite([LOST, VAULT, SAMPLE]);
  const strongroom = new Strongroom(VAULT);
  const sample = nodeScript('usual program, 32 at once', SAMPLE, 'container-back.ts');
  try {
    await fill(azurite.connectionString(LOST), { containers: CONTAINERS, small: blobs, large: 0, metadata });
    await strongroom.backUp(azurite, LOST, 'full');
    await azurite.takeCounts();
    const body = { target: { container: '{container}-back' } };
    const ours = await strongroom.ask(azurite, LOST, '/api/restores', body);
    if (ours.copied !== blobs) throw new Error(`${ours.copied} of ${blobs} blobs were restored`);
    const first = measurement(what, strongroom.name, await azurite.takeCounts(), ours);
    const usage = await sample.run({ server: azurite, source: VAULT, step: 'first' });
    return [first, measurement(what, sample.name, await azurite.takeCounts(), usage)];
  } finally {
    await azurite.stop();
    strongroom.remove();
  }
}

async function verify(items: number, what: string): Promise<Measurement> {
  const server = await startStandIn({ containers: CONTAINERS, blobsPerContainer: items / CONTAINERS });
  const strongroom = new Strongroom(STAND_IN.unchanged);
  try {
    await strongroom.backUp(server, STAND_IN.source, 'incremental');
    await server.takeCounts();
    const usage = await strongroom.ask(server, STAND_IN.source, '/api/verifications', { kind: 'quick' });
    if (usage.listed !== items) throw new Error(`${usage.listed} of ${items} items were verified`);
    return measurement(what, strongroom.name, await server.takeCounts(), usage);
  } finally {
    await server.stop();
    strongroom.remove();
  }
}
