import { shownText } from './name.ts';

/** A piece of a text of the API: words, a call, or the screen that does what the call does. */
export type HintPiece = { kind: 'text' | 'code'; text: string } | { kind: 'link'; text: string; to: string };

const CALL = /\b(GET|POST) (\/api\/[^\s,;)'"]*[^\s,;)'".:])(?: with (\{[^{}]*\}))?/g;
const TIME = /\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g;

/** What the page has for a call: what it is called there, and its address below `/ui`. */
const SCREENS: readonly (readonly [pattern: RegExp, text: string, to: string])[] = [
  [/^GET \/api\/runs\/([^/?]+)/, 'the run', '/runs/$1'],
  [/^GET \/api\/runs\?job=([^&]+)/, 'the runs of $1', '/runs?job=$1'],
  [/^GET \/api\/runs$/, 'the runs', '/runs'],
  [/^GET \/api\/restore-points\/([^/?]+)/, 'the restore point', '/points/$1'],
  [/^GET \/api\/restore-points$/, 'the restore points', '/points'],
  [/^GET \/api\/blobs\/history/, 'find it', '/find'],
  [/^GET \/api\/health\/details/, 'the checks', '/setup'],
  [/^GET \/api\/archives\/([^/?]+)/, 'the archive rule', '/archives/$1'],
  [/^POST \/api\/jobs\/([^/?]+)/, 'the job $1', '/jobs/$1'],
  [/^POST \/api\/restore-points\/([^/?]+)/, 'the restore point', '/points/$1'],
  [/^POST \/api\/archives\/([^/?]+)/, 'the archive rule', '/archives/$1'],
  [/^POST \/api\/verifications/, 'the restore points', '/points'],
  [/^POST \/api\/prunes/, 'prune', '/prune'],
  [/^POST \/api\/catalog\/rebuild/, 'the settings', '/settings'],
  [/^POST \/api\/notify\/test/, 'the settings', '/settings'],
];

/**
 * A message or hint for the page: calls of the API become links to the screens that do the same, and other calls code.
 * Times become those that the reader is used to.
 */
export function piecesOfHint(hint: string, timeOf: (iso: string) => string): HintPiece[] {
  const pieces: HintPiece[] = [];
  const say = (text: string) => {
    if (text !== '') pieces.push({ kind: 'text', text: shownText(text.replace(TIME, timeOf)) });
  };
  let from = 0;
  for (const found of hint.matchAll(CALL)) {
    say(hint.slice(from, found.index));
    pieces.push(ofCall(`${found[1]} ${found[2]}`, found[0]));
    from = found.index + found[0].length;
  }
  say(hint.slice(from));
  return pieces;
}

function ofCall(call: string, whole: string): HintPiece {
  // What still has its placeholder leads nowhere.
  for (const [pattern, text, to] of SCREENS) {
    const match = pattern.exec(call);
    if (!match || call.includes('{') || call.includes('…')) continue;
    const [, part = ''] = match;
    const readable = shownText(decoded(part));
    return { kind: 'link', text: text.replace('$1', readable), to: to.replace('$1', part) };
  }
  return { kind: 'code', text: shownText(whole) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
