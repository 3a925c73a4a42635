import {
  type BlobServiceClient,
  type ContainerClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
  type UserDelegationKey,
} from '@azure/storage-blob';
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
      return async (container) => accessBy(container, by.sas);
    case 'key': {
      const credential = new StorageSharedKeyCredential(by.accountName, by.accountKey);
      return async (container, until) =>
        accessBy(container, generateBlobSASQueryParameters(signed(container, until), credential).toString());
    }
    case 'identity': {
      const keyFor = delegationKeys(service);
      return async (container, until) => {
        const key = await keyFor(until);
        const expires = new Date(Math.min(until.getTime(), key.signedExpiresOn.getTime()));
        return accessBy(
          container,
          generateBlobSASQueryParameters(signed(container, expires), key, service.accountName).toString(),
        );
      };
    }
  }
}

function signed(container: ContainerClient, until: Date) {
  return {
    containerName: container.containerName,
    permissions: ContainerSASPermissions.from({ read: true }),
    startsOn: new Date(Date.now() - BEFORE),
    expiresOn: until,
    protocol: container.url.startsWith('https:') ? SASProtocol.Https : SASProtocol.HttpsAndHttp,
  };
}

function accessBy(container: ContainerClient, sas: string): ReadAccess {
  return {
    urlOf(name) {
      const url = new URL(container.getBlobClient(name).url);
      url.search = '';
      return `${url}?${sas}`;
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
