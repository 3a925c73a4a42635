import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpOperationResponse, RequestPolicyFactory, WebResource } from '@azure/storage-blob';
import { isStorageError } from '../storage-error.ts';
import { type Failure, failureOf } from './failure.ts';

export interface RetryOptions {
  /** Number of attempts, including the first. */
  tries: number;
  /** Milliseconds before the second attempt. Doubles for each further one. */
  firstDelay: number;
  /** Milliseconds; also the limit for a `Retry-After`. */
  longestDelay: number;
  /** Milliseconds per attempt; five times as many for synchronous copies. */
  timeout: number;
}

export const DEFAULT_RETRIES: RetryOptions = { tries: 5, firstDelay: 800, longestDelay: 30_000, timeout: 60_000 };

/**
 * The only place that retries requests; `wholeContent` resumes downloads that end early. It replaces the SDK's policy,
 * which sends its second attempt at once and in step with all other clients, ignores `Retry-After`, and does not retry
 * 429.
 */
export function retryPolicy(options: RetryOptions, wait: Wait = pause): RequestPolicyFactory {
  return {
    create: (next) => ({
      async sendRequest(request): Promise<HttpOperationResponse> {
        for (let attempt = 1; ; attempt++) {
          try {
            return await next.sendRequest(request);
          } catch (error) {
            const failure = failureOf(error);
            if (attempt >= options.tries || request.abortSignal?.aborted || !isWorthRetrying(error, failure))
              throw error;
            await wait(delayBefore(attempt, failure, options), request.abortSignal);
          }
        }
      },
    }),
  };
}

const TRANSIENT_STATUS = new Set([408, 429, 500, 502, 503, 504]);
const TRANSIENT_SOURCE_CODES = new Set(['InternalError', 'OperationTimedOut', 'ServerBusy']);
const TRANSIENT_NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

export function isWorthRetrying(error: unknown, failure: Failure): boolean {
  // The reader of the body found it incomplete.
  if (isStorageError(error)) return error.kind === 'server';
  if (failure.status === 0) return TRANSIENT_NETWORK.has(failure.code);
  return TRANSIENT_STATUS.has(failure.status) || TRANSIENT_SOURCE_CODES.has(failure.sourceCode ?? '');
}

/** Exponential, with jitter in the upper half, so that clients that fail together do not retry together. */
export function delayBefore(
  attempt: number,
  failure: Pick<Failure, 'retryAfter'>,
  { firstDelay, longestDelay }: RetryOptions,
): number {
  if (failure.retryAfter !== undefined) return Math.min(failure.retryAfter, longestDelay);
  const full = Math.min(firstDelay * 2 ** (attempt - 1), longestDelay);
  return full * (0.5 + Math.random() / 2);
}

/** Waits this many milliseconds, or throws an `AbortError` if the signal aborts first. */
type Wait = (ms: number, signal: WebResource['abortSignal']) => Promise<void>;

const pause: Wait = async (ms, signal) => {
  await sleep(ms, undefined, signal instanceof AbortSignal ? { signal } : {});
};
