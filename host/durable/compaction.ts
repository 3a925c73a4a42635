import { apply, hasEnded, type Instance, type Instances, type JournalRecord } from './instance.ts';
import { readJournal, writeJournal } from './journal-file.ts';

/** Milliseconds for which the status of an ended instance is available. */
const RETENTION = 30 * 86_400_000;

/** Reads the journal and replaces it with one record per instance. Drops instances that ended long ago. */
export async function compact(file: string, now: Date): Promise<{ instances: Instances; crc: number }> {
  const instances: Instances = new Map();
  for (const record of await readJournal(file)) apply(instances, record as JournalRecord);
  for (const [id, instance] of instances) {
    if (hasEnded(instance) && now.getTime() - Date.parse(instance.lastUpdatedTime) > RETENTION) instances.delete(id);
  }
  const crc = await writeJournal(file, snapshot(instances.values()));
  return { instances, crc };
}

function* snapshot(instances: Iterable<Instance>): Iterable<JournalRecord> {
  for (const instance of instances)
    yield { type: 'instance', instance: { ...instance, open: [...instance.open.values()] } };
}
