import { setTimeout as sleep } from 'node:timers/promises';
import { delayBefore, type RetryOptions } from '../retry-policy.ts';

/** What is left of a blob's content from some byte on. */
export interface RestOfContent {
  /** Of the whole blob, in bytes. */
  size: number;
  /** May end early, or throw: either is taken as the connection's end. */
  body: AsyncIterable<Uint8Array>;
}

/**
 * Content that is asked for again from where it broke off, as often as `tries` allows without a byte in between. Ends
 * only after `size` bytes. Throws what `open` throws, `ECONNRESET` when it gives up, and an `AbortError`.
 *
 * Not left to the SDK: it asks again at once, however busy the service is, and takes a connection that is cut for an
 * abort by the caller.
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
      // A cut is a cut, in whatever words.
    }
    if (attempt >= retries.tries && !signal?.aborted) {
      throw Object.assign(new Error(`The connection ended after ${from} of ${size} bytes.`), { code: 'ECONNRESET' });
    }
    await sleep(delayBefore(Math.max(attempt, 1), {}, retries), undefined, signal ? { signal } : {});
  }
}
