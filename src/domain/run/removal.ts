/**
 * A prune marked a restore point: no restore can use it, and its content is deleted when the margin ends. From
 * `emptied` on, content may be missing, and nothing needs the rest.
 */
export interface Removal {
  at: string;
  run: string;
  emptied?: string;
  /**
   * The executions that have noted `emptied` and have not looked for readers since. Once one of them has found none, it
   * removes this list, and `emptied` stays for good.
   */
  by?: string[];
}

/** An execution notes that it is about to delete, before it looks for readers. */
export function announced(removal: Removal, by: string, at: string): Removal {
  if (isForGood(removal)) return removal;
  return { ...removal, emptied: removal.emptied ?? at, by: [...(removal.by ?? []), by] };
}

/** An execution has found no reader and deletes, whatever others find. */
export function forGood({ by: _, ...removal }: Removal): Removal {
  return removal;
}

/** An execution has found a reader. Another may still delete, if it has found none. */
export function withdrawn(removal: Removal, by: string): Removal {
  if (!removal.by?.includes(by)) return removal;
  const others = removal.by.filter((each) => each !== by);
  if (others.length > 0) return { ...removal, by: others };
  const { emptied: _, ...marked } = forGood(removal);
  return marked;
}

/** Whether nothing keeps a prune from deleting: its content may be missing. */
export function isForGood({ emptied, by }: Removal): boolean {
  return emptied !== undefined && by === undefined;
}
