import { UsageError } from '../cli-error.ts';

/** How a caller shows who it is. No key is ever part of it. */
export type SignIn =
  | { way: 'none' }
  /** A key from an environment variable, or from a file. */
  | { way: 'key-env'; name: string }
  | { way: 'key-file'; file: string }
  /** The default function key of a function app, by the Azure CLI. */
  | { way: 'function-key'; app: string; group: string }
  /** A token of Microsoft Entra for this resource, by the Azure CLI. */
  | { way: 'entra'; resource: string };

export interface Place {
  url: string;
  /** Why this address was taken, in words that follow "from". */
  why: string;
  signIn: SignIn;
  /** What was there as well, and not taken. */
  notes: string[];
  /** Its context says so. */
  isHttpAllowed?: true;
  /** A file in a folder names it. Anyone may have written that file, as that of a repository that was cloned. */
  isOfFolder?: true;
}

export interface Context {
  url: string;
  signIn: SignIn;
  allowHttp?: true;
}

export interface Contexts {
  current?: string;
  contexts: Record<string, Context>;
}

/** An environment of azd: its name, and the values of its `.env`. */
export interface AzdEnvironment {
  name: string;
  values: Record<string, string>;
}

export const DEFAULT_URL = 'http://127.0.0.1:7071';

/** Where the app is, and how to sign in there: the first source that says something. */
export function placeOf(from: {
  url?: string | undefined;
  context?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  contexts: Contexts;
  /** Where the contexts are kept. */
  contextsFile: string;
  azd?: AzdEnvironment | undefined;
}): Place {
  const { env, contexts, azd } = from;
  const setting = env.STRONGROOM_KEY?.trim() ? ('key-env' as const) : undefined;
  const byEnvironment: SignIn = setting ? { way: setting, name: 'STRONGROOM_KEY' } : { way: 'none' };
  if (from.url !== undefined) return { url: from.url, why: 'the option --url', signIn: byEnvironment, notes: [] };
  const fromEnv = env.STRONGROOM_URL?.trim();
  if (from.context === undefined && fromEnv) {
    return { url: fromEnv, why: 'the environment variable STRONGROOM_URL', signIn: byEnvironment, notes: [] };
  }
  const unused = setting ? ['STRONGROOM_KEY is not used: it belongs to --url, STRONGROOM_URL and the default.'] : [];
  const name = from.context ?? contexts.current;
  if (name !== undefined) {
    const context = Object.hasOwn(contexts.contexts, name) ? contexts.contexts[name] : undefined;
    if (context === undefined) throw unknownContext(name, from);
    const how = from.context === undefined ? 'the current context' : 'the context';
    const isOwn = context.signIn.way === 'key-env' && context.signIn.name === 'STRONGROOM_KEY';
    const { url, signIn, allowHttp } = context;
    const why = `${how} "${name}"`;
    return { url, why, signIn, notes: isOwn ? [] : unused, ...(allowHttp && { isHttpAllowed: allowHttp }) };
  }
  const { STRONGROOM_URL: url, STRONGROOM_FUNCTION_APP: app, AZURE_RESOURCE_GROUP: group } = azd?.values ?? {};
  if (azd && url) {
    const signIn: SignIn = app && group ? { way: 'function-key', app, group } : { way: 'none' };
    return { url, why: `.azure/${azd.name}/.env of azd`, signIn, notes: unused, isOfFolder: true };
  }
  return { url: DEFAULT_URL, why: 'the default, as nothing else names one', signIn: byEnvironment, notes: [] };
}

function unknownContext(name: string, { contexts, contextsFile }: { contexts: Contexts; contextsFile: string }) {
  const names = Object.keys(contexts.contexts);
  const known = names.length > 0 ? `It has ${names.join(', ')}.` : 'It has none.';
  return new UsageError(
    `There is no context "${name}" in ${contextsFile}. ${known} Add one: strongroom context add ${name} --url URL.`,
  );
}

/**
 * The address to call. Throws UsageError if it is none, if it has something secret in it, or if others could read
 * along.
 */
export function checkedAddress(text: string, isHttpAllowed: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`${JSON.stringify(text)} is not the address of an app. Write one such as ${DEFAULT_URL}.`);
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new UsageError(
      `The address of the app at ${url.origin} has a user, a query or a fragment. Remove it: an address is shown and ` +
        'kept. A key belongs into STRONGROOM_KEY or --key-file.',
    );
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !isHttpAllowed) {
    throw new UsageError(
      `${url.origin} has no TLS and is not on this machine: others can read the key and all answers on the way. Use ` +
        'https, or accept that with --allow-http.',
    );
  }
  return url;
}

/** A name below localhost may be one of another machine: not every resolver keeps them here. */
export function isLoopback(hostname: string): boolean {
  return /^127(?:\.\d{1,3}){3}$/.test(hostname) || hostname === 'localhost' || hostname === '[::1]';
}
