import { setTimeout as sleep } from 'node:timers/promises';
import { delayBefore, type RetryOptions } from '../retry-policy.ts';

/** The content of a blob from some byte on. */
export interface RestOfContent {
  /** The size of the whole blob, in bytes. */
  size: number;
  /** May end early or throw. Both count as an interrupted connection. */
  body: AsyncIterable<Uint8Array>;
}

/**
 * Yields the content, and resumes after an interruption. Fails with `ECONNRESET` after `tries` attempts without a byte.
 * Ends only after `size` bytes. Also throws the errors of `open`, and an `AbortError`.
 *
 * The SDK could do this, but it retries at once even if the service is busy, and reports an interruption as an abort by
 * the caller.
 */
export async function* wholeContent(
  open: (from: number) => Promise<RestOfContent>,
  retries: RetryOptions,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let from = 0;
  for (let attempt = 1; ; attempt++) {
    const { size, body } = await open(from);
    try {
      for await (const bytes of body) {
        from += bytes.length;
        attempt = 0;
        yield bytes;
      }
      if (from === size) return;
    } catch {
      // Every error of the stream means that the connection was interrupted.
    }
    if (attempt >= retries.tries && !signal?.aborted) {
      throw Object.assign(new Error(`The connection ended after ${from} of ${size} bytes.`), { code: 'ECONNRESET' });
    }
    await sleep(delayBefore(Math.max(attempt, 1), {}, retries), undefined, signal ? { signal } : {});
  }
}
