const NAMES: Record<string, string> = { information: 'info', warning: 'warn', critical: 'error' };

/** Levels that go to telemetry only, not to the console. */
const HIDDEN = new Set(['trace', 'debug', 'none']);

/** Writes one line to stdout. Escapes control characters, since blob names and error texts may contain them. */
export function writeLog(level: string, message: string): void {
  if (HIDDEN.has(level)) return;
  const time = new Date().toISOString().slice(11, 19);
  process.stdout.write(`${time} ${NAMES[level] ?? level} ${escapeControls(message)}\n`);
}

/**
 * Writes what is not visible as \u escapes: controls, separators of lines, and what changes the direction or the
 * joining of the characters around it.
 */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
