import { Strongroom } from '../contenders/strongroom.ts';
import { type Measurement, measurement, medians } from '../measurement.ts';
import { STAND_IN, startStandIn } from '../servers/stand-in.ts';
import type { PartOptions, PartResult } from './part.ts';

const CONTAINERS = 4;
const AT_MOST = 1.3;

interface Case {
  what: string;
  mode: 'incremental' | 'full' | 'prune';
  few: number;
  many: number;
}

const RETENTION = { retention: { keepLast: 1 } };

/** Measures the peak memory of the host for few and for many blobs: it must not grow with their number. */
export async function measureMemory({ quick, repeat, progress }: PartOptions): Promise<PartResult> {
  const cases: Case[] = [
    { what: 'nothing changed', mode: 'incremental', few: quick ? 10_000 : 20_000, many: quick ? 100_000 : 200_000 },
    { what: 'prune planned', mode: 'prune', few: quick ? 10_000 : 20_000, many: quick ? 100_000 : 200_000 },
    ...(quick ? [] : [{ what: 'first copy', mode: 'full', few: 20_000, many: 60_000 } as const]),
  ];
  const measured: Measurement[] = [];
  for (const { what, mode, few, many } of cases) {
    for (const blobs of [few, many]) {
      for (let round = 1; round <= repeat; round++) {
        progress(`memory, ${what} of ${blobs} blobs`);
        measured.push(await backUp(blobs, mode, what));
      }
    }
  }
  const measurements = medians(measured);
  const peak = (what: string, blobs: number) => measurements.find((each) => each.what === title(what, blobs))?.peakMiB;
  return {
    title: 'Peak memory for few and for many blobs, each in a new process',
    notes: ['On the stand-in server. The figure is the most memory that the process held at once, including its code.'],
    measurements,
    targets: cases.map(({ what, few, many }) => {
      const [small, large] = [peak(what, few), peak(what, many)];
      return {
        what: `${what}: memory for ${many} blobs`,
        atMost: AT_MOST,
        measured: small && large && large / small,
        unit: `times that for ${few}`,
      };
    }),
  };
}

async function backUp(blobs: number, mode: Case['mode'], what: string): Promise<Measurement> {
  const server = await startStandIn({ containers: CONTAINERS, blobsPerContainer: blobs / CONTAINERS });
  // A full copy goes to an empty account.
  const strongroom = new Strongroom(mode === 'full' ? STAND_IN.empty : STAND_IN.unchanged, RETENTION);
  try {
    // A prune needs restore points; the process that made them ends before.
    if (mode === 'prune') await strongroom.backUp(server, STAND_IN.source, 'incremental');
    if (mode === 'prune') await server.takeCounts();
    const usage = await (mode === 'prune'
      ? strongroom.ask(server, STAND_IN.source, '/api/prunes', {})
      : strongroom.backUp(server, STAND_IN.source, mode));
    return measurement(title(what, blobs), strongroom.name, await server.takeCounts(), usage);
  } finally {
    await server.stop();
    strongroom.remove();
  }
}

function title(what: string, blobs: number): string {
  return `${what}, ${blobs} blobs`;
}
