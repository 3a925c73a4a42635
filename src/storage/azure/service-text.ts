import { redact } from '#domain/redact.ts';

/**
 * The first line of what the service said (request ids follow it), fit to be stored and shown: the service repeats the
 * addresses it was given, and with them their signatures, as they were or URL-encoded.
 */
export function serviceText(message: string): string {
  const line = message.split(/\r?\n/, 1)[0] ?? '';
  return printable(redact(line).replace(/\?\S*/g, '?…')).slice(0, 300);
}

/** Names come from outside: a line break or an escape sequence in one must not reach a log as such. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
