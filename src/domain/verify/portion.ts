import { createHash } from 'node:crypto';

/** How much of the content is read each time: so many percent, chosen anew, or one of so many parts, in turn. */
export type Portion = { kind: 'percent'; percent: number } | { kind: 'turn'; of: number };

/** Reads `5%` or `1/7`; undefined when it is neither. */
export function parsePortion(text: string): Portion | undefined {
  const percent = Number(/^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(text)?.[1]);
  if (percent > 0 && percent <= 100) return { kind: 'percent', percent };
  const of = /^1\/([1-9]\d{0,3})$/.exec(text)?.[1];
  return of === undefined ? undefined : { kind: 'turn', of: Number(of) };
}

/** What is wrong with a share as it is written, or undefined. */
export function portionProblem(text: string): string | undefined {
  if (parsePortion(text)) return undefined;
  const quoted = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
  return (
    `${quoted} is not a portion; use a percentage above 0 and up to 100, for example "5%", or one part of up to ` +
    '9999, for example "1/7"'
  );
}

/**
 * Whether a blob belongs to the share. `name` is that of the container and the blob; which names belong together has
 * nothing to do with how they look.
 *
 * By percent, `salt` decides which names are chosen: another one for each run makes another choice. In turn, `turn` picks
 * the part, counted up by one each time, and `salt` plays no role: every name has its turn once in `of` turns.
 */
export function isInPortion(share: Portion, name: string, turn: number, salt: string): boolean {
  if (share.kind === 'turn') return hashOf(name) % share.of === ((turn % share.of) + share.of) % share.of;
  return hashOf(`${salt}\0${name}`) < (share.percent / 100) * HASHES;
}

const HASHES = 2 ** 48;

/** A whole number below `HASHES`. */
function hashOf(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6);
}
