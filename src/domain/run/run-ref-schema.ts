import { z } from 'zod';
import { storedBySchema } from './by.ts';

const text = z.string();
const list = z.array(text);

/** Members that every run has; of its task, prunes rely on what it reads. Later versions may add others. */
const anyRun = z.looseObject({
  id: text,
  job: text,
  trigger: z.enum(['timer', 'http', 'run']),
  by: storedBySchema.optional(),
  dryRun: z.boolean(),
  startedAt: text.refine((value) => !Number.isNaN(Date.parse(value))),
  epoch: z.int(),
});

const restoreTask = z.looseObject({
  point: text,
  ...z
    .object({
      account: text,
      container: text,
      prefix: text,
      existing: z.enum(['fail', 'skip', 'overwrite', 'if-different', 'replace', 'merge']),
      containers: list,
      tables: list,
      names: list,
      startsWith: text,
      include: list,
      exclude: list,
      file: z.looseObject({ account: text, container: text, name: text }),
    })
    .partial().shape,
});

const verifyTask = z.looseObject({
  point: text,
  kind: z.enum(['quick', 'deep', 'drill']),
  portion: text,
  turn: z.int(),
  sample: z.int(),
});

const planName = z.looseObject({ run: text, hash: text });

/** A run as a lock has it: what it reads, retries or carries out, too, because prunes and take-overs rely on that. */
export const runRefSchema = z.discriminatedUnion('mode', [
  anyRun.extend({ mode: z.enum(['full', 'incremental', 'reconcile']) }),
  anyRun.extend({ mode: z.literal('retry'), retryOf: text }),
  anyRun.extend({ mode: z.literal('restore'), restore: restoreTask, retryOf: text.optional() }),
  anyRun.extend({ mode: z.literal('verify'), verify: verifyTask }),
  anyRun.extend({ mode: z.literal('prune'), prune: z.looseObject({ plan: planName.optional() }) }),
  anyRun.extend({ mode: z.literal('reprocess'), reprocess: z.looseObject({ id: text.optional() }) }),
]);
