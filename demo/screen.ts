import { styleText } from 'node:util';

/** Writes to the terminal: lines that stay, and at most one line of progress that is redrawn. */
const INDENT = '  ';
const REDRAW_MS = 100;
/** Milliseconds between lines of progress if the output is not a terminal. */
const LINE_MS = 4_000;

let isMuted = false;
let live = '';
let shownAt = 0;

export function say(text: string): void {
  if (isMuted) return;
  endLive();
  process.stdout.write(`${INDENT}${text}\n`);
}

export function heading(text: string): void {
  if (isMuted) return;
  endLive();
  process.stdout.write(`\n${styleText('bold', text, { stream: process.stdout })}\n`);
}

/** Prints a label and a value in columns. */
export function fact(label: string, value: string): void {
  say(`${label.padEnd(13)}${value}`);
}

/** Shows progress from time to time; the next other line replaces it. */
export function showProgress(text: string): void {
  if (isMuted) return;
  const { isTTY, columns } = process.stdout;
  const now = Date.now();
  if (isTTY) {
    if (now - shownAt < REDRAW_MS) return;
    const line = INDENT + text.slice(0, Math.max((columns || 80) - INDENT.length - 1, 20));
    process.stdout.write(`\r${line.padEnd(live.length)}`);
    live = line;
  } else {
    shownAt ||= now;
    if (now - shownAt < LINE_MS) return;
    process.stdout.write(`${INDENT}${text}\n`);
  }
  shownAt = now;
}

/** Prints a last line; background work prints nothing after it. */
export function lastWords(text: string): void {
  heading(text);
  isMuted = true;
}

function endLive(): void {
  if (live !== '') process.stdout.write(`\r${' '.repeat(live.length)}\r`);
  live = '';
  shownAt = 0;
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** A name that is safe to print: it cannot move the cursor, start a line or reverse the text. */
export function printable(text: string): string {
  const escaped = text.replace(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
  return escaped.length > 90 ? `${escaped.slice(0, 60)}…${escaped.slice(-25)}` : escaped;
}
