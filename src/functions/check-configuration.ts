import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { answering, reply } from './http/answering.ts';

/** POST /api/config/check — every problem of a configuration, with its path. Changes nothing. */
export function checkConfigurationHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.checkConfiguration, async ({ body }) => {
    const { problems, counts } = deps.checkConfiguration(body);
    return reply(200, {
      isValid: problems.length === 0,
      problems: problems.map(({ place: path, message }) => ({ path, message })),
      jobs: counts?.jobs ?? null,
      archives: counts?.archives ?? null,
    });
  });
}
