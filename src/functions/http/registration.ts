import type { HttpFunctionOptions } from '@azure/functions';
import type { Operation } from '#api/operation.ts';

/** How the host registers an operation. In Azure, a call needs a function key unless anyone may call it. */
export function registrationOf({ method, path, needs }: Operation): Omit<HttpFunctionOptions, 'handler'> {
  return { methods: [method], route: path, authLevel: needs === 'anyone' ? 'anonymous' : 'function' };
}
