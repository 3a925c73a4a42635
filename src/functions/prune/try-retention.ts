import type { z } from 'zod';
import type { Reply } from '#api/operation.ts';
import { OPERATIONS } from '#api/operations.ts';
import type { ShownPoint } from '#api/restore-points.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { lastPoint } from '#app/last-point.ts';
import type { Job } from '#config/configuration.ts';
import { decidePoints, type NotedPoint } from '#domain/prune/decide-points.ts';
import { RETENTION_RULES, type RetentionPolicy } from '#domain/prune/retention.ts';
import { defined } from '#domain/run/defined.ts';
import type { Notes } from '#domain/run/restore-point.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { answering, reply } from '../http/answering.ts';
import { SharedAnswers } from '../http/shared-answers.ts';
import { type PointsPage, pointsOfVault } from '../restore-points/points-of-vault.ts';
import { configuredJob } from '../run/configured-job.ts';
import { catalogProblems } from '../run/list-rows.ts';

type Answer = Reply<typeof OPERATIONS.tryRetention>;

const PAGE = 1_000;
/** A job may have ten thousand restore points. Without a catalog, each is a request. */
const PATIENCE_MS = 30_000;

/** GET /api/jobs/{job}/retention — what a prune would decide now. Decides as a prune does, and changes nothing. */
export function tryRetentionHandler(deps: Dependencies) {
  const shared = new SharedAnswers<Answer>(deps);
  return answering(deps, OPERATIONS.tryRetention, ({ params, query }) => {
    const job = configuredJob(deps, params.job);
    return shared.get([job.name, query], () => tryRetention(deps, job, query));
  });
}

async function tryRetention(
  deps: Dependencies,
  job: Job,
  query: z.output<typeof OPERATIONS.tryRetention.query>,
): Promise<Answer> {
  const asked = defined(query) as RetentionPolicy;
  const isInForce = Object.keys(asked).length === 0;
  const policy = isInForce ? rulesOf(job.retention) : asked;
  const control = new ControlStore(deps.blobs(job.destination.account));
  const [{ points, next, problem }, madeLast] = await Promise.all([allPoints(deps, job), lastPoint(control, job.name)]);
  const decisions = decidePoints(points.map(noted), policy, { now: deps.now(), timeZone: job.timeZone, madeLast });
  const known = new Map(points.map((point) => [point.id, point]));
  const kept = decisions.filter(({ keep }) => keep).length;
  return reply(200, {
    ...{ job: job.name, policy: policy ?? null, isInForce, isComplete: next === undefined },
    ...{ keeps: kept, removes: decisions.length - kept },
    restorePoints: decisions.map(({ id, keep, reasons }) => {
      const { time, status } = known.get(id)!;
      return { id, time, status, keep, reasons };
    }),
    problem: points.find((point) => point.problem)?.problem ?? null,
    ...catalogProblems([defined({ problem })]),
  });
}

/** All restore points of a job that no prune has marked, the newest first; or as many as time allows. */
async function allPoints(deps: Dependencies, { name: job, destination }: Job): Promise<PointsPage> {
  const until = deps.now().getTime() + PATIENCE_MS;
  const found: PointsPage = { points: [] };
  do {
    const page = await pointsOfVault(deps, destination.account, { job, limit: PAGE, removed: false }, found.next);
    found.points.push(...page.points);
    found.next = page.next;
    Object.assign(found, defined({ problem: found.problem ?? page.problem }));
  } while (found.next !== undefined && deps.now().getTime() < until);
  return found;
}

function noted({ id, time, status, hold, brake, verifications }: ShownPoint): NotedPoint {
  const notes = { ...(hold && { hold }), ...(brake && { brake }), proofs: verifications } as Notes;
  return { id, startedAt: time, status, notes };
}

/** The rules of a policy, without how and when it is carried out. */
function rulesOf(retention: Job['retention']): RetentionPolicy | undefined {
  if (!retention) return undefined;
  return defined(Object.fromEntries(RETENTION_RULES.map((rule) => [rule, retention[rule]]))) as RetentionPolicy;
}
