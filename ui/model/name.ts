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

/** As in a name, but blanks and line breaks are those of a text. */
const UNSEEN_IN_TEXT = /(?![\n\r\t])[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** A sentence that may quote a name: what cannot be seen of it is shown, and it reorders nothing around it. */
export function shownText(text: string): string {
  return text.replace(UNSEEN_IN_TEXT, escaped);
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
