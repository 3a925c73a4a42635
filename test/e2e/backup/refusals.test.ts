import { expect, test } from 'vitest';
import { PROBLEMS, type ProblemCode } from '#domain/run/problems.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import { isCopy, type ProxiedResponse } from '../../support/faults/fault-proxy.ts';
import { refusal } from '../../support/faults/faults.ts';

const bed = useTestBed({ app: { limits: { retryDelayMs: 5 } } });

const fromSource = (status: number, code: string): ProxiedResponse =>
  refusal(403, 'CannotVerifyCopySource', {
    'x-ms-copy-source-status-code': String(status),
    'x-ms-copy-source-error-code': code,
  });

const badHeader: ProxiedResponse = {
  ...refusal(400, 'InvalidHeaderValue'),
  body:
    '<?xml version="1.0" encoding="utf-8"?><Error><Code>InvalidHeaderValue</Code><Message>No.</Message>' +
    '<HeaderName>x-ms-version</HeaderName><HeaderValue>2099-01-01</HeaderValue></Error>',
};

/** What the service answers to a copy, what the run reports, and a word of the hint that leads to the cause. */
const COPIES: [name: string, ProxiedResponse, ProblemCode, hint: string][] = [
  ['firewall', fromSource(403, 'AuthorizationFailure'), 'access-denied-copy-source', 'firewall'],
  ['scope', refusal(403, 'CannotVerifyCopySource'), 'access-denied-copy-source', 'Permitted scope'],
  ['signature', fromSource(403, 'AuthenticationFailed'), 'access-denied-copy-source', 'expired'],
  ['own-key', refusal(409, 'BlobUsesCustomerSpecifiedEncryption'), 'customer-key', 'customer-provided key'],
  ['source-key', fromSource(409, 'BlobUsesCustomerSpecifiedEncryption'), 'customer-key', 'customer-provided key'],
  [
    'hierarchical',
    refusal(409, 'FeatureNotYetSupportedForHierarchicalNamespaceAccounts'),
    'hierarchical-account',
    'no snapshots',
  ],
  ['policy', refusal(409, 'BlobImmutableDueToPolicy'), 'destination-immutable', 'immutability policy'],
  ['hold', refusal(409, 'BlobImmutableDueToLegalHold'), 'destination-immutable', 'legal hold'],
  ['clock', refusal(403, 'AuthenticationFailed'), 'authentication-failed', 'clock'],
  ['key', refusal(403, 'KeyBasedAuthenticationNotPermitted'), 'key-not-permitted', 'identity'],
  ['https', refusal(400, 'AccountRequiresHttps'), 'https-required', 'https'],
  ['disabled', refusal(403, 'AccountIsDisabled'), 'account-disabled', 'disabled'],
  ['sas-service', refusal(403, 'AuthorizationServiceMismatch'), 'sas-too-narrow', 'ss='],
  ['sas-type', refusal(403, 'AuthorizationResourceTypeMismatch'), 'sas-too-narrow', 'srt='],
  ['sas-right', refusal(403, 'AuthorizationPermissionMismatch'), 'access-denied-destination', 'role'],
  ['network', refusal(403, 'AuthorizationFailure'), 'access-denied-destination', 'firewall'],
  ['header', badHeader, 'request-refused', 'Azure documentation'],
  ['new', refusal(409, 'SomethingNew'), 'request-refused', 'its code'],
];

test('F83: each refusal of the service is reported with its cause, and none as an unexpected failure', async () => {
  // In containers of their own: many refusals in a row would look like those of the account.
  for (const [name] of COPIES) await bed.upload('a', 'a', name);
  for (const [name, answer] of COPIES) {
    bed.proxy.rules.push({
      match: (request) => isCopy(request) && request.path.includes(`/${name}backup/`),
      answer: () => answer,
    });
  }
  const app = await bed.start();
  const report = await app.run();
  expect(report.status).toBe('completed-with-failures');
  const found = report.problems.map(({ container, code }) => [container, code]).sort();
  expect(found).toEqual(COPIES.map(([name, , code]) => [name, code]).sort());
  for (const [name, , code, hint] of COPIES) expect(PROBLEMS[code].hint, name).toContain(hint);
  const outcomes = await app.outcomes(report.id, 'status=failed');
  expect(outcomes.find(({ container }) => container === 'header')?.message).toContain('(header x-ms-version)');
});

test('F83: an account that refuses its listing is reported with the cause, by the run and by health', async () => {
  await bed.upload('a', 'a');
  const app = await bed.start();
  for (const [status, code, expected] of [
    [403, 'AuthenticationFailed', 'authentication-failed'],
    [403, 'KeyBasedAuthenticationNotPermitted', 'key-not-permitted'],
    [400, 'AccountRequiresHttps', 'https-required'],
    [403, 'AuthorizationResourceTypeMismatch', 'sas-too-narrow'],
    [400, 'InvalidQueryParameterValue', 'request-refused'],
  ] as const) {
    bed.proxy.rules.length = 0;
    bed.proxy.rules.push({
      match: ({ path, query }) => path.startsWith(`/${bed.source.name}`) && query.get('comp') === 'list',
      answer: () => refusal(status, code),
    });
    expect(await app.run(), code).toMatchObject({ status: 'failed', problems: [{ code: expected }] });
    expect((await app.call('GET', '/api/health/details')).body.accounts, code).toMatchObject([
      { alias: 'SOURCE', status: 'failed', code: expected },
      {},
    ]);
  }
});
