/**
 * What a terminal does not show as it is: controls, marks that change the direction or the joining of the characters
 * around them, separators of lines, halves of characters, characters without a meaning, letters without a shape, and
 * blanks that look like a space.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]|\u034f|(?! )\p{Zs}/gu;

/** Writes what is not visible as \u escapes: anyone who may upload chooses the names of blobs. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** One line of JSON that a terminal shows as it is. Its strings stay exact. */
export function visibleJson(value: unknown): string {
  return visible(JSON.stringify(value));
}
