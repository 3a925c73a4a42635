import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { earlierPauses, isPaused } from '#domain/watch/pause.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { answering, reply } from '../http/answering.ts';
import { invalid } from '../http/http-error.ts';
import { watchedJob } from './watched-job.ts';

/**
 * POST /api/jobs/{job}/pause — its schedules start nothing until it is resumed, or until a time. A repeated call
 * replaces the reason and the end.
 */
export function pauseJobHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.pauseJob, async ({ params, body: { reason, until }, caller: { by } }) => {
    const job = watchedJob(deps, params.job);
    const now = deps.now();
    if (until !== undefined && Date.parse(until) <= now.getTime()) {
      throw invalid(
        'body',
        [{ path: ['until'], message: 'this time is over' }],
        'Leave it out to pause without an end',
      );
    }
    const end = until === undefined ? {} : { until: new Date(until).toISOString() };
    const store = new WatchStore(deps.blobs(job.destination.account));
    const { earlier: _, ...pause } = await store.changePause(job.name, (before) => {
      // A pause that is replaced began when it began: the watch reminds of it.
      const at = isPaused(before, now) ? before.at : now.toISOString();
      return { at, reason, ...end, by, ...earlierPauses(before, now) };
    });
    return reply(200, { job: job.name, paused: pause });
  });
}
