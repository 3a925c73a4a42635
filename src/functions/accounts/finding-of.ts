import { problemCodeOf, type Side } from '#app/problem-code.ts';
import { type Finding, NOTHING } from '#domain/rights/finding.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import { StorageError, type StorageErrorKind } from '#storage/storage-error.ts';

/** Answers that an account gives before it looks at rights, or for reasons that have nothing to do with them. */
const SAY_NOTHING = new Set<StorageErrorKind>([
  ...(['account-not-found', 'unreachable', 'aborted', 'throttled', 'server'] as const),
  ...(['unsupported', 'invalid', 'not-created', 'being-deleted', 'unknown'] as const),
]);

/** Refusals for a reason other than a right that is missing. */
const NOT_BY_RIGHTS = new Set<ProblemCode>([
  ...(['authentication-failed', 'key-not-permitted', 'https-required', 'account-disabled'] as const),
]);

/**
 * What an error shows of a right. An account looks at rights before all else: if it answers that something does not
 * exist or does not meet a condition, the right is there.
 */
export function findingOf(error: unknown, side: Side, service: 'blobs' | 'tables' = 'blobs'): Finding {
  if (!(error instanceof StorageError)) return { is: 'unknown', code: 'internal', detail: '' };
  const { kind, code: detail } = asRefusal(error);
  const code = kind === 'aborted' ? 'unreachable' : problemCodeOf(asRefusal(error), side);
  if (kind === 'access-denied') {
    // A firewall answers AuthorizationFailure: that says nothing of rights.
    const saysNothing = detail === 'AuthorizationFailure' || NOT_BY_RIGHTS.has(code);
    return saysNothing ? { is: 'unknown', code, detail } : { is: 'refused', code, detail };
  }
  if (kind === 'container-not-found') return { is: 'unknown', code: absenceCode(detail, side, service), detail };
  return SAY_NOTHING.has(kind) ? { is: 'unknown', code, detail } : { is: 'granted' };
}

function absenceCode(detail: string, side: Side, service: 'blobs' | 'tables'): ProblemCode | typeof NOTHING {
  if (side === 'source') return service === 'tables' ? 'table-not-found' : 'container-not-found';
  // The first run makes both. An account without tables answers with another code.
  return service === 'tables' && !detail.startsWith('Table') ? 'catalog-unavailable' : NOTHING;
}

/** A refusal to create a container has a kind of its own. */
function asRefusal(error: StorageError): StorageError {
  const { kind, message, status, code } = error;
  const isRefusal = kind === 'not-created' && (status === 401 || status === 403);
  return isRefusal ? new StorageError('access-denied', message, status, code) : error;
}
