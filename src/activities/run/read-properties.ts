import type { ContainerProperties, Unread } from '#domain/run/container-properties.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { TableAccount } from '#storage/table-account.ts';

/** The properties of a container, as far as the app may read them; undefined if it does not exist. */
export async function readContainerProperties(
  account: BlobAccount,
  container: string,
): Promise<ContainerProperties | undefined> {
  const [properties, policies] = await Promise.all([
    unlessDenied(account.containerProperties(container)),
    unlessDenied(orNone(account.accessPolicies(container))),
  ]);
  if (properties === undefined) return undefined;
  const denied = [properties === DENIED && 'properties', policies === DENIED && 'policies'];
  const unread = denied.filter((each): each is Unread => each !== false);
  return {
    ...(properties !== DENIED && properties),
    ...(policies !== DENIED && { policies }),
    ...(unread.length > 0 && { unread }),
  };
}

/** The same of a table, which has nothing but policies. */
export async function readTableProperties(account: TableAccount, table: string): Promise<ContainerProperties> {
  const policies = await unlessDenied(orNone(account.accessPolicies(table)));
  return policies === DENIED ? { unread: ['policies'] } : { policies };
}

const DENIED = 'denied';

/** Some accounts do not offer these requests, or refuse them in other words. */
async function unlessDenied<T>(asked: Promise<T>): Promise<T | typeof DENIED> {
  try {
    return await asked;
  } catch (error) {
    if (isStorageError(error, 'access-denied', 'invalid', 'unsupported')) return DENIED;
    throw error;
  }
}

/** Whatever reads the content reports that a container or table is gone. */
async function orNone<T>(asked: Promise<T[]>): Promise<T[]> {
  try {
    return await asked;
  } catch (error) {
    if (isStorageError(error, 'container-not-found', 'not-found')) return [];
    throw error;
  }
}
