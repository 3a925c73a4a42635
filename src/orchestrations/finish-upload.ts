import type { OrchestrationContext, Task } from 'durable-functions';
import type { Upload, UploadResult } from '#activities/archive/archive-upload.ts';
import type { KeepPoisonInput } from '#activities/archive/keep-poison.ts';
import { call, wait } from './call.ts';

export interface FinishUploadInput {
  upload: Upload;
  /** Seconds until it is looked at. */
  delay: number;
  /** Carried from one generation of the orchestration to the next. */
  failures?: number;
}

/** Looked at more often, the history gets long: then a new generation begins. */
const LOOKS_PER_GENERATION = 50;
const LONGEST_DELAY = 60;
/** As often as the host tries a message before it gives it up. */
const FAILURES_ALLOWED = 5;
const WAIT_AFTER_FAILURE = 20;

/**
 * Sees an upload through that could not be archived at once: waits for a large copy that the service has not finished, or for the
 * claim of somebody who may have died, whatever becomes of the event that told of it.
 */
export function* finishUpload(context: OrchestrationContext): Generator<Task, { is: string } | undefined, unknown> {
  const { upload, ...input } = context.df.getInput() as FinishUploadInput;
  let { delay, failures = 0 } = input;
  for (let look = 0; look < LOOKS_PER_GENERATION; look++) {
    yield wait(context, delay);
    let result: UploadResult;
    try {
      result = (yield call(context, 'archiveUpload', upload)) as UploadResult;
    } catch (error) {
      result = { is: 'failed', code: 'internal', message: `An activity was ended: ${(error as Error).message}` };
    }
    if (result.is === 'pending') {
      delay = Math.min(delay * 2, LONGEST_DELAY);
    } else if (result.is === 'held') {
      delay = result.seconds;
    } else if (result.is === 'failed') {
      failures++;
      if (failures >= FAILURES_ALLOWED) {
        const { rule, name, etag } = upload;
        const problem = { code: result.code, message: result.message };
        if (yield* giveUp(context, { rule, name, ...(etag !== undefined && { etag }), problem }))
          return { is: 'failed' };
        // Nobody would hear of it: it is tried once more, and is archived where the vault is back, or given up anew.
        context.df.continueAsNew({ upload, delay: LONGEST_DELAY, failures: FAILURES_ALLOWED - 1 });
        return undefined;
      }
      delay = WAIT_AFTER_FAILURE * 2 ** failures;
    } else {
      return { is: result.is };
    }
  }
  const next: FinishUploadInput = { upload, delay, failures };
  context.df.continueAsNew(next);
  return undefined;
}

/** False where the vault was out of reach for more than an hour: a reconcile would find the upload, but nobody would know until then. */
function* giveUp(context: OrchestrationContext, input: KeepPoisonInput): Generator<Task, boolean, unknown> {
  for (const delay of [5, 60, 600, 3600]) {
    try {
      yield call(context, 'keepPoison', input);
      return true;
    } catch {
      yield wait(context, delay);
    }
  }
  return false;
}
