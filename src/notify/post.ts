import { setTimeout as sleep } from 'node:timers/promises';

/** A request of a message. The address is a secret. */
export interface Post {
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** Why a message was not taken, in words without its address. */
export class NotTaken extends Error {}

const TIMEOUT_MS = 10_000;
const TRIES = 3;
const FIRST_WAIT_MS = 1_000;
/** A service may ask to wait for long. The next pass of the watch is soon enough. */
const LONGEST_WAIT_MS = 15_000;
/** More of an answer is not read: it is for logs of the other side. */
const MOST_READ = 1024;

/**
 * Sends a request until it is taken: at most three tries, of ten seconds each. Follows no redirect: it could lead
 * anywhere. Throws `NotTaken`.
 */
export async function post(request: Post, wait: (ms: number) => Promise<unknown> = sleep): Promise<void> {
  for (let tries = 1; ; tries++) {
    const answer = await attempt(request);
    if (answer === 'taken') return;
    if (tries === TRIES || !answer.mayPass) throw new NotTaken(answer.reason);
    await wait(Math.min(LONGEST_WAIT_MS, Math.max(answer.retryAfterMs, FIRST_WAIT_MS * 4 ** (tries - 1))));
  }
}

type Refusal = { reason: string; mayPass: boolean; retryAfterMs: number };

async function attempt({ url, headers, body }: Post): Promise<'taken' | Refusal> {
  let response: Response;
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    response = await fetch(url, { method: 'POST', redirect: 'manual', headers, body, signal });
  } catch (error) {
    return { reason: reasonOf(error), mayPass: true, retryAfterMs: 0 };
  }
  await discard(response);
  const { status } = response;
  if (status >= 200 && status < 300) return 'taken';
  if (status >= 300 && status < 400)
    return { reason: `redirected with HTTP ${status}, which is not followed`, mayPass: false, retryAfterMs: 0 };
  const retryAfter = Number(response.headers.get('retry-after'));
  const retryAfterMs = Number.isFinite(retryAfter) ? retryAfter * 1000 : 0;
  return { reason: `HTTP ${status}`, mayPass: status === 408 || status === 429 || status >= 500, retryAfterMs };
}

/** Reads a little, so that a short answer leaves the connection usable, and ends all longer ones. */
async function discard(response: Response): Promise<void> {
  try {
    let bytes = 0;
    const reader = response.body?.getReader();
    for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader?.read()) {
      bytes += chunk.value.byteLength;
      if (bytes > MOST_READ) break;
    }
    await reader?.cancel();
  } catch {
    // The status has arrived, and nothing else matters.
  }
}

/** The message of the error may have the address. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`;
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return typeof cause?.code === 'string' ? `no connection (${cause.code})` : 'no connection';
}
