import type { ArchiveRule } from '../config.ts';

/** One queue that events come from, and the rules they may be for. */
export interface EventQueue {
  queue: string;
  /** As Azure Functions name connections. */
  connection: string;
  rules: ArchiveRule[];
}

/** Each queue once: rules may share one. */
export function queuesOf(rules: readonly ArchiveRule[]): EventQueue[] {
  const queues = new Map<string, EventQueue>();
  for (const rule of rules) {
    const { queue, queueAccount: connection } = rule.events ?? {};
    if (queue === undefined || connection === undefined) continue;
    const known = queues.get(queue);
    if (known) known.rules.push(rule);
    else queues.set(queue, { queue, connection, rules: [rule] });
  }
  return [...queues.values()];
}
