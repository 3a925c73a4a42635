import type { HttpOperationResponse, WebResource } from '@azure/storage-blob';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { retryPolicy } from '#storage/azure/retry-policy.ts';
import { StorageError } from '#storage/storage-error.ts';

const OK = { status: 200 } as HttpOperationResponse;
const OPTIONS = { tries: 4, firstDelay: 1000, longestDelay: 10_000, timeout: 60_000 };

function answered(statusCode: number, headers: Record<string, string> = {}): Error {
  return Object.assign(new Error('x'), { statusCode, response: { headers: new Map(Object.entries(headers)) } });
}

function coded(code: string): Error {
  return Object.assign(new Error('x'), { code });
}

/**
 * Sends a request whose attempts fail in turn with `failures`; tells how it ended and how long it waited in between.
 */
async function attempts(failures: Error[]) {
  let made = 0;
  const waits: number[] = [];
  const next = {
    async sendRequest() {
      const failure = failures[made++];
      if (failure) throw failure;
      return OK;
    },
  };
  const wait = async (ms: number) => {
    waits.push(ms);
  };
  const policy = retryPolicy(OPTIONS, wait).create(next, {} as never);
  const ended = await policy.sendRequest({ method: 'GET' } as WebResource).then(
    () => 'answered',
    (error: Error) => error,
  );
  return { made, waits, ended };
}

describe('retryPolicy', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([
    answered(408),
    answered(429),
    answered(500),
    answered(502),
    answered(503),
    answered(504),
    answered(403, { 'x-ms-copy-source-error-code': 'ServerBusy' }),
    coded('ECONNRESET'),
    coded('ETIMEDOUT'),
    coded('EAI_AGAIN'),
    new StorageError('server', 'a listing was cut short'),
  ])('the policy tries again after $message $statusCode $code $kind', async (failure) => {
    expect(await attempts([failure])).toMatchObject({ ended: 'answered', made: 2 });
  });

  it.each([
    answered(304),
    answered(400),
    answered(403),
    answered(404),
    answered(409),
    answered(412),
    answered(501),
    answered(404, { 'x-ms-copy-source-error-code': 'BlobNotFound' }),
    coded('ERR_INVALID_CHAR'),
    coded('ABORT_ERR'),
    new StorageError('invalid', 'x'),
  ])('the policy passes on $message $statusCode $code $kind', async (failure) => {
    expect(await attempts([failure])).toMatchObject({ ended: failure, made: 1 });
  });

  it('the policy ends after its attempts, with the last failure', async () => {
    const failures = [1, 2, 3, 4, 5].map((n) => answered(503, { n: String(n) }));
    const { made, ended } = await attempts(failures);
    expect(made).toBe(4);
    expect(ended).toBe(failures[3]);
  });

  it('the policy doubles each wait, less a random part of up to half', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    expect((await attempts([500, 500, 500].map((status) => answered(status)))).waits).toEqual([1000, 2000, 4000]);
    vi.spyOn(Math, 'random').mockReturnValue(0);
    expect((await attempts([500, 500, 500].map((status) => answered(status)))).waits).toEqual([500, 1000, 2000]);
  });

  it.each([
    [{ 'retry-after': '3' }, 3000],
    [{ 'retry-after-ms': '120' }, 120],
    [{ 'retry-after': '3600' }, 10_000],
  ])('the policy waits as long as the service says, within reason: %j', async (headers, wait) => {
    expect((await attempts([answered(503, headers)])).waits).toEqual([wait]);
  });

  it('the policy waits until a date that the service names', async () => {
    vi.spyOn(Date, 'now').mockReturnValue(Date.parse('2026-11-21T00:00:00Z'));
    const { waits } = await attempts([answered(503, { 'retry-after': 'Sat, 21 Nov 2026 00:00:07 GMT' })]);
    expect(waits).toEqual([7000]);
  });

  it('the policy stops waiting when it is aborted', async () => {
    const stop = new AbortController();
    const next = {
      async sendRequest(): Promise<HttpOperationResponse> {
        setTimeout(() => stop.abort(), 10);
        throw answered(503, { 'retry-after': '10' });
      },
    };
    const request = { method: 'GET', abortSignal: stop.signal } as unknown as WebResource;
    const sending = retryPolicy(OPTIONS)
      .create(next, {} as never)
      .sendRequest(request);
    await expect(sending).rejects.toMatchObject({ name: 'AbortError' });
  });
});
