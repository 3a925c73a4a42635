import type { ApiPoint } from '../model/points.ts';
import { get } from './api.ts';

/** Restore points of a job, or of all, newest first: as many pages as it takes, at most 1,000. */
export async function allPoints(job: string, signal: AbortSignal): Promise<ApiPoint[]> {
  const points: ApiPoint[] = [];
  let cursor: string | undefined;
  do {
    const page = await get('listRestorePoints', 'restore-points', { job, limit: 200, cursor }, signal);
    points.push(...page.restorePoints);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && points.length < 1000);
  return points;
}
