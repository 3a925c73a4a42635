import { z } from 'zod';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { PoisonStore } from '#storage/control/poison-store.ts';
import { answering, readBody } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { answerStart, startRun } from '../run/start-run.ts';
import { ruleOf } from './archive-rule.ts';

const reconcileBody = z.strictObject({ dryRun: z.boolean().default(false) });

/** POST /api/archives/{rule}/reconcile — archives what no event told of. */
export function startReconcileHandler(deps: Dependencies) {
  return answering(deps, async (request, client) => {
    const { name: job } = ruleOf(deps, request.params.rule!);
    const { dryRun } = await readBody(request, reconcileBody);
    return answerStart(await startRun(deps, client, { job, mode: 'reconcile', trigger: 'http', dryRun }));
  });
}

const reprocessBody = z.strictObject({ id: z.string().max(64).optional() });

/** POST /api/archives/{rule}/reprocess — tries the uploads that were given up again, all or one. */
export function startReprocessHandler(deps: Dependencies) {
  return answering(deps, async (request, client) => {
    const { name: job } = ruleOf(deps, request.params.rule!);
    const { id } = await readBody(request, reprocessBody);
    if (id !== undefined) {
      const entry = /^[0-9a-f]{32}$/.test(id)
        ? await new PoisonStore(jobContextOf(deps, job).control, job).read(id)
        : undefined;
      if (entry?.state !== 'open') {
        throw new HttpError(
          404,
          'poison-not-found',
          `No upload "${id}" is waiting to be tried again`,
          `Those that are: GET /api/archives/${job}/poison`,
        );
      }
    }
    const reprocess = id === undefined ? {} : { id };
    return answerStart(
      await startRun(deps, client, { job, mode: 'reprocess', trigger: 'http', dryRun: false, reprocess }),
    );
  });
}
