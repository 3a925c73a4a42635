import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until a condition holds, and throws if it does not in time. The longer it waits, the less often it checks. */
export async function until(holds: () => Promise<boolean> | boolean, seconds = 30): Promise<void> {
  const began = Date.now();
  while (!(await holds())) {
    const waited = Date.now() - began;
    if (waited > seconds * 1000) throw new Error(`It did not come to hold in ${seconds} s: ${holds}`);
    await sleep(Math.min(20 + waited / 5, 250));
  }
}
