import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { EXIT } from '../../host/exit-codes.ts';
import { CliError, UsageError } from '../cli-error.ts';
import { standardInput } from '../standard-input.ts';
import type { World } from '../world.ts';
import type { SignIn } from './address.ts';
import { azureCli } from './azure-cli.ts';

/** Headers that show who calls. They have a secret: never print or store them. */
export type Credentials = Record<string, string>;

/**
 * Gets the key or the token, in memory only. Which app a key is of, and which address it goes to, may both be from a
 * file that is not yours: then the address must be that of the app.
 */
export async function credentialsFor(
  { url, signIn, isOfFolder, why }: { url: URL; signIn: SignIn; isOfFolder?: true; why: string },
  world: World,
): Promise<Credentials> {
  if (!isOfFolder || signIn.way !== 'function-key') return credentialsOf(signIn, world);
  const { app, group } = signIn;
  const named = ['functionapp', 'show', '--name', app, '--resource-group', group];
  const [credentials, host] = await Promise.all([
    credentialsOf(signIn, world),
    azureCli([...named, '--query', 'defaultHostName', '--output', 'tsv'], world),
  ]);
  if (host.toLowerCase() === url.hostname) return credentials;
  throw new CliError(
    `${why} names ${url.origin}, but ${app} is at https://${host}. Its key was not sent. If this is an address of ` +
      `yours, say so: strongroom context add NAME --url ${url.origin} --app ${app} --group ${group}`,
    EXIT.notAllowed,
  );
}

async function credentialsOf(signIn: SignIn, world: World): Promise<Credentials> {
  switch (signIn.way) {
    case 'none':
      return {};
    case 'key-env':
      return keyHeader(world.env[signIn.name] ?? '', `the environment variable ${signIn.name}`);
    case 'key-file':
      return keyHeader(await keyIn(signIn.file, world), signIn.file === '-' ? 'standard input' : signIn.file);
    case 'function-key': {
      const { app, group } = signIn;
      const named = ['functionapp', 'keys', 'list', '--name', app, '--resource-group', group];
      const key = await azureCli([...named, '--query', 'functionKeys.default', '--output', 'tsv'], world);
      return keyHeader(key, 'az functionapp keys list');
    }
    case 'entra': {
      const asked = ['account', 'get-access-token', '--resource', signIn.resource];
      return {
        authorization: `Bearer ${await azureCli([...asked, '--query', 'accessToken', '--output', 'tsv'], world)}`,
      };
    }
  }
}

/** A way to sign in, for people. */
export function signInWords(signIn: SignIn): string {
  switch (signIn.way) {
    case 'none':
      return 'no key';
    case 'key-env':
      return `the key in the environment variable ${signIn.name}`;
    case 'key-file':
      return signIn.file === '-' ? 'the key on standard input' : `the key in ${signIn.file}`;
    case 'function-key':
      return `the default function key of ${signIn.app}, by az functionapp keys list`;
    case 'entra':
      return `a token for ${signIn.resource}, by az account get-access-token`;
  }
}

async function keyIn(file: string, world: World): Promise<string> {
  if (file === '-') return standardInput(world);
  try {
    return readFileSync(resolve(world.cwd, file), 'utf8');
  } catch (error) {
    throw new UsageError(`The file of the key cannot be read: ${(error as Error).message}`);
  }
}

function keyHeader(text: string, from: string): Credentials {
  const key = text.trim();
  // Anything else cannot be part of a header, and an error of the HTTP client would repeat it.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new CliError(`There is no key in ${from}: it must be one line without blanks.`, EXIT.usage);
  }
  return { 'x-functions-key': key };
}
