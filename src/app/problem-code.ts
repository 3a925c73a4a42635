import type { ProblemCode } from '#domain/run/problems.ts';
import { StorageError } from '#storage/storage-error.ts';
import { causeOf } from './refusal-causes.ts';

/** Which of the two accounts a request went to. */
export type Side = 'source' | 'destination';

/** The problem code for a failure of the service. */
export function problemCodeOf(error: unknown, side: Side): ProblemCode {
  if (!(error instanceof StorageError)) return 'internal';
  return (error.kind !== 'not-created' && causeOf(error.code)) || codeOfKind(error, side);
}

function codeOfKind(error: StorageError, side: Side): ProblemCode {
  switch (error.kind) {
    case 'access-denied':
      return side === 'source' ? 'access-denied-source' : 'access-denied-destination';
    case 'source-access-denied':
      return error.code === 'CannotVerifyCopySource' ? 'access-denied-copy-source' : 'access-denied-source';
    case 'container-not-found':
      return side === 'source' ? 'container-not-found' : 'destination-changing';
    case 'account-not-found':
      return 'account-not-found';
    case 'being-deleted':
      return 'container-being-deleted';
    case 'not-created':
      return 'container-not-created';
    case 'leased':
      return 'destination-leased';
    case 'immutable':
      return 'destination-immutable';
    case 'control-immutable':
      return 'control-immutable';
    case 'archived':
      return 'destination-archived';
    case 'type-differs':
      return 'destination-type-differs';
    case 'throttled':
      return 'throttled';
    case 'unreachable':
      return 'unreachable';
    case 'server':
    case 'unsupported':
      return 'server-error';
    case 'not-found':
      // Of a blob that is missing, the service names the code. Another server at the address of the account does not.
      return error.status === 404 && error.code === '' ? 'account-not-found' : 'source-changing';
    case 'source-not-found':
      return 'source-changing';
    case 'precondition':
    case 'pending-copy':
      return 'destination-changing';
    case 'damaged':
      return 'damaged';
    default:
      return 'request-refused';
  }
}

const OF_ACCOUNT = new Set<ProblemCode>([
  ...(['unreachable', 'container-not-created', 'authentication-failed', 'key-not-permitted'] as const),
  ...(['https-required', 'account-disabled', 'account-not-found'] as const),
  'sas-too-narrow',
]);

/**
 * Whether a failure may concern the account rather than the blob: an account refuses everything, or only some blobs.
 */
export function mayConcernAccount(code: ProblemCode): boolean {
  return concernsEveryRequest(code) || code.startsWith('access-denied-');
}

/** Whether a failure says nothing of the blob: no other request would be answered, either. */
export function concernsEveryRequest(code: ProblemCode): boolean {
  return OF_ACCOUNT.has(code);
}
