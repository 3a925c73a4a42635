/**
 * Identifies the blob service of an account, however its address is written: `acct.blob.core.windows.net`, or
 * `127.0.0.1:10000/acct` if the account is in the path. Throws TypeError on text that is not an address.
 */
export function serviceIdentity(address: string): string {
  const url = new URL(address);
  const host = /^(?:localhost|\[::1\])$/.test(url.hostname) ? '127.0.0.1' : url.hostname;
  // A private link, the read-only secondary and the file system of a hierarchical account are other addresses of it.
  const [account, ...domain] = host.split('.');
  const labels = domain.filter((label) => label !== 'privatelink').map((label) => (label === 'dfs' ? 'blob' : label));
  const plainHost = [account!.replace(/-secondary$/, ''), ...labels].join('.');
  const port = url.port || (url.protocol === 'http:' ? '80' : '443');
  const path = url.pathname.replace(/\/+$/, '').replace(/-secondary$/, '');
  // http and https of one host are the same account.
  return `${plainHost}${port === '80' || port === '443' ? '' : `:${port}`}${path}`.toLowerCase();
}

/** Whether two addresses are of one account. */
export function isSameService(one: string, other: string): boolean {
  return serviceIdentity(one) === serviceIdentity(other);
}

/** Whether an address of blobs or tables is that of the secondary region of an account, which is read-only. */
export function isSecondary(address: string): boolean {
  const { hostname, pathname } = new URL(address);
  // The names of accounts have no hyphens. Hosts of other domains may.
  if (/^[a-z\d]+-secondary\.(?:privatelink\.|z\d+\.)*(?:blob|table)\./.test(hostname)) return true;
  return IS_EMULATOR.test(hostname) && /^\/[a-z\d]+-secondary\/?$/.test(pathname);
}

/** Hosts that have the account in the path. */
const IS_EMULATOR = /^[\d.]+$|^\[|^localhost$/;

/** The name of the account, with which an identity starts or ends. */
export function accountOfIdentity(identity: string): string {
  const slash = identity.lastIndexOf('/');
  return slash < 0 ? identity.split('.')[0]! : identity.slice(slash + 1);
}

/** The name of the account in an address; undefined for a custom domain, which does not show it. */
export function accountNameIn(address: string): string | undefined {
  const { hostname, pathname } = new URL(address);
  const [first, ...labels] = hostname.split('.');
  // Also `account.z01.blob.storage.azure.net`, and private links.
  if (/^(?:privatelink\.|z\d+\.)*blob\./.test(`${labels.join('.')}.`)) return first!.replace(/-secondary$/, '');
  return (IS_EMULATOR.test(hostname) && pathname.split('/')[1]) || undefined;
}

/** The same of an account in Azure; undefined for an emulator. */
export function azureAccountIn(address: string): string | undefined {
  return IS_EMULATOR.test(new URL(address).hostname) ? undefined : accountNameIn(address);
}

/** The name of the account in the address of its queues; undefined if it does not show it. */
export function queueAccountIn(address: string): string | undefined {
  return URL.canParse(address) ? azureAccountIn(address.replace('.queue.', '.blob.')) : undefined;
}
