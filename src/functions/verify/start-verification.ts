import { z } from 'zod';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import type { VerifyTask } from '#domain/run/tasks.ts';
import { portionProblem } from '#domain/verify/portion.ts';
import { DEFAULT_SAMPLE } from '#domain/verify/sample.ts';
import { answering, readBody } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { choosePoint } from '../restore-points/choose-restore-point.ts';
import { answerStart, startRun } from '../run/start-run.ts';

const body = z
  .strictObject({
    restorePoint: z.string().max(100).optional(),
    job: z.string().optional(),
    kind: z.enum(['quick', 'deep', 'drill']).default('quick'),
    portion: z
      .string()
      .superRefine((value, context) => {
        const message = portionProblem(value);
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      })
      .optional(),
    sample: z.number().int().min(1).max(1000).optional(),
  })
  .superRefine(({ kind, portion, sample }, context) => {
    const misplaced = (name: string, of: string) =>
      context.addIssue({ code: 'custom', path: [name], message: `only with "kind": "${of}"` });
    if (portion !== undefined && kind !== 'deep') misplaced('portion', 'deep');
    if (sample !== undefined && kind !== 'drill') misplaced('sample', 'drill');
  });

/** POST /api/verifications — proves a restore point, as a run of its job. */
export function startVerificationHandler(deps: Dependencies) {
  return answering(deps, async (request, client) => {
    const wanted = await readBody(request, body);
    const { summary } = await choosePoint(deps, wanted, 'look');
    const name = summary.job;
    if (!deps.configuration.jobs.some((job) => job.name === name)) {
      throw new HttpError(
        409,
        'job-not-found',
        `The configuration has no job "${name}", whose restore point this is`,
        'Configure a job of this name with this vault; it needs no schedule',
      );
    }
    const { job } = jobContextOf(deps, name);
    const verify: VerifyTask = {
      point: summary.id,
      kind: wanted.kind,
      portion: wanted.portion ?? job.verify?.portion ?? '100%',
      // Counted by the lock.
      turn: 0,
      sample: wanted.sample ?? DEFAULT_SAMPLE,
    };
    return answerStart(
      await startRun(deps, client, { job: name, mode: 'verify', trigger: 'http', dryRun: false, verify }),
    );
  });
}
