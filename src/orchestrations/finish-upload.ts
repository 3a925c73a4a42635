import type { OrchestrationContext, Task } from 'durable-functions';
import type { Upload, UploadResult } from '#activities/archive/archive-upload.ts';
import type { KeepPoisonInput } from '#activities/archive/keep-poison.ts';
import { mayPass } from '#domain/archive/passing.ts';
import { traceOfUpload } from '#domain/run/trace.ts';
import { call, wait } from './call.ts';
import { interruption } from './interruption.ts';
import { WAIT_AFTER_FAILURE } from './limits.ts';
import { waitToPass } from './patience.ts';

export interface FinishUploadInput {
  upload: Upload;
  /** Seconds until it is checked. */
  delay: number;
  /** From one generation of the orchestration to the next. */
  failures?: number;
  /** Since when it has failed with what may pass, ISO 8601. */
  failingSince?: string;
  /**
   * Present if this orchestration waits for all versions of a blob: the time of its next check, ISO 8601. Who finds it
   * waiting can rely on that check.
   */
  until?: string;
  /** Present if it waits for the quiet of this version alone, and another orchestration for later ones. */
  version?: string;
}

/** What a check decides: the end, or what the next one needs to know. */
type Next = { end: { is: string } } | Omit<FinishUploadInput, 'upload' | 'until'>;

/** Every check makes the history longer. A new generation begins after this many. */
const CHECKS_PER_GENERATION = 50;
const LONGEST_DELAY = 60;
/** As often as the host tries a message before it moves it to the poison queue. */
const TRIES = 5;

/**
 * Archives an upload that could not be archived at once: waits for a large copy that the service has not finished, for
 * the claim of another owner, which may have died, for a blob that still changes, or for a failure to pass. The event
 * that reported the upload is then over.
 */
export function* finishUpload(context: OrchestrationContext): Generator<Task, { is: string } | undefined, unknown> {
  const { upload, until, ...input } = context.df.getInput() as FinishUploadInput;
  // Others see the time of the next check in the input, so each check is a generation.
  const checks = until === undefined ? CHECKS_PER_GENERATION : 1;
  let state: Omit<FinishUploadInput, 'upload' | 'until'> = input;
  for (let check = 0; check < checks; check++) {
    yield wait(context, state.delay);
    const next = yield* afterCheck(context, upload, state);
    if ('end' in next) return next.end;
    state = next;
  }
  const now = context.df.currentUtcDateTime.getTime();
  const again = until !== undefined && { until: new Date(now + state.delay * 1000).toISOString() };
  context.df.continueAsNew({ upload, ...state, ...again } satisfies FinishUploadInput);
  return undefined;
}

function* afterCheck(
  context: OrchestrationContext,
  upload: Upload,
  state: Omit<FinishUploadInput, 'upload' | 'until'>,
): Generator<Task, Next, unknown> {
  const result = yield* checked(context, upload);
  const { failingSince: _, ...calm } = state;
  switch (result.is) {
    case 'pending':
      return { ...calm, delay: Math.min(state.delay * 2, LONGEST_DELAY) };
    case 'held':
      return { ...state, delay: result.seconds };
    case 'changing':
      if (state.version !== undefined && state.version !== result.etag) return { end: { is: 'replaced' } };
      return { ...calm, delay: result.seconds };
    case 'failed':
      return yield* afterFailure(context, upload, state, result);
    default:
      return { end: { is: result.is } };
  }
}

function* checked(context: OrchestrationContext, upload: Upload): Generator<Task, UploadResult, unknown> {
  try {
    return (yield call(context, 'archiveUpload', upload)) as UploadResult;
  } catch (error) {
    const { code, message } = interruption('archiveUpload', error);
    return { is: 'failed', code, message };
  }
}

function* afterFailure(
  context: OrchestrationContext,
  upload: Upload,
  state: Omit<FinishUploadInput, 'upload' | 'until'>,
  { code, message }: Extract<UploadResult, { is: 'failed' }>,
): Generator<Task, Next, unknown> {
  let { failures = 0, failingSince } = state;
  if (mayPass(code)) {
    const now = context.df.currentUtcDateTime;
    failingSince ??= now.toISOString();
    const delay = waitToPass(new Date(failingSince), now);
    if (delay !== undefined) return { ...state, failingSince, delay };
  } else if (++failures < TRIES) {
    return { ...state, failures, delay: WAIT_AFTER_FAILURE * 2 ** failures };
  }
  const { rule, name, etag } = upload;
  const trace = traceOfUpload(upload);
  const poison = { rule, name, ...(etag !== undefined && { etag }), problem: { code, message }, trace };
  if (yield* storePoison(context, poison)) return { end: { is: 'failed' } };
  // No one would learn of the upload. The next try archives it if the vault is back, or fails permanently again.
  return { ...state, failures: TRIES - 1, ...(failingSince !== undefined && { failingSince }), delay: LONGEST_DELAY };
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
