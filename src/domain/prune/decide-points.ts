import type { RetentionDecision } from '../run/prune-plan.ts';
import { type Notes, verifiedAt } from '../run/restore-point.ts';
import { type PointInTime, type RetentionPolicy, retention } from './retention.ts';

/** A restore point that no prune has marked, and its notes. */
export interface NotedPoint {
  id: string;
  startedAt: string;
  status: string;
  notes: Notes;
}

interface At {
  now: Date;
  timeZone: string;
  /**
   * The restore point that was made last: after a clock was set back, it seems to be older than those before it, and
   * stays all the same.
   */
  madeLast: string | undefined;
}

/** What a prune decides of restore points, the newest first: see `retention`. */
export function decidePoints(
  points: readonly NotedPoint[],
  policy: RetentionPolicy | undefined,
  { now, timeZone, madeLast }: At,
): RetentionDecision[] {
  return retention(points.map(pointInTime), policy, now, timeZone).map((each) =>
    each.keep || each.id !== madeLast ? each : { ...each, keep: true, reasons: ['made last'] },
  );
}

function pointInTime({ id, startedAt, status, notes }: NotedPoint): PointInTime {
  const { hold, brake } = notes;
  const verified = verifiedAt(notes);
  return {
    id,
    startedAt,
    status: status === 'succeeded' ? 'succeeded' : 'completed-with-failures',
    ...(hold && { hold }),
    ...(brake && !brake.released && { brake }),
    ...(verified !== undefined && { verifiedAt: verified }),
  };
}
