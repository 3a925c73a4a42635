import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { VerifyTask } from '#domain/run/tasks.ts';
import { DEFAULT_SAMPLE } from '#domain/verify/sample.ts';
import { answering } from '../http/answering.ts';
import { choosePoint } from '../restore-points/choose-restore-point.ts';
import { jobOfStored } from '../run/configured-job.ts';
import { answerStart } from '../run/start-run.ts';

/** POST /api/verifications — verifies a restore point, as a run of its job. */
export function startVerificationHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.startVerification, async ({ body: wanted, caller: { by } }, client) => {
    const { summary } = await choosePoint(deps, wanted, 'verify');
    const job = jobOfStored(deps, summary.job);
    const verify: VerifyTask = {
      point: summary.id,
      kind: wanted.kind,
      portion: wanted.portion ?? job.verify?.portion ?? '100%',
      // The lock counts the turns.
      turn: 0,
      sample: wanted.sample ?? DEFAULT_SAMPLE,
    };
    return answerStart(deps, client, { job: job.name, mode: 'verify', trigger: 'http', by, dryRun: false, verify });
  });
}
