import type { OrchestrationContext, Task } from 'durable-functions';
import type { Upload, UploadResult } from '#activities/archive/archive-upload.ts';
import type { KeepPoisonInput } from '#activities/archive/keep-poison.ts';
import { call, wait } from './call.ts';
import { interruption } from './interruption.ts';
import { WAIT_AFTER_FAILURE } from './limits.ts';

export interface FinishUploadInput {
  upload: Upload;
  /** Seconds until it is checked. */
  delay: number;
  /** From one generation of the orchestration to the next. */
  failures?: number;
}

/** Every check makes the history longer. A new generation begins after this many. */
const CHECKS_PER_GENERATION = 50;
const LONGEST_DELAY = 60;
/** As often as the host tries a message before it moves it to the poison queue. */
const TRIES = 5;

/**
 * Archives an upload that could not be archived at once: waits for a large copy that the service has not finished, or
 * for the claim of another owner, which may have died. The event that reported the upload is then over.
 */
export function* finishUpload(context: OrchestrationContext): Generator<Task, { is: string } | undefined, unknown> {
  const { upload, ...input } = context.df.getInput() as FinishUploadInput;
  let { delay, failures = 0 } = input;
  for (let check = 0; check < CHECKS_PER_GENERATION; check++) {
    yield wait(context, delay);
    let result: UploadResult;
    try {
      result = (yield call(context, 'archiveUpload', upload)) as UploadResult;
    } catch (error) {
      const { code, message } = interruption('archiveUpload', error);
      result = { is: 'failed', code, message };
    }
    if (result.is === 'pending') {
      delay = Math.min(delay * 2, LONGEST_DELAY);
    } else if (result.is === 'held') {
      delay = result.seconds;
    } else if (result.is === 'failed') {
      failures++;
      if (failures >= TRIES) {
        const { rule, name, etag } = upload;
        const problem = { code: result.code, message: result.message };
        if (yield* storePoison(context, { rule, name, ...(etag !== undefined && { etag }), problem }))
          return { is: 'failed' };
        // No one would learn of the upload. The next try archives it if the vault is back, or fails permanently again.
        context.df.continueAsNew({ upload, delay: LONGEST_DELAY, failures: TRIES - 1 });
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

/**
 * False if the vault was out of reach for more than an hour: a reconciliation would find the upload, but only later.
 */
function* storePoison(context: OrchestrationContext, input: KeepPoisonInput): Generator<Task, boolean, unknown> {
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
