import { AsyncLocalStorage } from 'node:async_hooks';

/** What a request needs that the SDK's methods do not let through. Read by the pipeline, never by the SDK. */
export interface RequestExtras {
  /** Headers to add before the request is signed. */
  headers?: Record<string, string>;
  /**
   * Takes the body of a successful answer as text, in place of the SDK's own parser. Throws `StorageError` when the
   * body is not whole, and the request is tried again.
   */
  readBody?(body: Buffer): void;
  /** A successful answer's body comes as it arrives and may end early: whoever reads it counts. Else it is whole. */
  streamBody?: boolean;
  /** Sees the headers of a successful answer. */
  readHeaders?(get: (name: string) => string | undefined): void;
}

/*
 * Not a per-request pipeline: building one costs more than most requests, and not a header or URL marker: those would
 * go out on the wire. The SDK makes exactly one request inside each `withExtras`.
 */
const current = new AsyncLocalStorage<RequestExtras>();

export function withExtras<T>(extras: RequestExtras, send: () => Promise<T>): Promise<T> {
  return current.run(extras, send);
}

export function requestExtras(): RequestExtras | undefined {
  return current.getStore();
}
