import type { ProblemCode } from '#domain/run/problems.ts';

/** What the error codes of the service say about the cause, whichever request met them. */
const CAUSES: Record<string, ProblemCode> = {
  AuthenticationFailed: 'authentication-failed',
  InvalidAuthenticationInfo: 'authentication-failed',
  NoAuthenticationInformation: 'authentication-failed',

  KeyBasedAuthenticationNotPermitted: 'key-not-permitted',
  AccountRequiresHttps: 'https-required',
  AccountIsDisabled: 'account-disabled',

  AuthorizationProtocolMismatch: 'sas-too-narrow',
  AuthorizationResourceTypeMismatch: 'sas-too-narrow',
  AuthorizationServiceMismatch: 'sas-too-narrow',
  AuthorizationSourceIPMismatch: 'sas-too-narrow',

  BlobUsesCustomerSpecifiedEncryption: 'customer-key',
  BlobDoesNotUseCustomerSpecifiedEncryption: 'customer-key',
  BlobCustomerSpecifiedEncryptionMismatch: 'customer-key',

  FeatureNotYetSupportedForHierarchicalNamespaceAccounts: 'hierarchical-account',
  BlobApiNotYetSupportedForHierarchicalNamespaceAccounts: 'hierarchical-account',
};

/** The cause that a code of the service names; undefined if it depends on the request. */
export function causeOf(serviceCode: string): ProblemCode | undefined {
  return Object.hasOwn(CAUSES, serviceCode) ? CAUSES[serviceCode] : undefined;
}
