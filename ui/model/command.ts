import { shownText } from './name.ts';
import { shellWord } from './shell.ts';

/** An option with its value; without one for `true`; left out for `undefined`. */
type Option = readonly [name: string, value: string | true | undefined];

/**
 * A line for the command line: `commandOf('points hold', [id], [['reason', 'audit 2026']])`. `names` are put behind
 * `--`, so that none is an option. Null if a word has characters that a terminal does not show: it would not be safe to
 * copy.
 */
export function commandOf(
  verb: string,
  words: readonly string[] = [],
  options: readonly Option[] = [],
  names: readonly string[] = [],
): string | null {
  const all = [...words, ...options.flatMap(asWord), ...(names.length > 0 ? ['--', ...names] : [])];
  if (all.some((word) => shownText(word) !== word)) return null;
  return ['strongroom', verb, ...all.map(shellWord)].join(' ');
}

/** In one word, so that a value that begins with a hyphen is none of the options. */
function asWord([name, value]: Option): string[] {
  if (value === undefined) return [];
  return [value === true ? `--${name}` : `--${name}=${value}`];
}
