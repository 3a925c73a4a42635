import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';

export interface TestAccount {
  name: string;
  key: string;
  connectionString: string;
  /** Such as `http://127.0.0.1:10000/acct00`. */
  blobEndpoint: string;
}

/** `count` accounts of the project's Azurite that no other test uses, in any worker. */
export function takeAccounts(count: number): TestAccount[] {
  const { connectionStrings, taken } = inject('azurite');
  const accounts: TestAccount[] = [];
  for (const connectionString of connectionStrings) {
    if (accounts.length === count) break;
    const account = parse(connectionString);
    // Only one process can create a directory.
    if (claim(join(taken, account.name))) accounts.push(account);
  }
  if (accounts.length < count) throw new Error(`Azurite has no ${count} accounts left; raise ACCOUNTS in its setup.`);
  return accounts;
}

export function takeAccount(): TestAccount {
  return takeAccounts(1)[0]!;
}

function claim(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function parse(connectionString: string): TestAccount {
  const part = (name: string) => new RegExp(`(?:^|;)${name}=([^;]*)`).exec(connectionString)?.[1] ?? '';
  return { name: part('AccountName'), key: part('AccountKey'), connectionString, blobEndpoint: part('BlobEndpoint') };
}
