import { mkdirSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { writeJson } from '../data/write-json.ts';
import { HostError } from '../host-error.ts';
import { readJson } from '../settings/settings.ts';
import { OWN_STORAGE } from '../storage/connection-name.ts';
import { type Azurite, newAccountKey, startAzurite, withoutProxyForLoopback } from './azurite.ts';

/**
 * The aliases of storage accounts that a configuration names, and those that are another way to an account named
 * already (a vault, with the right to delete). The errors of a configuration are the app's to report, so this reads
 * leniently.
 */
export function accountAliases(configuration: unknown): { own: string[]; standIns: Map<string, string> } {
  const own = new Set<string>();
  const others = new Map<string, string>();
  const named = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
  const add = (value: unknown) => {
    const alias = named(value);
    if (alias !== undefined && alias !== OWN_STORAGE) own.add(alias);
    return alias;
  };
  for (const list of ['jobs', 'archives']) {
    for (const entry of asArray(property(configuration, list))) {
      add(property(property(entry, 'source'), 'account'));
      const vault = add(property(property(entry, 'destination'), 'account'));
      add(property(property(entry, 'events'), 'queueAccount'));
      for (const part of ['retention', 'receipts']) {
        const alias = named(property(property(entry, part), 'account'));
        if (alias !== undefined && vault !== undefined) others.set(alias, vault);
      }
    }
  }
  for (const account of asArray(property(configuration, 'accounts'))) add(account);
  const standIns = new Map([...others].filter(([alias]) => !own.has(alias)));
  return { own: [...own], standIns };
}

/** Whether any of the aliases has an app setting, as a connection string (`VAULT`) or in parts (`VAULT__blobServiceUri`). */
export function anyConfigured(aliases: string[], settings: NodeJS.ProcessEnv): boolean {
  const names = Object.keys(settings);
  return aliases.some((alias) => names.some((name) => name === alias || name.startsWith(`${alias}__`)));
}

export function accountName(alias: string): string {
  return alias.toLowerCase().replaceAll('_', '');
}

export function configurationFile(directory: string): string {
  const name = process.env.STRONGROOM_CONFIG || 'strongroom.json';
  return isAbsolute(name) ? name : join(directory, name);
}

interface SnapshotOrVersion {
  keys: Record<string, string>;
  ports?: { blob: number; queue: number; table: number };
}

/**
 * Gives every alias an account of an embedded Azurite, unless one of them is configured, and the app one of its own
 * where it has none but an emulator's. Keys and ports are kept in the data directory: what was copied once can be looked
 * at again with the same connection string.
 */
export async function embedAccounts(workingDirectory: string, dataDirectory: string): Promise<Azurite | undefined> {
  const { own, standIns } = accountAliases(configurationOf(workingDirectory));
  if (own.length === 0 || anyConfigured([...own, ...standIns.keys()], process.env)) return undefined;
  const aliases = isEmulatorOrNone(OWN_STORAGE, process.env) ? [...own, OWN_STORAGE] : own;
  const names = aliases.map(accountName);
  for (const [index, name] of names.entries()) {
    const twin = aliases[names.indexOf(name)];
    if (twin !== aliases[index]) {
      throw new HostError(
        `The accounts ${twin} and ${aliases[index]} would both be "${name}" in the embedded Azurite. Rename one of them.`,
      );
    }
  }
  const location = join(dataDirectory, 'azurite');
  mkdirSync(location, { recursive: true });
  const file = join(dataDirectory, 'azurite.json');
  const kept = (readJson(file) ?? { keys: {} }) as SnapshotOrVersion;
  const accounts = names.map((name) => {
    kept.keys[name] ??= newAccountKey();
    return { name, key: kept.keys[name] };
  });
  const ports = kept.ports && { blobPort: kept.ports.blob, queuePort: kept.ports.queue, tablePort: kept.ports.table };
  const azurite = await startAzurite({ accounts, location, ...ports });
  kept.ports = { blob: azurite.blobPort, queue: azurite.queuePort, table: azurite.tablePort };
  writeJson(file, kept);
  Object.assign(process.env, withoutProxyForLoopback(process.env));
  for (const [index, alias] of aliases.entries()) process.env[alias] = azurite.connectionString(names[index] ?? '');
  for (const [alias, vault] of standIns) process.env[alias] = process.env[vault];
  return azurite;
}

function isEmulatorOrNone(alias: string, settings: NodeJS.ProcessEnv): boolean {
  const connection = settings[alias];
  if (connection !== undefined && connection.trim() !== '')
    return /^\s*UseDevelopmentStorage\s*=\s*true/i.test(connection);
  return !Object.keys(settings).some((name) => name.startsWith(`${alias}__`));
}

function configurationOf(directory: string): unknown {
  try {
    return readJson(configurationFile(directory));
  } catch {
    // Not JSON: the app says so, with the place.
    return undefined;
  }
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function asArray(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
