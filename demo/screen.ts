import { styleText } from 'node:util';

/** Writes to the terminal: lines that stay, and at most one that is redrawn while something goes on. */
const INDENT = '  ';
const REDRAW_MS = 100;
/** Where the output is not a terminal, a line of progress every so often is enough. */
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

/** Label and value, below each other. */
export function fact(label: string, value: string): void {
  say(`${label.padEnd(13)}${value}`);
}

/** Shows how far something is, now and then; the next line of any other kind takes its place. */
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

/** Ends all output but this. For what goes on in the background until it is taken down. */
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

/** A name as it can be printed: nothing in it may move the cursor, start a line or turn the text around. */
export function printable(text: string): string {
  const escaped = text.replace(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
  return escaped.length > 90 ? `${escaped.slice(0, 60)}…${escaped.slice(-25)}` : escaped;
}
