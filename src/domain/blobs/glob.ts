/**
 * Globs on blob names. `*` and `?` stop at "/". `**` as a whole segment stands for any number of segments, or none. At
 * the end, after others, it stands for what is in a folder: for at least one segment, or for the marker of the folder.
 * `[abc]`, `[a-z]`, `[!abc]` and `{a,b}` are alternatives. Every other character stands for itself: also a backslash,
 * dots, parentheses, and braces without a comma. Put a special character in brackets to match it: `[*]`, `[{]`.
 *
 * Names come from strangers, so matching takes at most |glob| × |name| steps, for any glob and name. Glob libraries
 * make one regular expression of the whole glob, and such an expression can take minutes for one name.
 */

/** A compiled glob, for a name split by `nameSegments`. Never throws. */
export type Glob = (name: NameSegments) => boolean;

/** People write globs: a longer one is a mistake. */
const LONGEST = 1024;
const MOST_ALTERNATIVES = 256;

/** Throws RangeError with words for the author of the glob. */
export function compileGlob(glob: string): Glob {
  const fail = (why: string) =>
    new RangeError(`${JSON.stringify(glob.length > 80 ? `${glob.slice(0, 80)}…` : glob)} ${why}`);
  if (glob === '') throw new RangeError('an empty glob matches nothing; "**" matches every name');
  if (glob.length > LONGEST) throw fail(`has ${glob.length} characters; the maximum is ${LONGEST}`);
  if (glob.startsWith('!'))
    throw fail(
      'starts with "!", which does not negate; move the glob to the other list (include or exclude), or write ' +
        '"?" for this character',
    );
  if (/^\.{0,2}\//.test(glob))
    throw fail(
      'starts with a slash or dots, which blob names rarely do; remove them, or write "*/" for a slash that the ' +
        'name has',
    );
  if (glob.endsWith('/')) throw fail(`matches only a folder and no blob in it; use ${JSON.stringify(`${glob}**`)}`);
  if (/\{[^{},]*\.\.[^{},]*\}/.test(glob))
    throw fail('has a range such as {1..9}, which Strongroom does not support; use [1-9] or {a,b}');
  const ofMarkers = alternativesOf(tokensOf(glob, fail), fail).map(segmentsOf);
  const ofOthers = ofMarkers.map(inFolder);
  return ({ segments, isMarker }) =>
    (isMarker ? ofMarkers : ofOthers).some((pattern) =>
      fits(
        pattern.length,
        segments.length,
        (at) => pattern[at] === ANY_SEGMENTS,
        (at, index) => (pattern[at] as SegmentTest)(segments[index]!),
      ),
    );
}

type Pattern = (SegmentTest | typeof ANY_SEGMENTS)[];

/** With one more segment, whatever it is, if the pattern ends with what is in a folder. */
function inFolder(pattern: Pattern): Pattern {
  return pattern.length > 1 && pattern.at(-1) === ANY_SEGMENTS ? [...pattern, () => true] : pattern;
}

/** A blob name, split at its slashes. The marker blob of a folder, `a/b/`, is treated as `a/b` and as in the folder. */
export interface NameSegments {
  segments: readonly string[];
  isMarker: boolean;
}

export function nameSegments(name: string): NameSegments {
  const segments = name.split('/');
  const isMarker = segments.at(-1) === '';
  if (isMarker) segments.pop();
  return { segments, isMarker };
}

/** One literal character, or a special one: `*`, `?`, a class, or a part of braces. */
type Token = { literal: string } | { special: '*' | '?' | '{' | ',' | '}' } | { oneOf: RegExp };
type Failure = (why: string) => RangeError;

function tokensOf(glob: string, fail: Failure): Token[] {
  const tokens: Token[] = [];
  const characters = [...glob];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (character === '[') {
      const negated = characters[at + 1] === '!' || characters[at + 1] === '^';
      const from = at + (negated ? 2 : 1);
      // A "]" in first place is one of the characters.
      const to = characters.indexOf(']', from + 1);
      if (to < 0) throw fail('has a "[" without a closing "]"; write [[] for the character');
      tokens.push({ oneOf: classOf(characters.slice(from, to).join(''), negated, fail) });
      at = to;
    } else if (character === '*' || character === '?' || character === '{' || character === ',' || character === '}') {
      tokens.push({ special: character });
    } else {
      tokens.push({ literal: character });
    }
  }
  return tokens;
}

function classOf(members: string, negated: boolean, fail: Failure): RegExp {
  if (members.includes('/')) throw fail('has a "/" in brackets, which never matches; use {a,b} with whole paths');
  if (members.startsWith('[:'))
    throw fail('has a class such as [[:alpha:]], which Strongroom does not support; use [a-z]');
  try {
    return new RegExp(`^[${negated ? '^' : ''}${members.replace(/[\\^[\]]/g, '\\$&')}]$`, 'su');
  } catch {
    throw fail(`has a range in [${members}] that runs backwards`);
  }
}

/** Every combination that takes one alternative of each pair of braces, without the braces and commas. */
function alternativesOf(tokens: Token[], fail: Failure): Token[][] {
  const open = tokens.findIndex((token) => isSpecial(token, '{'));
  if (open < 0) return [tokens.map(plain)];
  let depth = 0;
  let from = open + 1;
  const choices: Token[][] = [];
  for (let at = open; at < tokens.length; at++) {
    const token = tokens[at]!;
    if (isSpecial(token, '{')) depth++;
    if (isSpecial(token, '}')) depth--;
    if ((depth === 1 && isSpecial(token, ',')) || depth === 0) {
      choices.push(tokens.slice(from, at));
      from = at + 1;
    }
    if (depth > 0) continue;
    const before = tokens.slice(0, open).map(plain);
    const rest = alternativesOf(tokens.slice(at + 1), fail);
    const inner = choices.flatMap((choice) => alternativesOf(choice, fail));
    const chosen = choices.length > 1 ? inner : inner.map((choice) => [{ literal: '{' }, ...choice, { literal: '}' }]);
    if (chosen.length * rest.length > MOST_ALTERNATIVES)
      throw fail(`expands to more than ${MOST_ALTERNATIVES} globs; use fewer alternatives`);
    return chosen.flatMap((choice) => rest.map((end) => [...before, ...choice, ...end]));
  }
  throw fail('has a "{" without a closing "}"; write [{] for the character');
}

function isSpecial(token: Token, special: string): boolean {
  return 'special' in token && token.special === special;
}

/** A comma outside of braces, and a brace that closes nothing, stand for themselves. */
function plain(token: Token): Token {
  return 'special' in token && token.special !== '*' && token.special !== '?' ? { literal: token.special } : token;
}

type SegmentTest = (segment: string) => boolean;
const ANY_SEGMENTS = Symbol('**');

function segmentsOf(tokens: Token[]): Pattern {
  const segments: Token[][] = [[]];
  for (const token of tokens) {
    if ('literal' in token && token.literal === '/') segments.push([]);
    else segments.at(-1)!.push(token);
  }
  return segments.map((segment) =>
    segment.length === 2 && segment.every((token) => isSpecial(token, '*')) ? ANY_SEGMENTS : segmentTest(segment),
  );
}

function segmentTest(tokens: Token[]): SegmentTest {
  if (tokens.every((token) => 'literal' in token)) {
    const text = tokens.map(({ literal }) => literal).join('');
    return (segment) => segment === text;
  }
  const isStar = (at: number) => isSpecial(tokens[at]!, '*');
  const isNotLiteral = (token: Token) => !('literal' in token);
  const textOf = (some: Token[]) => some.map((token) => ('literal' in token ? token.literal : '')).join('');
  const head = textOf(tokens.slice(0, tokens.findIndex(isNotLiteral)));
  const tail = textOf(tokens.slice(tokens.findLastIndex(isNotLiteral) + 1));
  return (segment) => {
    // This already rules out most names.
    if (!segment.startsWith(head) || !segment.endsWith(tail)) return false;
    const characters = /[\ud800-\udfff]/.test(segment) ? [...segment] : segment;
    return fits(tokens.length, characters.length, isStar, (at, index) => {
      const token = tokens[at]!;
      if ('literal' in token) return token.literal === characters[index];
      return 'oneOf' in token ? token.oneOf.test(characters[index]!) : true;
    });
  };
}

/**
 * Matches a sequence against a pattern in which stars stand for any run of items. Only the last star met so far ever
 * has to take more: everything before it can stay where it first fitted.
 */
function fits(
  patternLength: number,
  length: number,
  isStar: (at: number) => boolean,
  accepts: (at: number, index: number) => boolean,
): boolean {
  let at = 0;
  let index = 0;
  let star = -1;
  let taken = 0;
  while (index < length) {
    if (at < patternLength && isStar(at)) {
      star = at++;
      taken = index;
    } else if (at < patternLength && accepts(at, index)) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++taken;
    } else {
      return false;
    }
  }
  while (at < patternLength && isStar(at)) at++;
  return at === patternLength;
}
