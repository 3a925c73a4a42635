import type { ArchiveRule } from '#config/configuration.ts';

/** A queue of events, and the rules that it has events for. */
export interface EventQueue {
  /** Part of the names of the functions for the queue and for its poison queue. */
  id: string;
  queue: string;
  /** The name of the connection, as Azure Functions use it. */
  connection: string;
  rules: ArchiveRule[];
}

/** The app's own storage. */
const HOST_STORAGE = 'AzureWebJobsStorage';

/** All queues, each once: rules may share a queue. */
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
