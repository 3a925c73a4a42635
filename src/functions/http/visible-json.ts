/**
 * JSON in which every character can be seen: blob names may hold controls of terminals, and marks that change the
 * direction of the text around them. They are written as escapes, and a parser reads the same text. `change` is applied
 * to each text.
 */
export function visibleJson(value: unknown, change?: (text: string) => string): string {
  const changed = change && ((_key: string, each: unknown) => (typeof each === 'string' ? change(each) : each));
  return JSON.stringify(value, changed).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
