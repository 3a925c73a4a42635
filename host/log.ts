const NAMES: Record<string, string> = { information: 'info', warning: 'warn', critical: 'error' };

/** Levels that go to telemetry only, not to the console. */
const HIDDEN = new Set(['trace', 'debug', 'none']);

/** Writes one line to stdout. Escapes control characters, since blob names and error texts may contain them. */
export function writeLog(level: string, message: string): void {
  if (HIDDEN.has(level)) return;
  const time = new Date().toISOString().slice(11, 19);
  process.stdout.write(`${time} ${NAMES[level] ?? level} ${escapeControls(message)}\n`);
}

/** Writes C0 and C1 controls, line and paragraph separators, and bidirectional marks as \u escapes. */
export function escapeControls(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: this expression finds them
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\u200f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
