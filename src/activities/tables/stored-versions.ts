import { readLine, type Segment } from '#domain/tables/segment.ts';
import { nameOfKey } from '#domain/tables/table-key.ts';
import type { ControlStore } from '#storage/control/control-store.ts';

/**
 * When each entity of a segment was written, by the service's clock, under its name: what tells a version from another. Throws `damaged`
 * where a file is not what was written.
 */
export async function storedVersions(
  control: ControlStore,
  { files }: Pick<Segment, 'files'>,
): Promise<Map<string, string>> {
  const versions = new Map<string, string>();
  for (const file of files) {
    for (const lines of (await control.readEntityFile(file)).lines()) {
      for (const line of lines) {
        const { key, timestamp } = readLine(line);
        if (timestamp === undefined) versions.delete(nameOfKey(key));
        else versions.set(nameOfKey(key), timestamp);
      }
    }
  }
  return versions;
}
