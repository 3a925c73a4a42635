import { isAbsolute, join } from 'node:path';
import { readJsonFile } from '../data/json-file.ts';
import { OWN_STORAGE } from '../storage/connection-name.ts';

export interface AccountAliases {
  /** Each alias stands for an account of its own. */
  accounts: string[];
  /** Aliases of a vault with other rights, such as the right to delete, each with the alias of that vault. */
  ofVaults: Map<string, string>;
}

/** The name of an app setting. Anything else may be a secret that was pasted in its place. */
const ALIAS = /^[A-Za-z_][\w.:-]{0,126}$/;

/** The account aliases in strongroom.json. An invalid file has none: the app reports its errors. */
export function accountAliasesIn(directory: string): AccountAliases {
  const name = process.env.STRONGROOM_CONFIG || 'strongroom.json';
  try {
    return accountAliases(readJsonFile(isAbsolute(name) ? name : join(directory, name)));
  } catch {
    return accountAliases(undefined);
  }
}

/** None if any of them is not an alias: the app reports it, and the host must not make a name of it. */
export function accountAliases(configuration: unknown): AccountAliases {
  const accounts = new Set<string>();
  const others = new Map<string, string>();
  let isInvalid = false;
  const named = (value: unknown) => {
    if (typeof value !== 'string' || value === '') return undefined;
    if (ALIAS.test(value)) return value;
    isInvalid = true;
    return undefined;
  };
  const add = (value: unknown) => {
    const alias = named(value);
    if (alias !== undefined && alias !== OWN_STORAGE) accounts.add(alias);
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
  if (isInvalid) return { accounts: [], ofVaults: new Map() };
  return { accounts: [...accounts], ofVaults: new Map([...others].filter(([alias]) => !accounts.has(alias))) };
}

/** Whether any alias has an app setting: a connection string (`VAULT`) or its parts (`VAULT__blobServiceUri`). */
export function anyConfigured(aliases: string[], settings: NodeJS.ProcessEnv): boolean {
  const names = Object.keys(settings);
  return aliases.some((alias) => names.some((name) => name === alias || name.startsWith(`${alias}__`)));
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function asArray(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
