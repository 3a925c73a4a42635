/** A piece of a name: text as it is, or the escape of a character that cannot be seen. */
export interface NamePiece {
  text: string;
  isEscape: boolean;
}

/**
 * What cannot be seen or changes how the rest is shown: control and format characters, marks of direction, line
 * breaks, fillers, unassigned and broken characters, and blanks other than the plain one.
 */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}|^ +| +$| {2,}/gu;
/** The same within other text, where blanks do no harm. */
const UNSEEN_IN_TEXT = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/gu;

/** A text that may contain names, such as a message, with what cannot be seen as escapes. */
export function shownText(text: string): string {
  return text.replace(UNSEEN_IN_TEXT, escaped);
}

/**
 * Splits a name into what is shown as it is and what is shown as an escape, so that two names that differ never look
 * the same because of what is invisible. Names come from anyone who may upload.
 */
export function piecesOf(name: string): NamePiece[] {
  const pieces: NamePiece[] = [];
  let from = 0;
  for (const { 0: unseen, index } of name.matchAll(UNSEEN)) {
    if (index > from) pieces.push({ text: name.slice(from, index), isEscape: false });
    pieces.push({ text: escaped(unseen), isEscape: true });
    from = index + unseen.length;
  }
  if (from < name.length) pieces.push({ text: name.slice(from), isEscape: false });
  return pieces;
}

/** The name in one line of plain text, for titles and labels. */
export function shownName(name: string): string {
  return piecesOf(name)
    .map(({ text }) => text)
    .join('');
}

function escaped(unseen: string): string {
  if (unseen.startsWith(' ')) return '␠'.repeat(unseen.length);
  return [...unseen]
    .map((character) => {
      const code = character.codePointAt(0)!.toString(16);
      return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
    })
    .join('');
}
