import type { ArchiveRule } from '#config/configuration.ts';

/** One queue that events come from, and the rules they may be for. */
export interface EventQueue {
  /** Part of the names of the functions that listen to it and to its poison. */
  id: string;
  queue: string;
  /** As Azure Functions name connections. */
  connection: string;
  rules: ArchiveRule[];
}

/** The app's own storage. */
const HOST_STORAGE = 'AzureWebJobsStorage';

/** Each queue once: rules may share one. */
export function queuesOf(rules: readonly ArchiveRule[]): EventQueue[] {
  const queues = new Map<string, EventQueue>();
  for (const rule of rules) {
    const { queue, queueAccount: connection } = rule.events ?? {};
    if (queue === undefined || connection === undefined) continue;
    const id = connection === HOST_STORAGE ? queue : `${queue}-${connection.replace(/\W/g, '-')}`;
    const key = `${connection} ${queue}`;
    const known = queues.get(key);
    if (known) known.rules.push(rule);
    else queues.set(key, { id, queue, connection, rules: [rule] });
  }
  return [...queues.values()];
}
