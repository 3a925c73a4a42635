import type { ServerResponse } from 'node:http';
import { sendProblem } from '../http/problem.ts';
import type { HttpHandler } from '../http/server.ts';
import type { BlobDispatch } from './blob-dispatch.ts';
import { readEventGridCall } from './event-grid.ts';

const PATH = '/runtime/webhooks/blobs';

/** Answers Event Grid, as the real host does, and puts what it tells of into the queue. */
export function eventGridHandler(dispatch: BlobDispatch, isStopping: () => boolean): HttpHandler {
  return async ({ method, url, headers, body }, response) => {
    if (url.pathname !== PATH) return false;
    if (method !== 'POST') {
      const detail = 'Event Grid calls by POST.';
      refuse(response, 405, 'method-not-allowed', 'Method Not Allowed', detail, { allow: 'POST' });
      return true;
    }
    const functionId = url.searchParams.get('functionName') ?? '';
    const call = readEventGridCall(headers['aeg-event-type'], body);
    if (isStopping()) refuse(response, 503, 'stopping', 'Service Unavailable', 'The host is stopping.');
    else if (dispatch.function(functionId) === undefined) {
      const detail = `There is no blob function "${functionId}"; functionName must be as in "Host.Functions.name".`;
      refuse(response, 404, 'not-found', 'Not Found', detail);
    } else if (call === undefined) {
      refuse(response, 400, 'bad-body', 'Bad Request', 'This is no call of Event Grid that tells of blobs.');
    } else if (call.kind === 'handshake') {
      const answer = JSON.stringify({ validationResponse: call.validationCode });
      response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
    } else {
      if (call.kind === 'events') for (const blob of call.blobs) await dispatch.enqueue({ functionId, ...blob });
      response.writeHead(202).end();
    }
    return true;
  };
}

function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  title: string,
  detail: string,
  headers: Record<string, string> = {},
): void {
  sendProblem(response, { status, code, title, detail, headers });
}
