import {
  BlobSASPermissions,
  type BlobSASSignatureValues,
  type BlobServiceClient,
  type ContainerClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
  type UserDelegationKey,
} from '@azure/storage-blob';
import type { SnapshotOrVersion } from '#domain/blobs/blob.ts';
import type { ReadAccess } from '../blob-account.ts';
import type { AccessMethod } from './account-access.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The longest that the service lets a user delegation key live, less a little for clocks that differ. */
const KEY_LIFETIME = 7 * 24 * HOUR - 30 * MINUTE;
/** Clocks differ: a signature that begins now may not have begun yet where it is checked. */
const BEFORE = 15 * MINUTE;

export type ReadAccessMinter = (container: ContainerClient, until: Date) => Promise<ReadAccess>;

/** Mints read access to single containers, in the way the account itself is reached. */
export function readAccessMinter(service: BlobServiceClient, by: AccessMethod): ReadAccessMinter {
  switch (by.kind) {
    case 'sas':
      // Nothing can be minted from a signature: the account's own is what there is, for as long as it lasts.
      return async (container) => accessBy(container, by.sas, () => by.sas);
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
          generateBlobSASQueryParameters(values, key, service.accountName).toString(),
        );
      };
    }
  }
}

/** A signature for a container reaches its base blobs only: what is kept of a blob is signed for singly. */
function mintedBy(
  container: ContainerClient,
  until: Date,
  sign: (values: BlobSASSignatureValues) => string,
): ReadAccess {
  const common = {
    containerName: container.containerName,
    startsOn: new Date(Date.now() - BEFORE),
    expiresOn: until,
    protocol: container.url.startsWith('https:') ? SASProtocol.Https : SASProtocol.HttpsAndHttp,
  };
  const permissions = BlobSASPermissions.from({ read: true });
  return accessBy(
    container,
    sign({ ...common, permissions: ContainerSASPermissions.from({ read: true }) }),
    (blobName, kept) =>
      sign({
        ...common,
        permissions,
        blobName,
        ...('snapshot' in kept ? { snapshotTime: kept.snapshot } : { versionId: kept.version }),
      }),
  );
}

function accessBy(
  container: ContainerClient,
  sas: string,
  sasFor: (name: string, kept: SnapshotOrVersion) => string,
): ReadAccess {
  return {
    urlOf(name, kept) {
      const url = new URL(container.getBlobClient(name).url);
      url.search = '';
      if (!kept) return `${url}?${sas}`;
      const id =
        'snapshot' in kept
          ? `snapshot=${encodeURIComponent(kept.snapshot)}`
          : `versionid=${encodeURIComponent(kept.version)}`;
      return `${url}?${id}&${sasFor(name, kept)}`;
    },
  };
}

/** One key per account, kept until an hour before it ends. */
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
