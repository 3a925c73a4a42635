import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import { answering } from '../http/answering.ts';
import { HttpError, invalid } from '../http/http-error.ts';
import { quoted } from '../http/quoted.ts';
import { configuredJob } from '../run/configured-job.ts';
import { answerStart } from '../run/start-run.ts';

const PLAN_FIRST =
  'To make a plan, POST /api/prunes with {"job": "…"}. To carry it out, POST the id of its run as "plan" and its ' +
  'plan.hash as "hash"';

/** POST /api/prunes — plans a prune, or carries out the plan that the request names. */
export function startPruneHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.startPrune, async ({ body, caller: { by }, check }, client) => {
    const { job: named, dryRun, plan: run, hash } = body;
    check(run === undefined && hash === undefined ? 'run' : 'prune');
    if ((run === undefined) !== (hash === undefined)) {
      const absent = run === undefined ? 'plan' : 'hash';
      throw invalid(
        'body',
        [{ path: [absent], message: 'carrying out a plan needs both "plan" and "hash"' }],
        PLAN_FIRST,
      );
    }
    if (dryRun === (run !== undefined)) {
      const message = 'a plan is always a dry run, and carrying one out never is';
      throw invalid('body', [{ path: ['dryRun'], message }], PLAN_FIRST);
    }
    if (run === undefined || hash === undefined) {
      const { name: job } = configuredJob(deps, named);
      return answerStart(deps, client, { job, mode: 'prune', trigger: 'http', by, dryRun: true, prune: {} });
    }
    const job = jobOfPlan(deps, run, named);
    await checkPlan(deps, { job, run, hash });
    const prune = { plan: { run, hash } };
    return answerStart(deps, client, { job, mode: 'prune', trigger: 'http', by, dryRun: false, prune });
  });
}

function jobOfPlan(deps: Dependencies, run: string, named: string | undefined): string {
  const job = parseRunId(run)?.job;
  if (job === undefined || (named !== undefined && named !== job)) {
    const whose = named === undefined ? 'There is' : `Job ${quoted(named)} has`;
    throw new HttpError(404, 'plan-not-found', `${whose} no plan ${quoted(run)}`, PLAN_FIRST);
  }
  return configuredJob(deps, job).name;
}

/** Throws unless the run made this plan. Whether the plan still holds is decided by the new run, under the lock. */
async function checkPlan(deps: Dependencies, { job, run, hash }: { job: string; run: string; hash: string }) {
  const made = await jobContextOf(deps, job).control.readSummary({ job, id: run });
  if (!made?.plan || !made.dryRun || made.status !== 'succeeded') {
    throw new HttpError(404, 'plan-not-found', `Run ${run} made no plan that can be carried out`, PLAN_FIRST);
  }
  if (made.plan.hash !== hash) {
    throw new HttpError(409, 'plan-stale', `The plan of run ${run} has another hash than the request`, PLAN_FIRST);
  }
}
