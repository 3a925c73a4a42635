import { mkdirSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { type Azurite, newAccountKey, startAzurite, withoutProxyForLoopback } from './azurite.ts';
import { HostError } from './host-error.ts';
import { readJson } from './settings.ts';
import { writeJson } from './write-json.ts';

/** The aliases of storage accounts that a configuration names. Its errors are the app's to report, so this reads leniently. */
export function accountAliases(configuration: unknown): string[] {
  const aliases = new Set<string>();
  for (const list of ['jobs', 'archives']) {
    for (const entry of asArray(property(configuration, list))) {
      for (const side of ['source', 'destination']) {
        const account = property(property(entry, side), 'account');
        if (typeof account === 'string' && account !== '') aliases.add(account);
      }
    }
  }
  return [...aliases];
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

interface Kept {
  keys: Record<string, string>;
  ports?: { blob: number; queue: number; table: number };
}

/**
 * Gives every alias an account of an embedded Azurite, unless one of them is configured. Keys and ports are kept in the
 * data directory: what was copied once can be looked at again with the same connection string.
 */
export async function embedAccounts(workingDirectory: string, dataDirectory: string): Promise<Azurite | undefined> {
  const aliases = accountAliases(configurationOf(workingDirectory));
  if (aliases.length === 0 || anyConfigured(aliases, process.env)) return undefined;
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
  const kept = (readJson(file) ?? { keys: {} }) as Kept;
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
  return azurite;
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
