import { createHash } from 'node:crypto';
import type { MemoryAccount } from './memory-account.ts';
import { type Scheduler, withVirtualTimers } from './scheduler.ts';

/**
 * Runs a story, and everything that it starts, to the end in virtual time. Reports a story that throws, and a play that
 * does not end within `mostSteps`.
 */
export async function playOut(
  scheduler: Scheduler,
  story: () => Promise<void>,
  mostSteps: number,
  report: (what: 'broken' | 'endless', message: string) => void,
): Promise<void> {
  let over = false;
  await withVirtualTimers(scheduler, async () => {
    const ended = story().then(
      () => {
        over = true;
      },
      (error: Error) => {
        over = true;
        report('broken', `the story broke: ${error.stack}`);
      },
    );
    const outcome = await scheduler.run(() => over, mostSteps);
    if (outcome === 'done') await ended;
    else report('endless', `the play does not end (${outcome} after ${scheduler.taken} steps)`);
  });
}

/** A hash of the steps and of the last content of an account: equal for equal plays only. */
export function digestOf(trace: string[], account: MemoryAccount): string {
  const last = [...account.blobs()].map(
    ({ container, blob }) =>
      `${container}/${blob.name} ${blob.etag} ${createHash('sha256').update(blob.body).digest('hex')}`,
  );
  return createHash('sha256')
    .update([...trace, ...last].join('\n'))
    .digest('hex');
}
