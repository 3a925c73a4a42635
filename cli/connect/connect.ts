import type { Input } from '../command/input.ts';
import type { World } from '../world.ts';
import { type Contexts, checkedAddress, DEFAULT_URL, type Place, placeOf, type SignIn } from './address.ts';
import { Api } from './api.ts';
import { azdEnvironment } from './azd.ts';
import { contextsFile, readContexts } from './contexts.ts';
import { credentialsFor, signInWords } from './sign-in.ts';

/** Where this command line sends its calls. Reads files, and sends nothing. Throws UsageError. */
export function findPlace(input: Input, world: World): Place {
  const file = contextsFile(world);
  const context = input.text('context');
  const isGiven = input.has('url') || (context === undefined && world.env.STRONGROOM_URL?.trim());
  // A command that names an address does not depend on these files.
  const contexts: Contexts = isGiven ? { contexts: {} } : readContexts(file);
  const place = placeOf({
    ...{ url: input.text('url'), context, env: world.env, contexts, contextsFile: file },
    azd: isGiven ? undefined : azdEnvironment(world.cwd, world.env),
  });
  const keyFile = input.has('key') ? '-' : input.text('key-file');
  const signIn: SignIn = keyFile === undefined ? place.signIn : { way: 'key-file', file: keyFile };
  return { ...place, signIn };
}

/** The API at that place. It signs in at the first call. */
export function connect(place: Place, input: Input, world: World): Api {
  const url = checkedAddress(place.url, input.has('allow-http') || place.isHttpAllowed === true);
  return new Api({
    url,
    credentials: () => credentialsFor({ ...place, url }, world),
    where: whereWords(place),
    signal: world.interrupted,
  });
}

function whereWords({ url, why, signIn }: Place): string {
  const start =
    url === DEFAULT_URL ? ' Start the app on this machine with npm start, or name another address:' : ' Others:';
  return (
    `The address is from ${why}; it is called with ${signInWords(signIn)}.${start} --url URL, STRONGROOM_URL, or ` +
    'strongroom context add.'
  );
}
