import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { newAccountKey, startAzurite } from '../../../host/azurite/azurite.ts';

/** One in-memory Azurite for a whole project, with enough accounts for all tests. */
const ACCOUNTS = 900;

declare module 'vitest' {
  interface ProvidedContext {
    /** The connection string of every account, and the directory in which workers note those that are taken. */
    azurite: { connectionStrings: string[]; taken: string };
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const accounts = Array.from({ length: ACCOUNTS }, (_, index) => ({
    name: `acct${String(index).padStart(2, '0')}`,
    key: newAccountKey(),
  }));
  const taken = await mkdtemp(join(tmpdir(), 'strongroom-accounts-'));
  const azurite = await startAzurite({ accounts });
  project.provide('azurite', { connectionStrings: accounts.map(({ name }) => azurite.connectionString(name)), taken });
  return async () => {
    await azurite.stop();
    await rm(taken, { recursive: true, force: true });
  };
}
