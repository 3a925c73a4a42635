import type { ContainerGetAccessPolicyResponse, ContainerItem, SignedIdentifier } from '@azure/storage-blob';
import type { AccessPolicy, ContainerProperties } from '#domain/run/container-properties.ts';
import { defined } from '#domain/run/defined.ts';

/** The scope of the account itself: the service's name for none. */
const ACCOUNT_SCOPE = '$account-encryption-key';

export function containerPropertiesOf({ properties, metadata }: ContainerItem): ContainerProperties {
  const { publicAccess, defaultEncryptionScope: scope, hasImmutabilityPolicy, hasLegalHold } = properties;
  return defined({
    publicAccess,
    metadata,
    encryptionScope: scope === ACCOUNT_SCOPE ? undefined : scope,
    immutabilityPolicy: hasImmutabilityPolicy || undefined,
    legalHold: hasLegalHold || undefined,
  }) as ContainerProperties;
}

/** The SDK types times as always there, and leaves out those that are not. */
export function policiesOf({ signedIdentifiers }: ContainerGetAccessPolicyResponse): AccessPolicy[] {
  return signedIdentifiers.map(({ id, accessPolicy }): AccessPolicy => {
    const { startsOn, expiresOn, permissions } = accessPolicy ?? {};
    return {
      id,
      ...defined({ start: timeOf(startsOn), expiry: timeOf(expiresOn), permissions: permissions || undefined }),
    };
  });
}

export function signedIdentifier({ id, start, expiry, permissions }: AccessPolicy): SignedIdentifier {
  return {
    id,
    accessPolicy: defined({
      startsOn: start === undefined ? undefined : new Date(start),
      expiresOn: expiry === undefined ? undefined : new Date(expiry),
      permissions,
    }) as SignedIdentifier['accessPolicy'],
  };
}

function timeOf(date: Date | undefined): string | undefined {
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
