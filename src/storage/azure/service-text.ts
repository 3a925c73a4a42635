import { redact } from '#domain/redact.ts';

/**
 * The first line of a message of the service (request ids follow it), safe to store and show. The service repeats
 * addresses of requests with their signatures, plain or URL-encoded; this removes them.
 */
export function serviceText(message: string): string {
  const line = message.split(/\r?\n/, 1)[0] ?? '';
  return printable(redact(line).replace(/\?\S*/g, '?…')).slice(0, 300);
}

/** Escapes control characters: names come from users and must not put line breaks or escape sequences into a log. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this expression finds them
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
