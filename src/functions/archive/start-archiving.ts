import { z } from 'zod';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { PoisonStore } from '#storage/control/poison-store.ts';
import { answering, readBody } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { answerStart } from '../run/start-run.ts';
import { configuredRule } from './configured-rule.ts';

const reconcileBody = z.strictObject({ dryRun: z.boolean().default(false) });

/** POST /api/archives/{rule}/reconcile — archives every upload that has no receipt. */
export function startReconcileHandler(deps: Dependencies) {
  return answering(deps, async (request, client) => {
    const { name: job } = configuredRule(deps, request.params.rule!);
    const { dryRun } = await readBody(request, reconcileBody);
    return answerStart(deps, client, { job, mode: 'reconcile', trigger: 'http', dryRun });
  });
}

const reprocessBody = z.strictObject({ id: z.string().max(64).optional() });

/** POST /api/archives/{rule}/reprocess — tries poison uploads again, all or one. */
export function startReprocessHandler(deps: Dependencies) {
  return answering(deps, async (request, client) => {
    const { name: job } = configuredRule(deps, request.params.rule!);
    const { id } = await readBody(request, reprocessBody);
    if (id !== undefined) await checkPoison(deps, job, id);
    const reprocess = id === undefined ? {} : { id };
    return answerStart(deps, client, { job, mode: 'reprocess', trigger: 'http', dryRun: false, reprocess });
  });
}

async function checkPoison(deps: Dependencies, rule: string, id: string): Promise<void> {
  const { control } = jobContextOf(deps, rule);
  const entry = /^[0-9a-f]{32}$/.test(id) ? await new PoisonStore(control, rule).read(id) : undefined;
  if (entry?.state === 'open') return;
  throw new HttpError(
    404,
    'poison-not-found',
    `Archive rule "${rule}" has no poison upload "${id}"`,
    `GET /api/archives/${rule}/poison lists the poison uploads`,
  );
}
