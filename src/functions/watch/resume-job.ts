import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { isPaused } from '#domain/watch/pause.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { answering, reply } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { watchedJob } from './watched-job.ts';

/** POST /api/jobs/{job}/resume — ends a pause. What it covered is not made up for. */
export function resumeJobHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.resumeJob, async ({ params, caller: { by } }) => {
    const job = watchedJob(deps, params.job);
    const now = deps.now();
    const store = new WatchStore(deps.blobs(job.destination.account));
    await store.changePause(job.name, (pause) => {
      if (isPaused(pause, now)) return { ...pause, resumed: now.toISOString(), resumedBy: by };
      throw new HttpError(409, 'not-paused', `"${job.name}" is not paused`, 'No action is needed.');
    });
    return reply(200, { job: job.name, paused: null });
  });
}
