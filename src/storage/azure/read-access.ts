import {
  BlobSASPermissions,
  type BlobSASSignatureValues,
  type BlobServiceClient,
  type ContainerClient,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
  type UserDelegationKey,
} from '@azure/storage-blob';
import type { SnapshotOrVersion } from '#domain/blobs/blob.ts';
import type { ReadAccess } from '../blob-account.ts';
import type { AccessMethod } from './account-access.ts';
import { BLOB_VERSION } from './service-version.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The longest lifetime of a user delegation key, less a margin for clocks that differ. */
const KEY_LIFETIME = 7 * 24 * HOUR - 30 * MINUTE;
/** Clocks differ: a SAS that is valid from now on may not be valid yet by the clock of the service. */
const BEFORE = 15 * MINUTE;

export type ReadAccessMinter = (container: ContainerClient, until: Date) => Promise<ReadAccess>;

/** Creates read access to the blobs of single containers, with the account's method of authentication. */
export function readAccessMinter(service: BlobServiceClient, by: AccessMethod): ReadAccessMinter {
  switch (by.kind) {
    case 'sas':
      // A SAS cannot create another SAS. The copies use the account's own for as long as it is valid.
      return async (container) => accessBy(container, () => by.sas);
    case 'key': {
      const credential = new StorageSharedKeyCredential(by.accountName, by.accountKey);
      return async (container, until) =>
        mintedBy(container, until, (values) => generateBlobSASQueryParameters(values, credential).toString());
    }
    case 'identity': {
      const keyFor = delegationKeys(service);
      return async (container, until) => {
        const key = await keyFor(until);
        const expires = new Date(Math.min(until.getTime(), key.signedExpiresOn.getTime()));
        return mintedBy(container, expires, (values) =>
          generateBlobSASQueryParameters(values, key, by.accountName).toString(),
        );
      };
    }
  }
}

/** A SAS for each blob: the service stores it with the copy, and anyone who reads the copy may see it. */
function mintedBy(
  container: ContainerClient,
  last: Date,
  sign: (values: BlobSASSignatureValues) => string,
): ReadAccess {
  const { containerName } = container;
  const permissions = BlobSASPermissions.from({ read: true });
  const protocol = container.url.startsWith('https:') ? SASProtocol.Https : SASProtocol.HttpsAndHttp;
  return accessBy(container, (blobName, snapshotOrVersion, until = last) =>
    sign({
      ...{ containerName, blobName, permissions, protocol, version: BLOB_VERSION },
      startsOn: new Date(Date.now() - BEFORE),
      expiresOn: until < last ? until : last,
      ...(snapshotOrVersion && idOf(snapshotOrVersion)),
    }),
  );
}

function idOf(snapshotOrVersion: SnapshotOrVersion): Pick<BlobSASSignatureValues, 'snapshotTime' | 'versionId'> {
  return 'snapshot' in snapshotOrVersion
    ? { snapshotTime: snapshotOrVersion.snapshot }
    : { versionId: snapshotOrVersion.version };
}

function accessBy(container: ContainerClient, sasFor: ReadAccess['urlOf']): ReadAccess {
  return {
    urlOf(name, snapshotOrVersion, until) {
      const url = new URL(container.getBlobClient(name).url);
      url.search = '';
      const sas = sasFor(name, snapshotOrVersion, until);
      if (!snapshotOrVersion) return `${url}?${sas}`;
      const id =
        'snapshot' in snapshotOrVersion
          ? `snapshot=${encodeURIComponent(snapshotOrVersion.snapshot)}`
          : `versionid=${encodeURIComponent(snapshotOrVersion.version)}`;
      return `${url}?${id}&${sas}`;
    },
  };
}

/** One key per account, reused until an hour before it expires. */
function delegationKeys(service: BlobServiceClient): (until: Date) => Promise<UserDelegationKey> {
  let current: Promise<UserDelegationKey> | undefined;
  return async (until) => {
    const key = await current?.catch(() => undefined);
    const now = Date.now();
    if (key && key.signedExpiresOn.getTime() - HOUR > now && key.signedExpiresOn >= until) return key;
    if (key && key.signedExpiresOn.getTime() - now > KEY_LIFETIME - HOUR) return key;
    current = service.getUserDelegationKey(new Date(now - BEFORE), new Date(now - BEFORE + KEY_LIFETIME));
    return current;
  };
}
