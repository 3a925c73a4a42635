/**
 * JSON in ASCII, so that nothing in a name is invisible in a terminal or acts on it: control characters and all others
 * beyond ASCII are escapes.
 */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** One word of a POSIX shell, whatever it contains. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The call as a line for a terminal. The key is never part of it. */
export function curlOf(address: string, body: unknown, hasKey: boolean): string {
  const key = hasKey ? ` -H "x-functions-key: $STRONGROOM_KEY"` : '';
  return `curl -X POST ${shellWord(address)}${key} -d ${shellWord(asciiJson(body))}`;
}
