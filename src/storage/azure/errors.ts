import { StorageError, type StorageErrorKind } from '../storage-error.ts';
import { type Failure, failureOf } from './failure.ts';
import { printable, serviceText } from './service-text.ts';

/** The request that failed, for the error message. Contains no secrets. */
export interface RequestContext {
  /** Completes the sentence "Could not …", such as `list the blobs of`. */
  action: string;
  alias: string;
  container?: string;
  name?: string;
}

/** By the error code of the service or, without an answer, of Node. For other codes, the status decides. */
const BY_CODE: Record<string, StorageErrorKind> = {
  BlobNotFound: 'not-found',
  ResourceNotFound: 'not-found',
  EntityNotFound: 'not-found',
  ContainerNotFound: 'container-not-found',
  ContainerBeingDeleted: 'container-not-found',
  ContainerDisabled: 'container-not-found',
  TableNotFound: 'container-not-found',
  TableBeingDeleted: 'container-not-found',

  ConditionNotMet: 'precondition',
  TargetConditionNotMet: 'precondition',
  SourceConditionNotMet: 'precondition',
  CannotVerifyCopySourceConditions: 'precondition',
  UpdateConditionNotSatisfied: 'precondition',
  BlobAlreadyExists: 'precondition',
  EntityAlreadyExists: 'precondition',
  TableAlreadyExists: 'precondition',

  AuthenticationFailed: 'access-denied',
  AuthorizationFailure: 'access-denied',
  AuthorizationPermissionMismatch: 'access-denied',
  AuthorizationProtocolMismatch: 'access-denied',
  AuthorizationResourceTypeMismatch: 'access-denied',
  AuthorizationServiceMismatch: 'access-denied',
  AuthorizationSourceIPMismatch: 'access-denied',
  InsufficientAccountPermissions: 'access-denied',
  InvalidAuthenticationInfo: 'access-denied',
  NoAuthenticationInformation: 'access-denied',
  AccountIsDisabled: 'access-denied',
  KeyBasedAuthenticationNotPermitted: 'access-denied',
  PublicAccessNotPermitted: 'access-denied',

  BlobArchived: 'archived',
  BlobBeingRehydrated: 'archived',
  CopyAcrossAccountsNotSupported: 'unsupported',

  LeaseIdMissing: 'leased',
  LeaseIdMismatchWithBlobOperation: 'leased',
  LeaseIdMismatchWithContainerOperation: 'leased',
  LeaseIdMismatchWithLeaseOperation: 'leased',
  LeaseLost: 'leased',
  InfiniteLeaseDurationRequired: 'leased',

  PendingCopyOperation: 'pending-copy',
  NoPendingCopyOperation: 'no-pending-copy',
  CopyIdMismatch: 'no-pending-copy',

  BlobAccessTierNotSupportedForAccountType: 'tier-not-supported',
  AccessTierNotSupportedForBlobType: 'tier-not-supported',
  BlobTierInadequateForContentLength: 'tier-not-supported',
  InvalidBlobTier: 'tier-not-supported',
  InvalidBlobType: 'type-differs',
  InvalidSourceBlobType: 'type-differs',
  BlobTypeMismatch: 'type-differs',

  SnapshotsPresent: 'snapshots-present',

  BlobImmutableDueToPolicy: 'immutable',
  BlobImmutableDueToLegalHold: 'immutable',
  ContainerImmutable: 'immutable',

  RequestBodyTooLarge: 'too-large',
  CopySourceTooLarge: 'too-large',
  ContentLengthExceeded: 'too-large',
  EntityTooLarge: 'too-large',
  PropertyValueTooLarge: 'too-large',
  InvalidSourceBlobUrl: 'invalid',

  ServerBusy: 'throttled',
  TooManyRequests: 'throttled',
  AccountBeingThrottled: 'throttled',
  InternalError: 'server',
  OperationTimedOut: 'server',
  OperationCancelled: 'server',

  InvalidResourceName: 'invalid',
  InvalidUri: 'invalid',
  OutOfRangeInput: 'invalid',
  InvalidMetadata: 'invalid',
  EmptyMetadataKey: 'invalid',
  MetadataTooLarge: 'invalid',
  InvalidHeaderValue: 'invalid',
  InvalidQueryParameterValue: 'invalid',
  UnsupportedHeader: 'invalid',
  // Node rejects a header that HTTP cannot carry.
  ERR_INVALID_CHAR: 'invalid',

  AccountRequiresHttps: 'invalid',
  BlobUsesCustomerSpecifiedEncryption: 'invalid',
  FeatureNotYetSupportedForHierarchicalNamespaceAccounts: 'unsupported',
  BlobApiNotYetSupportedForHierarchicalNamespaceAccounts: 'unsupported',
  BlobTagsNotSupportedForAccountType: 'unsupported',
  FeatureNotEnabled: 'unsupported',

  APINotImplemented: 'unsupported',
  NotImplemented: 'unsupported',
  FeatureNotSupported: 'unsupported',
  UnsupportedHttpVerb: 'unsupported',

  ECONNREFUSED: 'unreachable',
  ECONNRESET: 'unreachable',
  ECONNABORTED: 'unreachable',
  EPIPE: 'unreachable',
  ETIMEDOUT: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EPROTO: 'unreachable',
  REQUEST_SEND_ERROR: 'unreachable',
  ABORT_ERR: 'aborted',
};

function byStatus(status: number, other: StorageErrorKind = 'unknown'): StorageErrorKind {
  switch (status) {
    case 304:
    case 412:
      return 'precondition';
    case 400:
    case 431:
      return 'invalid';
    case 401:
    case 403:
      return 'access-denied';
    case 404:
      return 'not-found';
    case 413:
      return 'too-large';
    case 429:
    case 503:
      return 'throttled';
    case 405:
    case 501:
      return 'unsupported';
    default:
      return status >= 500 ? 'server' : other;
  }
}

/** The service could not read the copy source. It reports the reason in one of several ways. */
function copySourceKind(failure: Failure): StorageErrorKind {
  const { sourceCode, message } = failure;
  // Errors about size and tier are plain 409s that differ in their wording only.
  if (/too large|maximum permissible/i.test(message)) return 'too-large';
  if (/archive/i.test(message) || sourceCode === 'BlobArchived') return 'archived';
  const kind = (sourceCode && BY_CODE[sourceCode]) || byStatus(failure.sourceStatus ?? failure.status);
  switch (kind) {
    case 'access-denied':
      return 'source-access-denied';
    case 'not-found':
    case 'container-not-found':
      return 'source-not-found';
    default:
      return kind;
  }
}

function kindOf(failure: Failure): StorageErrorKind {
  const { status, code, name } = failure;
  if (name === 'AbortError') return 'aborted';
  if (isIdentityFailure(failure)) return 'access-denied';
  if (isForeign(failure)) return byStatus(status, 'unreachable');
  if (code === 'CannotVerifyCopySource' || failure.sourceCode || failure.sourceStatus) return copySourceKind(failure);
  // As for a tier that is younger than the version that we ask for.
  if (code === 'InvalidHeaderValue' && failure.header === 'x-ms-access-tier') return 'tier-not-supported';
  const known = BY_CODE[code];
  if (known) return known;
  if (status > 0) return byStatus(status);
  // TLS failures have many codes, such as DEPTH_ZERO_SELF_SIGNED_CERT and ERR_TLS_CERT_ALTNAME_INVALID.
  return /CERT|TLS|SSL/.test(code) ? 'unreachable' : 'unknown';
}

/** The SDK's code for an answer that is no XML. */
const UNREADABLE = 'PARSE_ERROR';
/** Answers that the service never gives: those of a proxy, and redirects to a page. */
const OF_OTHERS = new Set([301, 302, 303, 307, 308, 407, 511]);
const FOREIGN =
  'this answer is not one of the storage service; something between, such as a proxy or a sign-in page, or another ' +
  'server at this address has answered';

/** Whether something else than the service has answered, or the answer was cut off. */
function isForeign({ status, code }: Failure): boolean {
  return status > 0 && (code === UNREADABLE || (code === '' && OF_OTHERS.has(status)));
}

/** Every answer of the service to a request that fails has a code: another server at this address knows no account. */
function isOfNoService(code: string): boolean {
  return code === '' || code === UNREADABLE;
}

/** What is missing, if the service names only a resource: without a blob or an entity, it is not one of these. */
function missingOf(kind: StorageErrorKind, { code }: Failure, { container, name }: RequestContext): StorageErrorKind {
  if (kind !== 'not-found' || name !== undefined) return kind;
  return container === undefined || code === 'ResourceNotFound' || isOfNoService(code) ? 'account-not-found' : kind;
}

/**
 * The error for callers. It does not include the SDK's error as its cause, which contains the request with its
 * signature and the SAS of the copy source.
 */
export function storageErrorOf(error: unknown, about: RequestContext): StorageError {
  if (error instanceof StorageError) return error;
  const failure = failureOf(error);
  const kind = missingOf(kindOf(failure), failure, about);
  const where = [about.alias, about.container, about.name].filter((part) => part !== undefined).join('/');
  const isDenied = kind === 'access-denied' || kind === 'source-access-denied';
  const isOther = isForeign(failure) || (failure.status === 404 && isOfNoService(failure.code));
  // The SDK's words for an answer that it cannot read repeat that answer.
  const detail = isOther ? FOREIGN : isDenied ? '' : serviceText(failure.message);
  const code =
    [failure.status || '', failure.code === UNREADABLE ? '' : failure.code].filter(Boolean).join(' ') ||
    failure.name ||
    'failure';
  // Node repeats its code in its words: "connect ECONNREFUSED 127.0.0.1:10000".
  const isRepeated = failure.status === 0 && failure.code !== '' && detail.includes(failure.code);
  const what = isRepeated ? detail : code;
  const why = detail && !isRepeated ? `: ${detail}` : '';
  const header = failure.header ? ` (header ${printable(failure.header)})` : '';
  const source = failure.sourceStatus
    ? ` (the copy source answered ${failure.sourceStatus} ${failure.sourceCode ?? ''})`
    : '';
  return new StorageError(
    kind,
    `Could not ${about.action} ${printable(where)}: ${what}${header}${source.replace(' )', ')')}${why}`,
    failure.status,
    codeOf(failure),
  );
}

/** Adds the request to an error of a reader of answers, which does not know it. */
export function withContext(
  { action, alias, container, name }: RequestContext,
  { kind, message, status, code }: StorageError,
): StorageError {
  const where = [alias, container, name].filter((part) => part !== undefined).join('/');
  return new StorageError(kind, `Could not ${action} ${printable(where)}: ${message}`, status, code);
}

/** The code that says most about the cause. The identity library has no codes of the service. */
function codeOf(failure: Failure): string {
  if (isIdentityFailure(failure)) return 'AuthenticationFailed';
  if (failure.code === UNREADABLE) return '';
  return failure.sourceCode?.includes('CustomerSpecifiedEncryption') ? failure.sourceCode : failure.code;
}

/** The identity library has no codes of the service. */
function isIdentityFailure({ name }: Failure): boolean {
  return /^(Aggregate)?Authentication|^CredentialUnavailable/.test(name);
}
