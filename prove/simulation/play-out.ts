import { createHash } from 'node:crypto';
import type { MemoryAccount } from '../memory/memory-account.ts';
import { type Scheduler, withVirtualTimers } from '../memory/scheduler.ts';

/**
 * Lets a story and all that it sets going run to its end, by virtual time. `say` is told where the story itself breaks, and where
 * nothing comes to an end in so many steps.
 */
export async function playOut(
  scheduler: Scheduler,
  story: () => Promise<void>,
  most: number,
  say: (what: 'broken' | 'endless', message: string) => void,
): Promise<void> {
  let over = false;
  await withVirtualTimers(scheduler, async () => {
    const told = story().then(
      () => {
        over = true;
      },
      (error: Error) => {
        over = true;
        say('broken', `the story broke: ${error.stack}`);
      },
    );
    const outcome = await scheduler.run(() => over, most);
    if (outcome === 'done') await told;
    else say('endless', `nothing comes to an end (${outcome} after ${scheduler.taken} steps)`);
  });
}

/** The same for the same play, and another for any other: of what happened, and of what is there at the end. */
export function digestOf(trace: string[], account: MemoryAccount): string {
  const last = [...account.blobs()].map(
    ({ container, blob }) =>
      `${container}/${blob.name} ${blob.etag} ${createHash('sha256').update(blob.body).digest('hex')}`,
  );
  return createHash('sha256')
    .update([...trace, ...last].join('\n'))
    .digest('hex');
}
