import type { ApiPoint } from '../model/points.ts';
import { get } from './api.ts';

/** The calls in progress: parts of a screen that ask for the same at once share the answers. */
const asked = new Map<string, Promise<ApiPoint[]>>();

/** Restore points of a job, newest first: as many pages as it takes, at most 1,000. */
export function allPoints(job: string): Promise<ApiPoint[]> {
  const before = asked.get(job);
  if (before) return before;
  const points = readPoints(job).finally(() => asked.delete(job));
  asked.set(job, points);
  return points;
}

async function readPoints(job: string): Promise<ApiPoint[]> {
  const points: ApiPoint[] = [];
  let cursor: string | undefined;
  do {
    const page = await get('listRestorePoints', 'restore-points', { job, limit: 200, cursor });
    points.push(...page.restorePoints);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && points.length < 1000);
  return points;
}
