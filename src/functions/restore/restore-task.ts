import type { RestoreRequest } from '#api/restore-request.ts';
import { defined } from '#domain/run/defined.ts';
import type { KeySelection } from '#domain/run/tasks.ts';

/** The templates of the target; the default is the place that was backed up. */
export function targetOf({ target }: RestoreRequest): { container: string; prefix: string; table: string } {
  const { container = '{container}', prefix = '', table = '{table}' } = target;
  return { container, prefix, table };
}

/** The fields of a restore's task that follow from the request alone. */
export function requestedTask(request: RestoreRequest) {
  const { containers, tables, keys, names, prefix, include, exclude, existing, rehydrate, restoreAccess } = request;
  return {
    ...targetOf(request),
    existing,
    containers,
    tables,
    ...(keys && { keys: defined(keys) as KeySelection }),
    ...(names.length > 0 && { names: [...new Set(names)] }),
    startsWith: prefix,
    include,
    exclude,
    ...(restoreAccess && { restoreAccess }),
    ...(rehydrate && { rehydrate }),
  };
}
