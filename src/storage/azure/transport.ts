import http from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import type { HttpHeaders, HttpOperationResponse, IHttpClient, WebResource } from '@azure/storage-blob';
import { noteRequest } from '../requests.ts';
import { operationName } from './blobs/operation-name.ts';
import { requestExtras } from './request-extras.ts';

/** Copies are done by the service while we wait, and a quarter of a gigabyte between regions takes its time. */
const COPY_PATIENCE = 5;

/** What the SDK's own parser gets instead of a listing that was read already: the cheapest page there is. */
const EMPTY_PAGE = '<EnumerationResults><Blobs/></EnumerationResults>';

/*
 * Shared by all accounts: the sockets belong to the process, and an agent keeps them apart by host. The limit is per
 * host; callers bound how much they ask for at once, so this only guards against running out of ports.
 */
const agents = {
  http: new http.Agent({ keepAlive: true, maxSockets: 64 }),
  https: new https.Agent({ keepAlive: true, maxSockets: 64 }),
};

/**
 * The bottom of the SDK's pipeline: one call is one attempt, signed already. The SDK's public options offer no other
 * place that sees every attempt (to count it and to end it when it takes too long; the SDK's own client waits for
 * ever) and the raw body before the SDK parses it (a hundred times dearer than our reader).
 */
export const transport = (timeout: number): IHttpClient => ({
  async sendRequest(request: WebResource): Promise<HttpOperationResponse> {
    const operation = operationName(request.method, request.url, (name) => request.headers.get(name));
    noteRequest(operation);
    const copies = request.headers.contains('x-ms-copy-source');
    const extras = requestExtras();
    const { message, body } = await exchange(
      request,
      copies ? timeout * COPY_PATIENCE : timeout,
      extras?.streamBody === true,
    );
    const status = message.statusCode ?? 0;
    const headers = headersOf(request.headers, message);
    const response: HttpOperationResponse = { request, status, headers };
    if (isSuccess(status)) {
      extras?.readHeaders?.((name) => headers.get(name));
      if (request.streamResponseStatusCodes?.has(status)) {
        response.readableStreamBody = body ? Readable.from([body]) : message;
        return response;
      }
      if (extras?.readBody && body) {
        extras.readBody(body);
        response.bodyAsText = EMPTY_PAGE;
        return response;
      }
    }
    response.bodyAsText = String(body);
    return response;
  },
});

interface Exchanged {
  message: http.IncomingMessage;
  /** Undefined where the message is still to be read. */
  body: Buffer | undefined;
}

/**
 * What is not asked for as a stream is small enough to hold, so that an answer is an answer only once it is whole. Of a
 * stream, the time-out is for how long nothing comes.
 */
function exchange(request: WebResource, timeout: number, stream: boolean): Promise<Exchanged> {
  const secure = request.url.startsWith('https:');
  const signal = request.abortSignal;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) throw aborted();
    const sent = (secure ? https : http).request(request.url, {
      method: request.method,
      headers: request.headers.rawHeaders(),
      // Set by the SDK where the environment asks for a proxy.
      agent: (request.agent as http.Agent | undefined) ?? (secure ? agents.https : agents.http),
    });
    const end = (error: Error) => {
      settle();
      sent.destroy();
      reject(error);
    };
    const onAbort = () => end(aborted());
    const timer = setTimeout(() => end(coded(`No answer within ${timeout / 1000} s.`, 'ETIMEDOUT')), timeout);
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    signal?.addEventListener('abort', onAbort);
    // Not once: a request that was given up may still report that its socket is gone.
    sent.on('error', end);
    sent.once('response', (message) => {
      if (stream && isSuccess(message.statusCode ?? 0)) {
        clearTimeout(timer);
        sent.setTimeout(timeout, () => end(coded(`Nothing came for ${timeout / 1000} s.`, 'ETIMEDOUT')));
        message.once('close', settle);
        // Whoever reads it gets the error as well.
        message.on('error', settle);
        resolve({ message, body: undefined });
        return;
      }
      const chunks: Buffer[] = [];
      message.on('data', (chunk: Buffer) => chunks.push(chunk));
      message.on('error', end);
      message.once('end', () => {
        settle();
        resolve({ message, body: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks) });
      });
    });
    sent.end(bodyOf(request.body));
  });
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** The adapter sends small bodies only, all of them in memory. */
function bodyOf(body: unknown): string | Uint8Array | undefined {
  if (body === undefined || body === null || typeof body === 'string' || body instanceof Uint8Array)
    return body ?? undefined;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  throw coded('Bodies that are streams are not sent by this adapter.', 'ERR_INVALID_ARG_TYPE');
}

/** The class behind the SDK's header collections is not exported: a cleared copy of the request's own serves. */
function headersOf(like: HttpHeaders, message: http.IncomingMessage): HttpHeaders {
  const headers = like.clone();
  for (const name of headers.headerNames()) headers.remove(name);
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return headers;
}

function aborted(): Error {
  return coded('The request was aborted.', 'ABORT_ERR');
}

function coded(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}
