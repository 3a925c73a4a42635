import { optionPath } from '#domain/input/option-path.ts';
import { lineAndColumn, repeatedKeys } from '#domain/json-syntax.ts';
import type { ConfigurationProblem } from './configuration-error.ts';

/** A problem for each key that repeats another, with its line. */
export function repeatedKeyProblems(text: string): ConfigurationProblem[] {
  return repeatedKeys(text).map(({ path, offset, first }) => {
    const [line, other] = [offset, first].map((each) => lineAndColumn(text, each).line);
    const message =
      `line ${line} has this key again, after line ${other}, and only the last value would count; merge the two, or ` +
      'remove one';
    return { place: optionPath(path), message };
  });
}
