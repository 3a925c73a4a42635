import { describe, expect, it } from 'vitest';
import { problemCodeOf } from '#app/problem-code.ts';
import { storageErrorOf } from '#storage/azure/errors.ts';
import { StorageError } from '#storage/storage-error.ts';

const ASKED = { action: 'copy onto', alias: 'vault', container: 'data', name: 'a/b.txt' };
const CANARY = 'sig=CaNaRy%2Fabc%3D';

/** As the SDK throws it, with everything secret that such an error really holds. */
function restError(statusCode: number, code: string | undefined, headers: Record<string, string> = {}, message = '') {
  const all = { ...headers, ...(code ? { 'x-ms-error-code': code } : {}) };
  return Object.assign(new Error(message || `${code}\nRequestId:1\nTime:2`), {
    name: 'RestError',
    statusCode,
    request: {
      url: `https://v.blob.core.windows.net/data/a?${CANARY}`,
      headers: { 'x-ms-copy-source': `https://s/x?${CANARY}` },
    },
    response: { headers: new Map(Object.entries(all)) },
  });
}

describe('storageErrorOf', () => {
  it('a listing of an account that is not there names the account, not a blob', () => {
    const unknown = restError(404, 'ResourceNotFound');
    const kind = (about: object) => storageErrorOf(unknown, { action: 'list', alias: 'vault', ...about }).kind;
    expect(kind({})).toBe('account-not-found');
    expect(kind({ container: 'data' })).toBe('account-not-found');
    expect(kind({ container: 'data', name: 'a' })).toBe('not-found');
    const error = storageErrorOf(restError(404, undefined), { action: 'list the containers of', alias: 'vault' });
    expect(error.kind).toBe('account-not-found');
    expect(problemCodeOf(error, 'source')).toBe('account-not-found');
    expect(problemCodeOf(error, 'destination')).toBe('account-not-found');
  });

  it('of a table has the words of the service, and not the JSON of its answer', () => {
    const odataError = {
      code: 'TableNotFound',
      message: { lang: 'en-US', value: 'The table does not exist.\nRequestId:1' },
    };
    const gone = { ...restError(404, 'TableNotFound'), message: JSON.stringify({ 'odata.error': odataError }) };
    const { message } = storageErrorOf({ ...gone, details: { odataError } }, ASKED);
    expect(message).toMatch(/: 404 TableNotFound: The table does not exist\.$/);
  });

  it('an answer that is not the service’s is told in words, and its text is not repeated', () => {
    const page = 'Error "[object Object]" occurred while parsing the response body - ?<html>Sign in</html>.';
    const answered = (status: number) => Object.assign(restError(status, undefined, {}, page), { code: 'PARSE_ERROR' });
    for (const [status, kind, code] of [
      [200, 'unreachable', 'unreachable'],
      [302, 'unreachable', 'unreachable'],
      [407, 'unreachable', 'unreachable'],
      [404, 'not-found', 'account-not-found'],
      [403, 'access-denied', 'access-denied-destination'],
      [502, 'server', 'server-error'],
      [503, 'throttled', 'throttled'],
    ] as const) {
      const error = storageErrorOf(answered(status), ASKED);
      expect([error.kind, error.status, error.code], error.message).toEqual([kind, status, '']);
      expect(error.message).toMatch(new RegExp(`: ${status}: this answer is not one of the storage service; .*proxy`));
      expect(error.message).not.toMatch(/PARSE|object|Sign in/);
      expect(problemCodeOf(error, 'destination')).toBe(code);
    }
    const redirected = storageErrorOf(restError(302, undefined), ASKED);
    expect(redirected.message).toContain('not one of the storage service');
  });

  it('a 404 without a code is of a server that knows no account, on either side', () => {
    for (const side of ['source', 'destination'] as const) {
      expect(problemCodeOf(storageErrorOf(restError(404, undefined), ASKED), side)).toBe('account-not-found');
      expect(problemCodeOf(storageErrorOf(restError(404, 'BlobNotFound'), ASKED), side)).toBe('source-changing');
    }
    const created = storageErrorOf(restError(404, undefined), { action: 'create', alias: 'vault', container: 'data' });
    expect(created.kind).toBe('account-not-found');
  });

  it('a tier that the asked version of the service does not know is one that the account does not support', () => {
    const refused = (headerName: string) => ({ ...restError(400, 'InvalidHeaderValue'), details: { headerName } });
    expect(storageErrorOf(refused('x-ms-access-tier'), ASKED).kind).toBe('tier-not-supported');
    const other = storageErrorOf(refused('x-ms-version'), ASKED);
    expect([other.kind, other.message]).toEqual(['invalid', expect.stringContaining('(header x-ms-version)')]);
  });

  it.each([
    ['not-found', 404, 'BlobNotFound'],
    ['not-found', 404, undefined],
    ['container-not-found', 404, 'ContainerNotFound'],
    ['container-not-found', 409, 'ContainerBeingDeleted'],
    ['container-not-found', 404, 'TableNotFound'],
    ['precondition', 412, 'ConditionNotMet'],
    ['precondition', 412, 'TargetConditionNotMet'],
    ['precondition', 412, 'SourceConditionNotMet'],
    ['precondition', 409, 'BlobAlreadyExists'],
    ['precondition', 409, 'EntityAlreadyExists'],
    ['precondition', 412, undefined],
    ['precondition', 304, undefined],
    ['access-denied', 403, 'AuthenticationFailed'],
    ['access-denied', 403, 'AuthorizationFailure'],
    ['access-denied', 403, 'AuthorizationPermissionMismatch'],
    ['access-denied', 403, 'InsufficientAccountPermissions'],
    ['access-denied', 401, 'NoAuthenticationInformation'],
    ['access-denied', 403, undefined],
    ['leased', 412, 'LeaseIdMissing'],
    ['leased', 412, 'LeaseIdMismatchWithBlobOperation'],
    ['pending-copy', 409, 'PendingCopyOperation'],
    ['no-pending-copy', 409, 'NoPendingCopyOperation'],
    ['no-pending-copy', 409, 'CopyIdMismatch'],
    ['type-differs', 409, 'InvalidBlobType'],
    ['archived', 409, 'BlobArchived'],
    ['snapshots-present', 409, 'SnapshotsPresent'],
    ['immutable', 409, 'BlobImmutableDueToPolicy'],
    ['too-large', 413, 'RequestBodyTooLarge'],
    ['too-large', 400, 'EntityTooLarge'],
    ['too-large', 400, 'PropertyValueTooLarge'],
    ['invalid', 400, 'TooManyProperties'],
    ['throttled', 503, 'ServerBusy'],
    ['throttled', 429, undefined],
    ['server', 500, 'OperationTimedOut'],
    ['server', 500, 'InternalError'],
    ['server', 502, undefined],
    ['invalid', 400, 'InvalidResourceName'],
    ['invalid', 400, 'InvalidUri'],
    ['invalid', 400, 'OutOfRangeInput'],
    ['invalid', 400, 'SomethingNew'],
    ['unsupported', 501, undefined],
    ['unknown', 409, 'SomethingNew'],
  ])('the error is %s for %d %s', (kind, status, code) => {
    const error = storageErrorOf(restError(status, code), ASKED);
    expect(error).toMatchObject({ name: 'StorageError', kind, status });
    if (code) expect(error.code).toBe(code);
  });

  it.each([
    ['source-access-denied', 403, {}, ''],
    [
      'source-access-denied',
      403,
      { 'x-ms-copy-source-status-code': '403', 'x-ms-copy-source-error-code': 'AuthorizationFailure' },
      '',
    ],
    ['source-access-denied', 401, { 'x-ms-copy-source-status-code': '401' }, ''],
    ['source-not-found', 404, {}, ''],
    [
      'source-not-found',
      404,
      { 'x-ms-copy-source-status-code': '404', 'x-ms-copy-source-error-code': 'BlobNotFound' },
      '',
    ],
    [
      'source-not-found',
      404,
      { 'x-ms-copy-source-status-code': '404', 'x-ms-copy-source-error-code': 'ContainerNotFound' },
      '',
    ],
    [
      'precondition',
      412,
      { 'x-ms-copy-source-status-code': '412', 'x-ms-copy-source-error-code': 'ConditionNotMet' },
      '',
    ],
    ['throttled', 503, { 'x-ms-copy-source-status-code': '503', 'x-ms-copy-source-error-code': 'ServerBusy' }, ''],
    ['archived', 409, { 'x-ms-copy-source-status-code': '409', 'x-ms-copy-source-error-code': 'BlobArchived' }, ''],
    ['archived', 409, {}, 'This operation is not permitted on an archived blob.'],
    [
      'too-large',
      409,
      {},
      'The source request body for copy source is too large and exceeds the maximum permissible limit (256MB).',
    ],
  ])('the error is %s when the copy source cannot be verified: %d %j', (kind, status, headers, message) => {
    expect(storageErrorOf(restError(status, 'CannotVerifyCopySource', headers, message), ASKED).kind).toBe(kind);
  });

  it.each([
    ['unreachable', { code: 'ECONNREFUSED' }],
    ['unreachable', { code: 'ENOTFOUND' }],
    ['unreachable', { code: 'ETIMEDOUT' }],
    ['unreachable', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }],
    ['unreachable', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }],
    ['aborted', { code: 'ABORT_ERR' }],
    ['aborted', { name: 'AbortError' }],
    ['access-denied', { name: 'CredentialUnavailableError' }],
    ['access-denied', { name: 'AggregateAuthenticationError' }],
    ['invalid', { code: 'ERR_INVALID_CHAR' }],
    ['unknown', {}],
  ])('the error is %s without an answer: %j', (kind, fields) => {
    expect(storageErrorOf(Object.assign(new Error('no'), fields), ASKED)).toMatchObject({ kind, status: 0 });
  });

  it('the code of an answer without a body comes from where the SDK puts it', () => {
    const error = Object.assign(new Error('x'), { statusCode: 304, details: { errorCode: 'ConditionNotMet' } });
    expect(storageErrorOf(error, ASKED)).toMatchObject({ kind: 'precondition', code: 'ConditionNotMet' });
  });

  it('the message says what was requested, and what the service answered', () => {
    const error = storageErrorOf(
      restError(409, 'PendingCopyOperation', {}, 'There is a copy.\nRequestId:1\nTime:2'),
      ASKED,
    );
    expect(error.message).toBe('Could not copy onto vault/data/a/b.txt: 409 PendingCopyOperation: There is a copy.');
  });

  it('without an answer, the message has the code once', () => {
    const messageOf = (code: string, words: string) =>
      storageErrorOf(Object.assign(new Error(words), { code }), ASKED).message;
    expect(messageOf('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1')).toBe(
      'Could not copy onto vault/data/a/b.txt: connect ECONNREFUSED 127.0.0.1:1',
    );
    expect(messageOf('ETIMEDOUT', 'the socket is gone')).toBe(
      'Could not copy onto vault/data/a/b.txt: ETIMEDOUT: the socket is gone',
    );
  });

  it('the message names the answer of the copy source', () => {
    const headers = { 'x-ms-copy-source-status-code': '404', 'x-ms-copy-source-error-code': 'BlobNotFound' };
    const { message } = storageErrorOf(restError(404, 'CannotVerifyCopySource', headers), ASKED);
    expect(message).toContain('404 CannotVerifyCopySource (the copy source answered 404 BlobNotFound)');
  });

  it.each([
    [409, `The source https://s.blob.core.windows.net/c/x?sv=1&${CANARY} is odd`],
    [400, `Bad token ${CANARY}`],
    [500, 'SharedAccessSignature=sv=1&CaNaRy'],
    [403, `Signature did not match. String to sign used was r CaNaRy`],
  ])('no signature is in the message or the fields (%d)', (status, message) => {
    const error = storageErrorOf(restError(status, 'Whatever', {}, message), ASKED);
    const everything = [error.message, error.stack, JSON.stringify(error), String(error.cause)].join();
    expect(everything).not.toContain('CaNaRy');
    expect(error).toBeInstanceOf(StorageError);
  });

  it('the message shows names without control characters', () => {
    const { message } = storageErrorOf(restError(404, 'BlobNotFound'), {
      ...ASKED,
      name: 'a\r\nERROR \u001b[31m\u202eb',
    });
    expect(message).toContain('a\\u000d\\u000aERROR \\u001b[31m\\u202eb');
    for (const character of '\r\n\u001b\u202e') expect(message).not.toContain(character);
  });

  it('a StorageError stays as it is', () => {
    const error = new StorageError('server', 'cut short');
    expect(storageErrorOf(error, ASKED)).toBe(error);
  });
});
