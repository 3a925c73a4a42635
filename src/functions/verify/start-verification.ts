import { z } from 'zod';
import type { Dependencies } from '#app/dependencies.ts';
import type { VerifyTask } from '#domain/run/tasks.ts';
import { portionProblem } from '#domain/verify/portion.ts';
import { DEFAULT_SAMPLE } from '#domain/verify/sample.ts';
import { answering, readBody } from '../http/answering.ts';
import { checkedText } from '../http/checked-text.ts';
import { choosePoint } from '../restore-points/choose-restore-point.ts';
import { jobOfStored } from '../run/configured-job.ts';
import { answerStart } from '../run/start-run.ts';

const body = z
  .strictObject({
    restorePoint: z.string().max(100).optional(),
    job: z.string().optional(),
    kind: z.enum(['quick', 'deep', 'drill']).default('quick'),
    portion: checkedText(portionProblem).optional(),
    sample: z.number().int().min(1).max(1000).optional(),
  })
  .superRefine(({ kind, portion, sample }, context) => {
    const misplaced = (name: string, of: string) =>
      context.addIssue({ code: 'custom', path: [name], message: `this requires "kind": "${of}"` });
    if (portion !== undefined && kind !== 'deep') misplaced('portion', 'deep');
    if (sample !== undefined && kind !== 'drill') misplaced('sample', 'drill');
  });

/** POST /api/verifications — verifies a restore point, as a run of its job. */
export function startVerificationHandler(deps: Dependencies) {
  return answering(deps, async (request, client) => {
    const wanted = await readBody(request, body);
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
    return answerStart(deps, client, { job: job.name, mode: 'verify', trigger: 'http', dryRun: false, verify });
  });
}
