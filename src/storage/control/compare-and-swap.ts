const ATTEMPTS = 5;

/**
 * Repeats `attempt` (read, change, and write pinned to what was read) while it returns undefined, since another writer
 * has changed the document in between. Returns undefined after so many attempts.
 */
export async function compareAndSwap<T>(
  attempt: () => Promise<T | undefined>,
  attempts = ATTEMPTS,
): Promise<T | undefined> {
  for (let count = 0; count < attempts; count++) {
    const result = await attempt();
    if (result !== undefined) return result;
  }
  return undefined;
}
