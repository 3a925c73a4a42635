import type { Notify } from '#config/notify.ts';
import { nextAfter } from '#domain/run/schedule.ts';
import { durationMs } from '#domain/watch/duration.ts';
import type { Route } from '#domain/watch/notices.ts';

/** The routes of the configuration, one for each channel that an entry of `send` names. */
export function routesOfNotices({ send, timeZone }: Notify): Route[] {
  return send.flatMap(({ to, when, jobs, repeat, recovered, digest, always }) =>
    to.map((channel) => ({
      ...{ channel, when, recovered },
      ...(jobs && { jobs }),
      ...(always && { always }),
      ...(repeat !== undefined && { repeatMs: durationMs(repeat) }),
      ...(digest !== undefined && { digestAfter: (now: Date) => nextAfter(digest, timeZone, now) }),
    })),
  );
}
