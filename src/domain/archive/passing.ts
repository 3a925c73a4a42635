import type { ProblemCode } from '../run/problems.ts';

/** Failures of an upload that may pass without an operator: the upload waits for that, up to a day. */
const PASSING = new Set<ProblemCode>([
  ...(['throttled', 'unreachable', 'server-error', 'container-being-deleted'] as const),
  ...(['destination-leased', 'destination-changing', 'source-changing'] as const),
]);

export function mayPass(code: ProblemCode): boolean {
  return PASSING.has(code);
}
