import { readLine, type Segment } from '#domain/tables/segment.ts';
import { nameOfKey } from '#domain/tables/table-key.ts';
import type { ControlStore } from '#storage/control/control-store.ts';

/**
 * The `Timestamp` of each entity that a segment stores, by the entity's name. It distinguishes one version of an entity
 * from another. Throws `damaged` if a file differs from the file that was written.
 */
export async function storedTimestamps(
  control: ControlStore,
  { files }: Pick<Segment, 'files'>,
): Promise<Map<string, string>> {
  const timestamps = new Map<string, string>();
  for (const file of files) {
    for (const lines of (await control.readEntityFile(file)).lines()) {
      for (const line of lines) {
        const { key, timestamp } = readLine(line);
        if (timestamp === undefined) timestamps.delete(nameOfKey(key));
        else timestamps.set(nameOfKey(key), timestamp);
      }
    }
  }
  return timestamps;
}
