import { AsyncLocalStorage } from 'node:async_hooks';

/** Options of a request that the SDK's methods do not have. Our part of the pipeline reads them, not the SDK. */
export interface RequestExtras {
  /** Headers to add before the request is signed. */
  headers?: Record<string, string>;
  /**
   * Reads the body of a successful answer instead of the SDK's parser. Throws `StorageError` if the body is incomplete;
   * the pipeline then retries the request.
   */
  readBody?(body: Buffer): void;
  /**
   * Streams the body of a successful answer. It may end early, so the reader must count bytes. Otherwise it is whole.
   */
  streamBody?: boolean;
  /** Reads the headers of a successful answer. */
  readHeaders?(get: (name: string) => string | undefined): void;
}

/*
 * Alternatives are worse: a pipeline per request costs more than most requests, and the service would see a marker in a
 * header or URL. The SDK sends exactly one request inside each `withExtras`.
 */
const current = new AsyncLocalStorage<RequestExtras>();

export function withExtras<T>(extras: RequestExtras, send: () => Promise<T>): Promise<T> {
  return current.run(extras, send);
}

export function requestExtras(): RequestExtras | undefined {
  return current.getStore();
}
