import { openApiDocument } from '#api/openapi.ts';
import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { answering, reply } from './http/answering.ts';

declare const STRONGROOM_VERSION: string;

/** GET /api/openapi.json — the same for every app of this version, so anyone may read it. */
export function openApiHandler(deps: Dependencies) {
  let made: ReturnType<typeof openApiDocument> | undefined;
  return answering(deps, OPERATIONS.openApi, async () => {
    made ??= openApiDocument(STRONGROOM_VERSION);
    return reply(200, made);
  });
}
