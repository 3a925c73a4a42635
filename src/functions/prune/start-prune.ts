import { z } from 'zod';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import { answering, readBody } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { jobOf } from '../restore-points/choose-restore-point.ts';
import { answerStart, startRun } from '../run/start-run.ts';

const body = z.strictObject({
  job: z.string().optional(),
  /** Nothing is deleted without a plan that somebody can have read. */
  dryRun: z.boolean().optional(),
  /** The run that made the plan, and the hash of the plan. */
  plan: z.string().max(100).optional(),
  hash: z.string().max(100).optional(),
});

const PLAN_FIRST =
  'POST /api/prunes with {"job": "…"} makes a plan; GET the run it names, and give back its id and its plan.hash';

/** POST /api/prunes — plans a prune, or carries out the plan whose hash is given. */
export function startPruneHandler(deps: Dependencies) {
  return answering(deps, async (request, client) => {
    const wanted = await readBody(request, body);
    if ((wanted.plan === undefined) !== (wanted.hash === undefined)) {
      throw new HttpError(400, 'body-invalid', 'body: a plan is carried out by its run and its hash, both', PLAN_FIRST);
    }
    if (wanted.dryRun === (wanted.plan !== undefined)) {
      throw new HttpError(400, 'body-invalid', 'body.dryRun: nothing is deleted without a plan', PLAN_FIRST);
    }
    const job = wanted.plan === undefined ? jobOf(deps, wanted.job) : jobOfPlan(deps, wanted.plan, wanted.job);
    if (wanted.plan === undefined || wanted.hash === undefined) {
      return answerStart(
        await startRun(deps, client, { job, mode: 'prune', trigger: 'http', dryRun: true, prune: {} }),
      );
    }
    const { control } = jobContextOf(deps, job);
    const made = await control.readSummary({ job, id: wanted.plan });
    if (!made?.plan || !made.dryRun || made.status !== 'succeeded') {
      throw new HttpError(
        404,
        'plan-not-found',
        `Run ${wanted.plan} is no plan of a prune that can be carried out`,
        PLAN_FIRST,
      );
    }
    const stale = (why: string) => new HttpError(409, 'plan-stale', why, PLAN_FIRST);
    if (made.plan.hash !== wanted.hash) throw stale(`Plan ${wanted.plan} has another hash`);
    const plan = { run: wanted.plan, hash: wanted.hash };
    // Whether it still holds is decided by the run, under the lock.
    const start = { job, mode: 'prune', trigger: 'http', dryRun: false, prune: { plan } } as const;
    return answerStart(await startRun(deps, client, start));
  });
}

function jobOfPlan(deps: Dependencies, plan: string, named: string | undefined): string {
  const job = parseRunId(plan)?.job;
  if (job === undefined || (named !== undefined && named !== job)) {
    throw new HttpError(404, 'plan-not-found', `There is no plan "${plan}"`, PLAN_FIRST);
  }
  return jobOf(deps, job);
}
