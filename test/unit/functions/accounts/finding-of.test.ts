import { describe, expect, it } from 'vitest';
import { findingOf } from '#functions/accounts/finding-of.ts';
import { StorageError, type StorageErrorKind } from '#storage/storage-error.ts';

const error = (kind: StorageErrorKind, code: string, status = 403) => new StorageError(kind, 'x', status, code);

describe('an answer', () => {
  it.each<[StorageErrorKind, string]>([
    ['precondition', 'ConditionNotMet'],
    ['not-found', 'BlobNotFound'],
    ['archived', 'BlobArchived'],
    ['leased', 'LeaseIdMissing'],
    ['immutable', 'BlobImmutableDueToPolicy'],
    ['snapshots-present', 'SnapshotsPresent'],
  ])('%s shows that the right is there', (kind, code) => {
    expect(findingOf(error(kind, code, 409), 'destination')).toEqual({ is: 'granted' });
  });

  it.each<[StorageErrorKind, string, number, string]>([
    ['access-denied', 'AuthorizationPermissionMismatch', 403, 'access-denied-destination'],
    ['access-denied', 'InsufficientAccountPermissions', 403, 'access-denied-destination'],
    ['access-denied', 'AuthorizationResourceTypeMismatch', 403, 'sas-too-narrow'],
    ['access-denied', '', 403, 'access-denied-destination'],
    ['not-created', 'AuthorizationPermissionMismatch', 403, 'access-denied-destination'],
  ])('%s %s shows that the right is missing', (kind, code, status, problem) => {
    expect(findingOf(error(kind, code, status), 'destination')).toEqual({ is: 'refused', code: problem, detail: code });
  });

  it.each<[StorageErrorKind, string, number, string]>([
    ['access-denied', 'AuthorizationFailure', 403, 'access-denied-destination'],
    ['not-created', 'AuthorizationFailure', 403, 'access-denied-destination'],
    ['access-denied', 'AuthenticationFailed', 403, 'authentication-failed'],
    ['not-created', 'AuthenticationFailed', 403, 'authentication-failed'],
    ['access-denied', 'KeyBasedAuthenticationNotPermitted', 403, 'key-not-permitted'],
    ['access-denied', 'AccountIsDisabled', 403, 'account-disabled'],
    ['account-not-found', 'ResourceNotFound', 404, 'account-not-found'],
    ['aborted', 'ABORT_ERR', 0, 'unreachable'],
    ['unreachable', 'ECONNREFUSED', 0, 'unreachable'],
    ['throttled', 'ServerBusy', 503, 'throttled'],
    ['not-created', 'FeatureNotSupported', 409, 'container-not-created'],
    ['container-not-found', 'ContainerNotFound', 404, 'nothing-to-ask'],
  ])('%s %s shows nothing', (kind, code, status, problem) => {
    expect(findingOf(error(kind, code, status), 'destination')).toEqual({ is: 'unknown', code: problem, detail: code });
  });

  it.each([
    ['source', 'blobs', 'ContainerNotFound', 'container-not-found'],
    ['source', 'tables', 'TableNotFound', 'table-not-found'],
    ['destination', 'tables', 'TableNotFound', 'nothing-to-ask'],
    ['destination', 'tables', 'ResourceNotFound', 'catalog-unavailable'],
  ] as const)('of a %s about its %s (%s) names what is not there', (side, service, code, problem) => {
    expect(findingOf(error('container-not-found', code, 404), side, service)).toMatchObject({ code: problem });
  });

  it('that no service gives is a failure of the app', () => {
    expect(findingOf(new Error('x'), 'source')).toEqual({ is: 'unknown', code: 'internal', detail: '' });
  });
});
