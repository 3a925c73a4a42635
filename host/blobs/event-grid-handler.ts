import type { ServerResponse } from 'node:http';
import { type Problem, sendProblem } from '../http/problem.ts';
import type { HttpCall, HttpHandler } from '../http/server.ts';
import type { BlobDispatch } from './blob-dispatch.ts';
import { type EventGridCall, readEventGridCall } from './event-grid.ts';

const PATH = '/runtime/webhooks/blobs';

/** Answers Event Grid as the real host does, and enqueues the blobs of its events. */
export function eventGridHandler(dispatch: BlobDispatch, isStopping: () => boolean): HttpHandler {
  return async (call, response) => {
    if (call.url.pathname !== PATH) return false;
    const functionId = call.url.searchParams.get('functionName') ?? '';
    const found = callOf(call, functionId, dispatch, isStopping());
    if ('status' in found) sendProblem(response, found);
    else await answer(response, functionId, found, dispatch);
    return true;
  };
}

function callOf(
  { method, headers, body }: HttpCall,
  functionId: string,
  dispatch: BlobDispatch,
  isStopping: boolean,
): EventGridCall | Problem {
  if (method !== 'POST') {
    return {
      status: 405,
      code: 'method-not-allowed',
      title: 'Method Not Allowed',
      detail: 'Event Grid calls with POST.',
      headers: { allow: 'POST' },
    };
  }
  if (isStopping) {
    return { status: 503, code: 'stopping', title: 'Service Unavailable', detail: 'The host is stopping.' };
  }
  if (dispatch.function(functionId) === undefined) {
    const detail = `There is no blob function "${functionId}". Set functionName to "Host.Functions.NAME".`;
    return { status: 404, code: 'not-found', title: 'Not Found', detail };
  }
  const call = readEventGridCall(headers['aeg-event-type'], body);
  if (call !== undefined) return call;
  return {
    status: 400,
    code: 'bad-body',
    title: 'Bad Request',
    detail: 'This is not a call of Event Grid about blobs.',
  };
}

async function answer(
  response: ServerResponse,
  functionId: string,
  call: EventGridCall,
  dispatch: BlobDispatch,
): Promise<void> {
  if (call.kind === 'handshake') {
    const body = JSON.stringify({ validationResponse: call.validationCode });
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    return;
  }
  if (call.kind === 'events') for (const blob of call.blobs) await dispatch.enqueue({ functionId, ...blob });
  response.writeHead(202).end();
}
