import { z } from 'zod';
import type { Dependencies } from '#app/dependencies.ts';
import { isPaused } from '#domain/watch/pause.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { answering, json, readBody } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { watchedJob } from './watched-job.ts';

const body = z.strictObject({
  reason: z.string().trim().min(1).max(500),
  until: z.iso.datetime({ offset: true }).optional(),
});

/**
 * POST /api/jobs/{job}/pause — its schedules start nothing until it is resumed, or until a time. A repeated call
 * replaces the reason and the end.
 */
export function pauseJobHandler(deps: Dependencies) {
  return answering(deps, async (request) => {
    const job = watchedJob(deps, request.params.job!);
    const { reason, until } = await readBody(request, body);
    const now = deps.now();
    if (until !== undefined && Date.parse(until) <= now.getTime()) {
      throw new HttpError(400, 'body-invalid', 'body.until: this time is over', 'Leave it out to pause without an end');
    }
    const end = until === undefined ? {} : { until: new Date(until).toISOString() };
    const store = new WatchStore(deps.blobs(job.destination.account));
    const pause = await store.changePause(job.name, (before) => {
      // A pause that is replaced began when it began: the watch reminds of it.
      const at = isPaused(before, now) ? before.at : now.toISOString();
      return { at, reason, ...end };
    });
    return json(200, { job: job.name, paused: pause });
  });
}
