import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import type { Poison } from '#domain/archive/poison.ts';
import { PROBLEMS } from '#domain/run/problems.ts';
import { PoisonStore } from '#storage/control/poison-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering, reply } from '../http/answering.ts';
import { readCursor, writeCursor } from '../http/cursor.ts';
import { foreignCursor } from '../http/http-error.ts';
import { configuredRule } from './configured-rule.ts';

/**
 * GET /api/archives/{rule}/poison — lists uploads that failed permanently and have not been archived since, or those
 * that are settled, each with its reason.
 */
export function listPoisonHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.listPoison, async ({ params, query: { state, limit, cursor } }) => {
    const rule = configuredRule(deps, params.rule);
    const store = new PoisonStore(jobContextOf(deps, rule.name).control, rule.name);
    const asked = ['poison', rule.name, state];
    const marker = cursor && readCursor(cursor, asked);
    const page = await store.list(state, { limit, ...(marker && { marker }) }).catch((error) => {
      throw cursor && isStorageError(error, 'invalid') ? foreignCursor() : error;
    });
    const entries = await Promise.all(page.entries.map(({ id }) => store.read(id)));
    const uploads = entries.filter((entry) => entry?.state === state).map((entry) => shown(entry!));
    return reply(200, {
      rule: rule.name,
      uploads,
      next: page.next === undefined ? null : writeCursor(page.next, asked),
    });
  });
}

function shown(entry: Poison) {
  const { id, container, name, etag, problem, since, at, times, state, settledAt, settlement } = entry;
  const { code, message } = problem;
  return {
    ...{ id, container, name, etag: etag ?? null, since, at, times, code },
    message: message ?? PROBLEMS[code].meaning,
    hint: PROBLEMS[code].hint,
    ...{ state, settledAt: settledAt ?? null, settlement: settlement ?? null },
  };
}
