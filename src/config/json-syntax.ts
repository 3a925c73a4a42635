/**
 * Finds the first syntax error of a JSON text. The messages of the engine do not always name its place, so this reads
 * the tokens again, without recursion and without building values.
 */

const SPACE = /[ \t\n\r]*/y;
const SCALAR =
  /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** The offset of the first unexpected character (the length of the text if it ends too early), or undefined. */
export function jsonErrorOffset(text: string): number | undefined {
  let at = 0;
  const open: ('{' | '[')[] = [];
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    at += found?.length ?? 0;
    return found;
  };
  const takeKey = () => {
    if (text[at] !== '"' || take(SCALAR) === undefined) return false;
    take(SPACE);
    if (text[at] !== ':') return false;
    at++;
    return true;
  };

  for (;;) {
    take(SPACE);
    const bracket = text[at];
    if (bracket === '{' || bracket === '[') {
      at++;
      take(SPACE);
      if (text[at] !== (bracket === '{' ? '}' : ']')) {
        open.push(bracket);
        if (bracket === '{' && !takeKey()) return at;
        continue;
      }
      at++;
    } else if (take(SCALAR) === undefined) {
      return at;
    }
    // A value has ended: the next token closes an open bracket, or continues after a comma.
    for (;;) {
      take(SPACE);
      const last = open.at(-1);
      if (last === undefined) return at === text.length ? undefined : at;
      const next = text[at];
      if (next === ',') {
        at++;
        take(SPACE);
        if (last === '{' && !takeKey()) return at;
        break;
      }
      if (next !== (last === '{' ? '}' : ']')) return at;
      at++;
      open.pop();
    }
  }
}

/** Line and column, both counted from 1. Columns count UTF-16 code units. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split(/\r\n|\n|\r/);
  return { line: before.length, column: before.at(-1)!.length + 1 };
}

/** The error at an offset, in words for the author of the file. */
export function syntaxProblem(text: string, offset: number): string {
  if (offset >= text.length)
    return text.trim() === ''
      ? 'the file is empty'
      : 'the file ends too early: a bracket, brace or quote is not closed';
  const rest = text.slice(offset);
  if (/^\/[/*]|^#/.test(rest)) return 'JSON does not allow comments; remove this one';
  if (/^[}\]]/.test(rest)) return `unexpected ${JSON.stringify(rest[0])}, possibly after an extra comma`;
  if (rest.startsWith("'")) return 'JSON requires double quotes, not single quotes';
  if (rest.startsWith('"'))
    return (
      'a comma or colon is missing before this, or the string contains a line break or a single backslash (write ' +
      '"\\\\")'
    );
  return `unexpected ${JSON.stringify([...rest.slice(0, 2)][0])}; this is not JSON`;
}
