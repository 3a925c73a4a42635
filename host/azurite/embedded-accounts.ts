import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonFile, replaceJsonFile } from '../data/json-file.ts';
import { HostError } from '../host-error.ts';
import { OWN_STORAGE } from '../storage/connection-name.ts';
import { accountAliasesIn, anyConfigured } from './account-aliases.ts';
import { type Azurite, newAccountKey, startAzurite, withoutProxyForLoopback } from './azurite.ts';

/** Stored in the data directory, so that connection strings stay valid after a restart. */
interface KeysAndPorts {
  keys: Record<string, string>;
  ports?: { blob: number; queue: number; table: number };
}

/** For people and their tools. The host never reads these. */
interface ForOthers {
  /** By alias. */
  connectionStrings: Record<string, string>;
}

/**
 * If none of the accounts in strongroom.json is configured, starts an embedded Azurite with an account for each alias.
 * The app gets an account of its own there, too, unless its storage is a real account.
 */
export async function embedAccounts(workingDirectory: string, dataDirectory: string): Promise<Azurite | undefined> {
  const { accounts, ofVaults } = accountAliasesIn(workingDirectory);
  if (accounts.length === 0 || anyConfigured([...accounts, ...ofVaults.keys()], process.env)) return undefined;
  const aliases = isEmulatorOrNone(OWN_STORAGE, process.env) ? [...accounts, OWN_STORAGE] : accounts;
  const names = accountNames(aliases);
  const azurite = await startWithStoredKeys(names, dataDirectory);
  Object.assign(process.env, withoutProxyForLoopback(process.env));
  for (const [alias, name] of names) process.env[alias] = azurite.connectionString(name);
  for (const [alias, vault] of ofVaults) process.env[alias] = process.env[vault];
  return azurite;
}

function accountNames(aliases: string[]): Map<string, string> {
  const aliasOf = new Map<string, string>();
  for (const alias of aliases) {
    const name = alias.toLowerCase().replaceAll('_', '');
    const other = aliasOf.get(name);
    if (other !== undefined) {
      throw new HostError(
        `The accounts ${other} and ${alias} would both be "${name}" in the embedded Azurite. Rename one of them.`,
      );
    }
    aliasOf.set(name, alias);
  }
  return new Map([...aliasOf].map(([name, alias]) => [alias, name]));
}

async function startWithStoredKeys(names: Map<string, string>, dataDirectory: string): Promise<Azurite> {
  const location = join(dataDirectory, 'azurite');
  mkdirSync(location, { recursive: true });
  const file = join(dataDirectory, 'azurite.json');
  const { keys, ports } = (readJsonFile(file) ?? { keys: {} }) as KeysAndPorts;
  const accounts = [...names.values()].map((name) => {
    keys[name] ??= newAccountKey();
    return { name, key: keys[name] };
  });
  const azurite = await startAzurite({
    accounts,
    location,
    ...(ports && { blobPort: ports.blob, queuePort: ports.queue, tablePort: ports.table }),
  });
  const bound = { blob: azurite.blobPort, queue: azurite.queuePort, table: azurite.tablePort };
  const connectionStrings = Object.fromEntries(
    [...names].map(([alias, name]) => [alias, azurite.connectionString(name)]),
  );
  replaceJsonFile(file, { keys, ports: bound, connectionStrings } satisfies KeysAndPorts & ForOthers);
  return azurite;
}

function isEmulatorOrNone(alias: string, settings: NodeJS.ProcessEnv): boolean {
  const connection = settings[alias];
  if (connection !== undefined && connection.trim() !== '')
    return /^\s*UseDevelopmentStorage\s*=\s*true/i.test(connection);
  return !Object.keys(settings).some((name) => name.startsWith(`${alias}__`));
}
