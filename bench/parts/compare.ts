import { nodeScript } from '../contenders/node-script.ts';
import { rclone, rcloneVersion, TUNED } from '../contenders/rclone.ts';
import { Strongroom } from '../contenders/strongroom.ts';
import { type Measurement, measurement, medians } from '../measurement.ts';
import { STAND_IN, startStandIn } from '../servers/stand-in.ts';
import type { PartOptions, PartResult } from './part.ts';

const CONTAINERS = 4;
const FULL = 100_000;
const QUICK = 20_000;
/**
 * Seconds of CPU for the full number, on a machine on which rclone needs 8.9. Machines differ, so if rclone is part of
 * the same run, the target is a portion of its CPU.
 */
const CPU_TARGET = 3;
const RCLONE_THERE = 8.9;

/** Measures the cost for a client to find that many blobs are unchanged. */
export async function measureComparing({ quick, repeat, progress }: PartOptions): Promise<PartResult> {
  const blobs = quick ? QUICK : FULL;
  const what = 'nothing changed';
  const version = rcloneVersion();
  const strongroom = new Strongroom(STAND_IN.unchanged);
  const contenders = [
    strongroom,
    nodeScript("walk over the SDK's listings", STAND_IN.unchanged, 'sdk-walk.ts'),
    ...(version === undefined ? [] : [rclone('rclone sync, tuned', STAND_IN.unchangedByRclone, TUNED)]),
  ];
  const server = await startStandIn({ containers: CONTAINERS, blobsPerContainer: blobs / CONTAINERS });
  const measured: Measurement[] = [];
  try {
    for (let round = 1; round <= repeat; round++) {
      for (const contender of contenders) {
        progress(`comparing ${blobs} blobs${repeat > 1 ? `, round ${round} of ${repeat}` : ''}: ${contender.name}`);
        await server.takeCounts();
        const usage = await contender.run({ server, source: STAND_IN.source, step: 'unchanged' });
        measured.push(measurement(what, contender.name, await server.takeCounts(), usage));
      }
    }
  } finally {
    await server.stop();
    strongroom.remove();
  }
  const measurements = medians(measured);
  const ours = measurements[0]!;
  const rcloneCpu = measurements.find(({ contender }) => contender.startsWith('rclone'))?.cpuSeconds;
  return {
    title: `Comparing ${blobs} blobs with their ${blobs} unchanged copies, in ${CONTAINERS} containers`,
    notes: [
      'On a stand-in server that generates its listings, since Azurite would take most of the time itself.',
      'CPU is that of the whole process from its start. Only Strongroom writes a manifest.',
    ],
    measurements,
    blobs,
    targets: [
      { what: 'nothing changed', atMost: (2 * blobs) / 5000 + 60, measured: ours.requests, unit: 'requests' },
      ...(quick
        ? []
        : [
            rcloneCpu === undefined
              ? {
                  what: `comparing ${blobs} blobs`,
                  atMost: CPU_TARGET,
                  measured: ours.cpuSeconds,
                  unit: 'seconds of CPU',
                }
              : {
                  what: `comparing ${blobs} blobs (${ours.cpuSeconds} seconds of CPU)`,
                  atMost: CPU_TARGET / RCLONE_THERE,
                  measured: ours.cpuSeconds === undefined ? undefined : ours.cpuSeconds / rcloneCpu,
                  unit: "of rclone's CPU",
                },
          ]),
    ],
  };
}
