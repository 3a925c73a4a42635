import http from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import type { HttpHeaders, HttpOperationResponse, IHttpClient, WebResource } from '@azure/storage-blob';
import { noteRequest } from '../requests.ts';
import { operationName } from './blobs/operation-name.ts';
import { checkXmlAnswer } from './blobs/xml-answer.ts';
import { requestExtras } from './request-extras.ts';

/** The service answers a synchronous copy when it is done; 256 MiB between regions take a while. */
const COPY_TIMEOUT_FACTOR = 5;

/** The SDK's parser gets this instead of a listing that our reader has read. */
const EMPTY_PAGE = '<EnumerationResults><Blobs/></EnumerationResults>';

/*
 * Shared by all accounts, since an agent separates sockets by host. The limit is per host. Callers limit their
 * concurrent requests, so this only guards against running out of ports.
 */
const agents = {
  http: new http.Agent({ keepAlive: true, maxSockets: 64 }),
  https: new https.Agent({ keepAlive: true, maxSockets: 64 }),
};

/**
 * The bottom of the SDK's pipeline: each call is one signed attempt. No other extension point of the SDK sees every
 * attempt (to count it, and to end it after a timeout; the SDK's client waits forever) and the raw body (the SDK's
 * parser takes a hundred times longer than our reader).
 */
export const transport = (timeout: number): IHttpClient => ({
  async sendRequest(request: WebResource): Promise<HttpOperationResponse> {
    const operation = operationName(request.method, request.url, (name) => request.headers.get(name));
    noteRequest(operation);
    const copies = request.headers.contains('x-ms-copy-source');
    const extras = requestExtras();
    const { message, body } = await exchange(
      request,
      copies ? timeout * COPY_TIMEOUT_FACTOR : timeout,
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
      if (body) checkXmlAnswer(operation, body);
    }
    response.bodyAsText = String(body);
    return response;
  },
});

interface Exchanged {
  message: http.IncomingMessage;
  /** Undefined if the caller reads the message as a stream. */
  body: Buffer | undefined;
}

/**
 * Sends a request. Waits for the whole body unless the caller wants a stream; other bodies are small. For a stream, the
 * timeout is for the time between two chunks.
 */
function exchange(request: WebResource, timeout: number, stream: boolean): Promise<Exchanged> {
  const secure = request.url.startsWith('https:');
  const signal = request.abortSignal;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) throw aborted();
    const sent = (secure ? https : http).request(request.url, {
      method: request.method,
      headers: request.headers.rawHeaders(),
      // The SDK sets an agent if the environment has a proxy.
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
    // `on`, not `once`: after a timeout or an abort, the request may still report a closed socket.
    sent.on('error', end);
    sent.once('response', (message) => {
      if (stream && isSuccess(message.statusCode ?? 0)) {
        clearTimeout(timer);
        sent.setTimeout(timeout, () => end(coded(`No data for ${timeout / 1000} s.`, 'ETIMEDOUT')));
        message.once('close', settle);
        // The reader of the stream gets the error, too.
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

/** The adapter only sends small bodies from memory. */
function bodyOf(body: unknown): string | Uint8Array | undefined {
  if (body === undefined || body === null || typeof body === 'string' || body instanceof Uint8Array)
    return body ?? undefined;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  throw coded('This adapter does not send streams.', 'ERR_INVALID_ARG_TYPE');
}

/** The SDK does not export the class of its header collections, so this uses an emptied clone of the request's. */
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
