import { app, type HttpResponseInit } from '@azure/functions';
import { OPERATIONS } from '#api/operations.ts';
import type { Misconfiguration } from '#config/misconfiguration.ts';
import type { Telemetry } from '#telemetry/telemetry.ts';
import { json } from './http/answering.ts';
import { HttpError, problemResponse } from './http/http-error.ts';
import { registrationOf } from './http/registration.ts';

declare const STRONGROOM_VERSION: string;

const CODE = 'misconfigured';

/**
 * Registers what an app that cannot start still does. If it registered nothing, the host would answer every URL with an
 * empty 404 and log nothing that an alert could find. Routes without a key show how many problems there are, and those
 * with a key show all of them. Needs no durable client, so runs in progress wait for the next start.
 */
export function registerMisconfigured(misconfiguration: Misconfiguration, telemetry: Telemetry): void {
  const { problems, text } = misconfiguration;
  for (const [id, operation] of Object.entries(OPERATIONS)) {
    const answer = operation.needs === 'anyone' ? countOnly(problems.length) : everything(misconfiguration);
    app.http(id, { ...registrationOf(operation), handler: async () => answer });
  }
  app.timer(CODE, {
    schedule: '0 */5 * * * *',
    runOnStartup: true,
    handler: () => telemetry.misconfigured(problems.length, text),
  });
}

/** In the form of the health check. */
function countOnly(problems: number): HttpResponseInit {
  const hint =
    'The app cannot start. The log has every problem, and so has the answer of every call with a key, such as ' +
    'GET /api/runs.';
  const body = { status: CODE, version: STRONGROOM_VERSION, code: CODE, problems, hint };
  return json(503, body, { 'cache-control': 'no-store' });
}

function everything({ problems, text }: Misconfiguration): HttpResponseInit {
  const errors = problems.map(({ place, message }) => ({ path: place, message }));
  const hint = 'Correct the file or the app settings, then deploy or restart the app.';
  return problemResponse(new HttpError(503, CODE, text, hint, { problems: problems.length, errors }));
}
