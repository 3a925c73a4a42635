import { BlobServiceClient } from '@azure/storage-blob';
import type { AccountConnection } from '../account-connection.ts';
import { type AccountIdentity, type AccountProbe, NO_ETAG } from '../account-probe.ts';
import { type AccountAccess, resolveAccess } from './account-access.ts';
import { AzureBlobAccount } from './blobs/azure-blob-account.ts';
import { quotedEtag } from './blobs/etag.ts';
import { storageErrorOf } from './errors.ts';
import { blobPipeline } from './pipeline.ts';
import { DEFAULT_RETRIES } from './retry-policy.ts';
import { AzureTableAccount } from './tables/azure-table-account.ts';
import { ownerOf, STORAGE_SCOPE } from './token-owner.ts';

/** Sends no request. `timeout` is in milliseconds. Throws like `connectBlobAccount`. */
export function connectProbe(connection: AccountConnection, timeout: number): AccountProbe {
  const access = resolveAccess(connection);
  const once = { ...DEFAULT_RETRIES, tries: 1, timeout };
  const ask = async <T>(action: string, send: () => Promise<T>): Promise<T> => {
    try {
      return await send();
    } catch (error) {
      throw storageErrorOf(error, { action, alias: access.alias });
    }
  };
  const service = () => {
    const { by, blobEndpoint } = access;
    const url = by.kind === 'sas' ? `${blobEndpoint}?${by.sas}` : blobEndpoint;
    return new BlobServiceClient(url, blobPipeline(access, once));
  };
  return {
    blobs: new AzureBlobAccount(access, once),
    tables: new AzureTableAccount(access, once),
    deleteNothing: (container, name) =>
      ask('ask for the right to delete in', async () => {
        const blob = service().getContainerClient(container).getBlobClient(name);
        await blob.delete({ conditions: { ifMatch: quotedEtag(NO_ETAG) } });
      }),
    softDeleteDays: () =>
      ask('get the properties of the blob service of', async () => {
        const { deleteRetentionPolicy } = await service().getProperties();
        return deleteRetentionPolicy?.enabled ? deleteRetentionPolicy.days : undefined;
      }),
    identity: () => ask('get a token for', () => identityOf(access)),
  };
}

async function identityOf({ by }: AccountAccess): Promise<AccountIdentity | undefined> {
  return by.kind === 'identity' ? ownerOf(await by.credential.getToken(STORAGE_SCOPE)) : undefined;
}
