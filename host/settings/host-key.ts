import { HostError } from '../host-error.ts';

const SETTING = 'STRONGROOM_KEY';
/** With fewer characters, a key can be guessed. */
const LEAST = 16;
/** A text such as sixteen times the same character is long, and no secret. */
const LEAST_DIFFERENT = 8;

/** The key that every call must send; undefined if none is set. Throws if it is easy to guess, or cannot be sent. */
export function hostKey(settings: NodeJS.ProcessEnv = process.env): string | undefined {
  const given = settings[SETTING];
  if (given === undefined || given === '') return undefined;
  // Headers have no spaces around a value.
  const key = given.trim();
  const how = 'Set it to a long random text, such as the output of: openssl rand -hex 32';
  if (!/^[\x20-\x7e]*$/.test(key)) {
    throw new HostError(`The app setting ${SETTING} has characters that a header cannot have. ${how}`);
  }
  if (key.length < LEAST || new Set(key).size < LEAST_DIFFERENT) {
    throw new HostError(
      `The app setting ${SETTING} can be guessed: a key has at least ${LEAST} characters, not counting spaces ` +
        `around it, and ${LEAST_DIFFERENT} different ones. ${how}`,
    );
  }
  return key;
}
