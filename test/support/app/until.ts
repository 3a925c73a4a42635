import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something holds, looking again and again; throws when it does not in time. */
export async function until(holds: () => Promise<boolean> | boolean, seconds = 30): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; !(await holds()); await sleep(50)) {
    if (Date.now() > deadline) throw new Error(`It did not come to hold in ${seconds} s: ${holds}`);
  }
}
