import { type ContainerProperties, type PropertiesPart, recordedProperties } from '#domain/run/container-properties.ts';
import { PROPERTIES_KEY } from '#domain/run/control-paths.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { countNotPreserved, emptyTally } from '#domain/run/tally.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError, StorageError } from '#storage/storage-error.ts';
import type { RunContext } from './run-context.ts';

/** Records the properties of the container or table of a backup, if it has any but the defaults. Safe to run twice. */
export async function recordProperties(context: RunContext, found: ContainerProperties): Promise<void> {
  const { container, destination } = context;
  const recorded = recordedProperties(found);
  if (!recorded) return;
  const tally = emptyTally(container, destination);
  if (recorded.encryptionScope !== undefined) countNotPreserved(tally, 'container-encryption-scope');
  if (recorded.immutabilityPolicy || recorded.legalHold) countNotPreserved(tally, 'container-immutability');
  if (recorded.unread) countNotPreserved(tally, 'unread-properties');
  const part = new PartWriter<ContainerProperties>();
  part.add(recorded);
  await context.writePart('properties', PROPERTIES_KEY, part, {}, tally);
}

/**
 * What the restore point has of the properties of a container or table; undefined if they are the defaults. The part
 * and the reason if it is damaged: that must not keep anything else from being restored.
 */
export async function propertiesOf(
  control: ControlStore,
  point: RunSummary,
  container: string,
): Promise<ContainerProperties | DamagedProperties | undefined> {
  const part = point.properties?.find((each) => each.container === container);
  if (!part) return undefined;
  try {
    const { items } = await control.readPart<ContainerProperties, object>(part.path, part.sha256);
    if (items[0]) return items[0];
    throw new StorageError('damaged', `${part.path} is empty`);
  } catch (error) {
    if (!isStorageError(error, 'damaged')) throw error;
    return { damaged: part, why: error.message };
  }
}

export interface DamagedProperties {
  damaged: PropertiesPart;
  why: string;
}

/** What a problem says of properties that were not read. */
export function unreadMessage(container: string, unread: NonNullable<ContainerProperties['unread']>): string {
  const table = tableOfTask(container);
  const what = unread.map((each) => (each === 'policies' ? 'stored access policies' : 'metadata and public access'));
  return `${table === undefined ? container : `table ${table}`}: the backup could not read ${what.join(' or ')}`;
}
