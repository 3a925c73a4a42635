/** Control characters and Unicode noncharacters: the service rejects them or loses them in listings. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: this expression finds them
const UNLISTABLE = /[\u0000-\u001f\u007f-\u009f\ufdd0-\ufdef\ufffe\uffff]/;
/** Half of a character, which no URL can have. */
const HALF = /\p{Surrogate}/u;

/** Whether no request can reach a name with this text in it, or no listing shows it. */
export function isUnlistable(text: string): boolean {
  return UNLISTABLE.test(text) || text.includes('\\');
}

/** Why no request can reach any name that begins with this text, in words that follow it, or undefined. */
export function unaddressablePrefix(prefix: string): string | undefined {
  if (UNLISTABLE.test(prefix))
    return 'contains a control character, such as a tab or a line break, which no listing shows';
  if (HALF.test(prefix)) return 'contains half of a character, which no request can carry';
  if (prefix.includes('\\')) return 'contains a backslash; Azure rewrites such names';
  // A name continues after the last slash.
  const dotted = prefix
    .split('/')
    .slice(0, -1)
    .find((segment) => segment.endsWith('.'));
  if (dotted === undefined) return undefined;
  return dotted === '.' || dotted === '..'
    ? 'contains "." or ".." as a path segment; Azure rewrites such names'
    : 'contains a path segment that ends in a dot, which Azure drops';
}
