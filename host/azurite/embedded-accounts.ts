import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonFile, replaceJsonFile } from '../data/json-file.ts';
import { EXIT } from '../exit-codes.ts';
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
export async function embedAccounts(
  workingDirectory: string,
  dataDirectory: string,
): Promise<{ azurite: Azurite; aliases: string[] } | undefined> {
  const { accounts, ofVaults } = accountAliasesIn(workingDirectory);
  if (accounts.length === 0 || anyConfigured([...accounts, ...ofVaults.keys()], process.env)) return undefined;
  const aliases = isEmulatorOrNone(OWN_STORAGE, process.env) ? [...accounts, OWN_STORAGE] : accounts;
  const names = accountNames(aliases);
  const azurite = await startWithStoredKeys(names, dataDirectory);
  Object.assign(process.env, withoutProxyForLoopback(process.env));
  for (const [alias, name] of names) process.env[alias] = azurite.connectionString(name);
  for (const [alias, vault] of ofVaults) process.env[alias] = process.env[vault];
  return { azurite, aliases };
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
  const { keys, ports } = readKeysAndPorts(file);
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

/** Throws if the file is damaged: other keys would end connections that people have set up. */
function readKeysAndPorts(file: string): KeysAndPorts {
  let content: unknown;
  try {
    const found = readJsonFile(file);
    content = found === undefined ? { keys: {} } : found;
  } catch (error) {
    if (error instanceof HostError && error.exitCode === EXIT.disk) throw error;
  }
  const { keys, ports }: Partial<KeysAndPorts> = content ?? {};
  if (areAll(keys, (key) => typeof key === 'string') && (ports === undefined || areAll(ports, Number.isInteger))) {
    return { keys, ...(ports && { ports }) };
  }
  throw new HostError(
    `${file} is damaged. It holds the keys and ports of the embedded Azurite, whose blobs and tables are not ` +
      'affected. Restore the file from a copy, or delete it: the next start makes new ones, and connection ' +
      'strings from before no longer work.',
    EXIT.damaged,
  );
}

function areAll<T extends object>(values: T | undefined, test: (value: unknown) => boolean): values is T {
  return typeof values === 'object' && values !== null && Object.values(values).every(test);
}

function isEmulatorOrNone(alias: string, settings: NodeJS.ProcessEnv): boolean {
  const connection = settings[alias];
  if (connection !== undefined && connection.trim() !== '')
    return /^\s*UseDevelopmentStorage\s*=\s*true/i.test(connection);
  return !Object.keys(settings).some((name) => name.startsWith(`${alias}__`));
}
