import type { HttpFunctionOptions } from '@azure/functions';
import type { Operation } from '#api/operation.ts';
import type { Access } from '#config/access.ts';

/**
 * How the host registers an operation. In Azure, a call needs a function key, unless anyone may call it or the app
 * finds out itself who calls.
 */
export function registrationOf(
  { method, path, needs }: Operation,
  access?: Access,
): Omit<HttpFunctionOptions, 'handler'> {
  const authLevel = needs === 'anyone' || access ? 'anonymous' : 'function';
  return { methods: [method], route: `api/${path}`, authLevel };
}
