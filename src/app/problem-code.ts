import type { ProblemCode } from '#domain/run/problems.ts';
import { StorageError } from '#storage/storage-error.ts';

/** Which of the two accounts a request went to. */
export type Side = 'source' | 'destination';

/** The problem code for a failure of the service. */
export function problemCodeOf(error: unknown, side: Side): ProblemCode {
  if (!(error instanceof StorageError)) return 'internal';
  switch (error.kind) {
    case 'access-denied':
      return side === 'source' ? 'access-denied-source' : 'access-denied-destination';
    case 'source-access-denied':
      return 'access-denied-source';
    case 'container-not-found':
      return side === 'source' ? 'container-not-found' : 'destination-changing';
    case 'being-deleted':
      return 'container-being-deleted';
    case 'not-created':
      return 'container-not-created';
    case 'leased':
      return 'destination-leased';
    case 'immutable':
      return 'destination-immutable';
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
    case 'source-not-found':
    case 'not-found':
      return 'source-changing';
    case 'precondition':
    case 'pending-copy':
      return 'destination-changing';
    case 'damaged':
      return 'damaged';
    default:
      return 'internal';
  }
}

/**
 * Whether a failure may concern the account rather than the blob: an account refuses everything, or only some blobs.
 */
export function mayConcernAccount(code: ProblemCode): boolean {
  return concernsEveryRequest(code) || code.startsWith('access-denied-');
}

/** Whether a failure says nothing of the blob: no other request would be answered, either. */
export function concernsEveryRequest(code: ProblemCode): boolean {
  return code === 'unreachable' || code === 'container-not-created';
}
