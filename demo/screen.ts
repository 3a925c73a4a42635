import { styleText } from 'node:util';

/** Writes to the terminal: lines that stay, and at most one that is redrawn while something goes on. */
const INDENT = '  ';
/** Where the output is not a terminal, a line of progress every so often is enough. */
const QUIET_MS = 4_000;

let live = '';
let livedAt = 0;

export function say(text = ''): void {
  endLive();
  process.stdout.write(`${text === '' ? '' : INDENT}${text}\n`);
}

export function heading(text: string): void {
  endLive();
  process.stdout.write(`\n${styleText('bold', text, { stream: process.stdout })}\n`);
}

/** Label and value, below each other. */
export function fact(label: string, value: string): void {
  say(`${label.padEnd(13)}${value}`);
}

/** Shows how far something is; the next line of any kind takes its place. */
export function showProgress(text: string): void {
  if (process.stdout.isTTY) {
    const width = Math.max((process.stdout.columns ?? 80) - INDENT.length - 1, 20);
    const line = INDENT + text.slice(0, width);
    process.stdout.write(`\r${line.padEnd(live.length)}`);
    live = line;
    return;
  }
  const now = Date.now();
  livedAt ||= now;
  if (now - livedAt < QUIET_MS) return;
  livedAt = now;
  process.stdout.write(`${INDENT}${text}\n`);
}

function endLive(): void {
  if (live !== '') process.stdout.write(`\r${' '.repeat(live.length)}\r`);
  live = '';
  livedAt = 0;
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** A name as it can be printed: nothing in it may move the cursor, start a line or turn the text around. */
export function printable(text: string): string {
  const escaped = text.replace(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
  return escaped.length > 90 ? `${escaped.slice(0, 60)}…${escaped.slice(-25)}` : escaped;
}
