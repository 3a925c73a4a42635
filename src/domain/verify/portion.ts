import { createHash } from 'node:crypto';

/**
 * How much content a verification reads: a percentage, chosen at random each time, or one of several parts, the next
 * one each time.
 */
export type Portion = { kind: 'percent'; percent: number } | { kind: 'turn'; of: number };

/** Parses `5%` or `1/7`; undefined for any other text. */
export function parsePortion(text: string): Portion | undefined {
  const percent = Number(/^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(text)?.[1]);
  if (percent > 0 && percent <= 100) return { kind: 'percent', percent };
  const of = /^1\/([1-9]\d{0,3})$/.exec(text)?.[1];
  return of === undefined ? undefined : { kind: 'turn', of: Number(of) };
}

/** What is wrong with a portion, or undefined. */
export function portionProblem(text: string): string | undefined {
  if (parsePortion(text)) return undefined;
  const quoted = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
  return (
    `${quoted} is not a portion; use a percentage above 0 and up to 100, for example "5%", or one part of up to ` +
    '9999, for example "1/7"'
  );
}

/**
 * Whether a blob belongs to the portion. `name` is that of the container and the blob; a hash decides, so similar names
 * are not in one portion.
 *
 * For a percentage, `salt` decides which names are chosen: each run has another salt. For a part, `turn` picks the
 * part, one higher each time, and `salt` has no effect: each name has its turn once in `of` turns.
 */
export function isInPortion(portion: Portion, name: string, turn: number, salt: string): boolean {
  if (portion.kind === 'turn') return hashOf(name) % portion.of === ((turn % portion.of) + portion.of) % portion.of;
  return hashOf(`${salt}\0${name}`) < (portion.percent / 100) * HASHES;
}

const HASHES = 2 ** 48;

/** A whole number below `HASHES`. */
function hashOf(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6);
}
