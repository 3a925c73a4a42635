import { errorSchema, errorsOf } from '#api/error.ts';
import type { Operation } from '#api/operation.ts';
import { OPERATIONS } from '#api/operations.ts';

interface Place {
  operation: Operation;
  pattern: RegExp;
}

const PLACES: readonly Place[] = Object.values<Operation>(OPERATIONS)
  // A fixed segment wins over a parameter.
  .sort((a, b) => parametersOf(a) - parametersOf(b))
  .map((operation) => ({ operation, pattern: new RegExp(`^/api/${patternOf(operation.path)}$`) }));

function patternOf(path: string): string {
  return path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+');
}

function parametersOf({ path }: Operation): number {
  return path.split('{').length;
}

/** The operation of a call; undefined if the API has none there. */
function operationOf(method: string, path: string): Operation | undefined {
  const [pathname = ''] = path.split('?');
  return PLACES.find(({ operation, pattern }) => operation.method === method && pattern.test(pathname))?.operation;
}

/**
 * Throws unless an answer is exactly as the contract has it: its status, each of its fields, and no other. Of errors of
 * accounts (502, 503), the contract has no list of codes.
 */
export function expectAsContracted(method: string, path: string, status: number, body: unknown): void {
  const operation = operationOf(method, path);
  if (operation === undefined) return;
  const where = `${method} ${path} answered ${status}`;
  const schema = operation.answers[status];
  if (schema) {
    check(where, schema.safeParse(body), body);
    return;
  }
  const codes = errorsOf(operation)[status];
  if (codes === undefined) throw new Error(`${where}, which its contract does not have: ${JSON.stringify(body)}`);
  const error = errorSchema.safeParse(body);
  check(where, error, body);
  const { code = '' } = error.data ?? {};
  if (status < 500 && !codes.includes(code)) {
    throw new Error(`${where} ${code}, and its contract only has ${codes.join(', ')}`);
  }
  if ((code === 'body-invalid' || code === 'query-invalid') && !error.data?.errors?.length) {
    throw new Error(`${where} ${code} without \`errors\`: ${JSON.stringify(body)}`);
  }
}

function check(where: string, { error }: { error?: { message: string } | undefined }, body: unknown): void {
  if (error) throw new Error(`${where}, not as contracted: ${error.message}\n${JSON.stringify(body)}`);
}
