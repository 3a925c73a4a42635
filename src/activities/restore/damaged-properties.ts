import type { ContainerProperties } from '#domain/run/container-properties.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { type DamagedProperties, propertiesOf } from '../run/record-properties.ts';
import type { RunContext } from '../run/run-context.ts';
import type { SliceWriter } from '../run/slice-writer.ts';

/** Names the properties of a container or table as damaged if their part cannot be read. */
export async function verifyProperties(
  { control, container }: RunContext,
  point: RunSummary,
  slice: SliceWriter,
): Promise<void> {
  const recorded = await propertiesOf(control, point, container);
  if (recorded === undefined || !isDamaged(recorded)) return;
  slice.list(0);
  slice.settle(damagedOutcome(recorded));
}

/** The outcome for properties of a restore point that cannot be read. */
export function damagedOutcome({ damaged, why }: DamagedProperties): Outcome {
  const about = { name: damaged.path, etag: '', modified: '', size: 0 };
  return { ...about, status: 'failed', code: 'damaged', message: `${why}; nothing else has these properties` };
}

export function isDamaged(found: ContainerProperties | DamagedProperties): found is DamagedProperties {
  return 'damaged' in found;
}
