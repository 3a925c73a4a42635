import { apply, hasEnded, type Instance, type Instances, type JournalRecord } from './instance.ts';
import { readJournal } from './journal-file.ts';

/** Milliseconds for which the status of an ended instance is available. */
const RETENTION = 30 * 86_400_000;

/** The instances that the records of a journal amount to. */
export async function readInstances(file: string): Promise<Instances> {
  const instances: Instances = new Map();
  for await (const records of readJournal(file)) {
    for (const record of records) apply(instances, record as JournalRecord);
  }
  return instances;
}

/** One record for each instance. Drops the instances that are no longer needed, from memory too. */
export function* snapshot(instances: Instances, now: Date): Iterable<JournalRecord> {
  for (const [id, instance] of instances) {
    if (isNeeded(instance, now)) {
      yield { type: 'instance', instance: { ...instance, open: [...instance.open.values()] } };
    } else {
      instances.delete(id);
    }
  }
}

/** A sub-orchestration that ended has reported its result. If the host made its id, no one can ask for it. */
function isNeeded(instance: Instance, now: Date): boolean {
  if (!hasEnded(instance)) return true;
  const { id, parent, lastUpdatedTime } = instance;
  if (parent !== undefined && id.startsWith(`${parent.executionId}:`)) return false;
  return now.getTime() - Date.parse(lastUpdatedTime) <= RETENTION;
}
