import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpOperationResponse, RequestPolicyFactory, WebResource } from '@azure/storage-blob';
import { isStorageError } from '../storage-error.ts';
import { type Failure, failureOf } from './failure.ts';

export interface RetryOptions {
  /** Attempts in all. */
  tries: number;
  /** Milliseconds before the second attempt; doubles from there. */
  firstDelay: number;
  /** Milliseconds; also the most that a `Retry-After` is followed. */
  longestDelay: number;
  /** Milliseconds that one attempt may take; five times as many for copies, which the service does while we wait. */
  timeout: number;
}

export const DEFAULT_RETRIES: RetryOptions = { tries: 5, firstDelay: 800, longestDelay: 30_000, timeout: 60_000 };

/**
 * The one place that tries requests again; what ends in mid-body is asked for again by `wholeContent`. The SDK's own
 * policy is turned off for it: that one sends its second attempt at once and in step with every other client, ignores
 * `Retry-After`, and gives up on 429.
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
  // A body that was read and found cut short.
  if (isStorageError(error)) return error.kind === 'server';
  if (failure.status === 0) return TRANSIENT_NETWORK.has(failure.code);
  return TRANSIENT_STATUS.has(failure.status) || TRANSIENT_SOURCE_CODES.has(failure.sourceCode ?? '');
}

/** Exponential with jitter over its upper half, so that clients that failed together do not come back together. */
export function delayBefore(
  attempt: number,
  failure: Pick<Failure, 'retryAfter'>,
  { firstDelay, longestDelay }: RetryOptions,
): number {
  if (failure.retryAfter !== undefined) return Math.min(failure.retryAfter, longestDelay);
  const full = Math.min(firstDelay * 2 ** (attempt - 1), longestDelay);
  return full * (0.5 + Math.random() / 2);
}

/** Waits this many milliseconds, or throws an `AbortError` when the signal comes first. */
type Wait = (ms: number, signal: WebResource['abortSignal']) => Promise<void>;

const pause: Wait = async (ms, signal) => {
  await sleep(ms, undefined, signal instanceof AbortSignal ? { signal } : {});
};
