import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EXIT } from '../../host/exit-codes.ts';
import { CliError, UsageError } from '../cli-error.ts';
import type { World } from '../world.ts';
import type { Context, Contexts, SignIn } from './address.ts';

/** The file of the contexts: addresses and ways to sign in, never a key. */
export function contextsFile({ env, home, platform }: Pick<World, 'env' | 'home' | 'platform'>): string {
  const windows = platform === 'win32' ? env.APPDATA : undefined;
  const folder = env.XDG_CONFIG_HOME || windows || join(home, '.config');
  return join(folder, 'strongroom', 'config.json');
}

/** Without a file there are none. Throws UsageError if the file is not one of contexts. */
export function readContexts(file: string): Contexts {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { contexts: {} };
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
  try {
    return contextsOf(JSON.parse(text));
  } catch {
    throw new UsageError(`${file} is not a file of contexts. Correct it, or delete it and add the contexts again.`);
  }
}

/** Replaces the file as a whole, since two commands may change it at once. Only this user can read it. */
export function writeContexts(file: string, contexts: Contexts): void {
  const own = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(own, `${JSON.stringify(contexts, null, 2)}\n`, { mode: 0o600 });
    renameSync(own, file);
  } catch (error) {
    throw new CliError(`${file} cannot be written: ${(error as Error).message}`, EXIT.disk);
  }
}

function contextsOf(value: unknown): Contexts {
  const { current, contexts } = objectOf(value);
  const all = Object.entries(objectOf(contexts)).map(([name, each]) => [name, contextOf(each)] as const);
  return { contexts: Object.fromEntries(all), ...(current !== undefined && { current: textOf(current) }) };
}

function contextOf(value: unknown): Context {
  const { url, signIn, allowHttp } = objectOf(value);
  return { url: textOf(url), signIn: signInOf(signIn), ...(allowHttp === true && { allowHttp }) };
}

function signInOf(value: unknown): SignIn {
  const { way, ...rest } = objectOf(value);
  if (way === 'none') return { way };
  if (way === 'key-env') return { way, name: textOf(rest.name) };
  if (way === 'key-file') return { way, file: textOf(rest.file) };
  if (way === 'function-key') return { way, app: textOf(rest.app), group: textOf(rest.group) };
  if (way === 'entra') return { way, resource: textOf(rest.resource) };
  throw new TypeError('not a way to sign in');
}

function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('not an object');
  return value as Record<string, unknown>;
}

function textOf(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new TypeError('not a text');
  return value;
}
