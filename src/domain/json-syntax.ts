/**
 * Finds the first syntax error of a JSON text, or the keys that repeat another. The engine does not always name the
 * place of an error, and of repeated keys, it drops all values but the last without a word. So this reads the tokens
 * again, without recursion and without building values.
 */

const SPACE = /[ \t\n\r]*/y;
const SCALAR =
  /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** A key that its object has had before, and where: offsets of the text. */
export interface RepeatedKey {
  path: PropertyKey[];
  offset: number;
  first: number;
}

/** An object or an array that is not closed yet. */
interface Open {
  /** Of an object: the offset at which it had each key first. */
  keys?: Map<string, number>;
  /** The key or the index of the current value. */
  at: PropertyKey;
}

/** The offset of the first unexpected character (the length of the text if it ends too early), or undefined. */
export function jsonErrorOffset(text: string): number | undefined {
  return readTokens(text).error;
}

/** The repeated keys of a text without syntax errors, in its order. */
export function repeatedKeys(text: string): RepeatedKey[] {
  return readTokens(text).repeated;
}

function readTokens(text: string): { error?: number; repeated: RepeatedKey[] } {
  let at = 0;
  const open: Open[] = [];
  const repeated: RepeatedKey[] = [];
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    at += found?.length ?? 0;
    return found;
  };
  /** Takes a key and its colon; of an array, only counts. Whether it is there. */
  const takeKey = (within: Open) => {
    if (within.keys === undefined) {
      within.at = Number(within.at) + 1;
      return true;
    }
    const offset = at;
    const key = text[at] === '"' ? take(SCALAR) : undefined;
    if (key === undefined) return false;
    repeated.push(...repeats(open, key, offset));
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
        const within = opened(bracket);
        open.push(within);
        if (!takeKey(within)) return { error: at, repeated };
        continue;
      }
      at++;
    } else if (take(SCALAR) === undefined) {
      return { error: at, repeated };
    }
    // A value has ended: the next token closes an open bracket, or continues after a comma.
    for (;;) {
      take(SPACE);
      const last = open.at(-1);
      if (last === undefined) return at === text.length ? { repeated } : { error: at, repeated };
      const next = text[at];
      if (next === ',') {
        at++;
        take(SPACE);
        if (!takeKey(last)) return { error: at, repeated };
        break;
      }
      if (next !== (last.keys ? '}' : ']')) return { error: at, repeated };
      at++;
      open.pop();
    }
  }
}

/** Before its first key or item. */
function opened(bracket: '{' | '['): Open {
  return bracket === '{' ? { keys: new Map(), at: '' } : { at: -1 };
}

/** Continues with a key, as it is written, of the innermost object; one entry if that object has had it before. */
function repeats(open: readonly Open[], written: string, offset: number): RepeatedKey[] {
  const within = open.at(-1)!;
  // A key may be spelled in several ways.
  const key = written.includes('\\') ? (JSON.parse(written) as string) : written.slice(1, -1);
  within.at = key;
  const first = within.keys?.get(key);
  if (first !== undefined) return [{ path: open.map(({ at }) => at), offset, first }];
  within.keys?.set(key, offset);
  return [];
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
