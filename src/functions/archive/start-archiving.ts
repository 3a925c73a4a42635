import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { PoisonStore } from '#storage/control/poison-store.ts';
import { answering } from '../http/answering.ts';
import { answerStart } from '../run/start-run.ts';
import { configuredRule } from './configured-rule.ts';
import { poisonNotFound } from './poison-not-found.ts';

/** POST /api/archives/{rule}/reconcile — archives every upload that has no receipt. */
export function startReconcileHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.startReconcile, async ({ params, body: { dryRun }, caller: { by } }, client) => {
    const { name: job } = configuredRule(deps, params.rule);
    return answerStart(deps, client, { job, mode: 'reconcile', trigger: 'http', by, dryRun });
  });
}

/** POST /api/archives/{rule}/reprocess — tries poison uploads again, all or one. */
export function startReprocessHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.startReprocess, async ({ params, body: { id }, caller: { by } }, client) => {
    const { name: job } = configuredRule(deps, params.rule);
    if (id !== undefined) await checkPoison(deps, job, id);
    const reprocess = id === undefined ? {} : { id };
    return answerStart(deps, client, { job, mode: 'reprocess', trigger: 'http', by, dryRun: false, reprocess });
  });
}

async function checkPoison(deps: Dependencies, rule: string, id: string): Promise<void> {
  const { control } = jobContextOf(deps, rule);
  const entry = /^[0-9a-f]{32}$/.test(id) ? await new PoisonStore(control, rule).read(id) : undefined;
  if (entry?.state === 'open') return;
  throw poisonNotFound(rule, id);
}
