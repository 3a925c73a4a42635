import { setTimeout as sleep } from 'node:timers/promises';
import {
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineRequest,
  type HttpMethods,
  type Pipeline,
} from '@azure/core-rest-pipeline';
import { EntityTextError } from '#domain/tables/entity-text.ts';
import { noteRequest } from '../../requests.ts';
import { StorageError } from '../../storage-error.ts';
import type { AccountAccess } from '../account-access.ts';
import { failureOf } from '../failure.ts';
import { delayBefore, isWorthRetrying, type RetryOptions } from '../retry-policy.ts';
import { TABLE_VERSION } from '../service-version.ts';
import { tableClient } from './table-client.ts';
import { tableOperationName } from './table-operation-name.ts';

export interface TableRequest {
  method: HttpMethods;
  /** The rest of the URL after the service's address, percent-encoded, with its query. */
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

/** A successful answer. */
export interface TableAnswer {
  header(name: string): string | undefined;
  body: string;
}

const httpClient = createDefaultHttpClient();

/**
 * Requests to the table service without the SDK's methods, which parse entities into values and lose types and digits.
 * The SDK's pipeline signs and sends the requests. As for blobs, the retries are our own.
 */
export class TableRequests {
  readonly #access: AccountAccess;
  readonly #retries: RetryOptions;
  #made: Pipeline | undefined;

  constructor(access: AccountAccess, retries: RetryOptions) {
    this.#access = access;
    this.#retries = retries;
  }

  get #pipeline(): Pipeline {
    if (this.#made) return this.#made;
    // The client requires a table name. It does not use the name: each request has its own.
    const { pipeline } = tableClient(this.#access, 'any', {});
    pipeline.removePolicy({ phase: 'Serialize' });
    pipeline.removePolicy({ phase: 'Deserialize' });
    pipeline.removePolicy({ phase: 'Retry' });
    this.#made = pipeline;
    return pipeline;
  }

  /**
   * Sends a request and returns the result of `read`. If `read` throws `EntityTextError` or a `StorageError`
   * (`server`), the answer was incomplete, and this retries the request like any transient failure. Throws the error of
   * the last attempt.
   */
  async send<T>(request: TableRequest, read: (answer: TableAnswer) => T, signal?: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return read(await this.#sendOnce(request, signal));
      } catch (thrown) {
        const error =
          thrown instanceof EntityTextError
            ? new StorageError('server', `The service sent an incomplete answer: ${thrown.message}.`)
            : thrown;
        const failure = failureOf(error);
        if (attempt >= this.#retries.tries || signal?.aborted || !isWorthRetrying(error, failure)) throw error;
        await sleep(delayBefore(attempt, failure, this.#retries), undefined, signal ? { signal } : {});
      }
    }
  }

  async #sendOnce({ method, path, headers = {}, body }: TableRequest, signal?: AbortSignal): Promise<TableAnswer> {
    const pipeline = this.#pipeline;
    const url = `${this.#access.tableEndpoint}/${path}`;
    noteRequest(tableOperationName(method, url));
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), this.#retries.timeout);
    // Each attempt needs a new one, since signing changes it.
    const request = createPipelineRequest({
      url,
      method,
      headers: createHttpHeaders({
        accept: 'application/json;odata=minimalmetadata',
        dataserviceversion: '3.0',
        'x-ms-version': TABLE_VERSION,
        ...headers,
      }),
      abortSignal: signal ? AbortSignal.any([signal, limit.signal]) : limit.signal,
      allowInsecureConnection: url.startsWith('http:'),
      ...(body === undefined ? {} : { body }),
    });
    try {
      const { status, headers: answered, bodyAsText } = await pipeline.sendRequest(httpClient, request);
      const text = bodyAsText ?? '';
      if (status < 200 || status > 299) throw refusal(status, text, { headers: answered });
      return { header: (name) => answered.get(name), body: text };
    } catch (error) {
      if (limit.signal.aborted && !signal?.aborted) {
        throw Object.assign(new Error(`No answer within ${this.#retries.timeout / 1000} s.`), { code: 'ETIMEDOUT' });
      }
      // The SDK's error for a connection that ended during an answer.
      if (failureOf(error).code === 'PARSE_ERROR') {
        throw new StorageError('server', 'The service sent an incomplete answer: the connection ended.');
      }
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** An error in the form of the SDK's errors. */
export function refusal(
  status: number,
  body: string,
  response?: { headers: { get(name: string): string | undefined } },
): Error {
  const { code, message, headerName } = errorIn(body);
  return Object.assign(new Error(message), {
    name: 'RestError',
    statusCode: status,
    code,
    ...(headerName ? { details: { headerName } } : {}),
    ...(response ? { response } : {}),
  });
}

/** Parses an OData error: JSON, or XML from parts of the service that ignore the requested format. */
function errorIn(body: string): { code: string; message: string; headerName?: string } {
  try {
    const { code, message } = JSON.parse(body)['odata.error'];
    return { code: String(code ?? ''), message: String(message?.value ?? '') };
  } catch {
    const element = (name: string) => new RegExp(`<(?:m:)?${name}[^>]*>([^<]*)<`, 'i').exec(body)?.[1] ?? '';
    return { code: element('code'), message: element('message'), headerName: element('headername') };
  }
}
