const NAMES: Record<string, string> = { information: 'info', warning: 'warn', critical: 'error' };

/** What a function logs below this is for telemetry, not for the console. */
const HIDDEN = new Set(['trace', 'debug', 'none']);

/** One line on stdout per entry. Blob names and error texts end up here, so nothing in them may move the cursor or start a line. */
export function writeLog(level: string, message: string): void {
  if (HIDDEN.has(level)) return;
  const time = new Date().toISOString().slice(11, 19);
  process.stdout.write(`${time} ${NAMES[level] ?? level} ${escapeControls(message)}\n`);
}

/** C0 and C1 controls, line and paragraph separators, and the marks that reorder text, as \u escapes. */
export function escapeControls(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\u200f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
