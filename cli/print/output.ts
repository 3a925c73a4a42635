import type { Sink } from '../world.ts';
import { painted, type Style } from './style.ts';
import { type Cell, type Column, tableLines } from './table.ts';
import { shownTime, type TimeStyle } from './times.ts';
import { visible, visibleJson } from './visible.ts';

/** For people; the answer of the API as it is; a line of JSON for each item; ids alone. */
export type Format = 'text' | 'json' | 'jsonl' | 'quiet';

export interface OutputOptions {
  stdout: Sink;
  stderr: Sink;
  format: Format;
  hasColours: boolean;
  isUtc: boolean;
}

/** What a command prints: data on stdout, everything else on stderr. Every text is made visible on its way. */
export class Output {
  readonly format: Format;
  readonly isTerminal: boolean;
  readonly #options: OutputOptions;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.format = options.format;
    this.isTerminal = options.stdout.isTTY === true;
  }

  /** Whether nothing reads what is printed on stdout any more. */
  get isClosed(): boolean {
    return Boolean(this.#options.stdout.errored);
  }

  /** A line on stdout. */
  line(...cells: Cell[]): void {
    const { stdout, hasColours } = this.#options;
    stdout.write(`${cells.map((cell) => textOf(cell, hasColours && this.isTerminal)).join('')}\n`);
  }

  /** A line on stderr. */
  note(...cells: Cell[]): void {
    const { stderr, hasColours } = this.#options;
    stderr.write(`${cells.map((cell) => textOf(cell, hasColours && stderr.isTTY === true)).join('')}\n`);
  }

  /**
   * The bytes of an answer, as they came. A terminal gets the same text without what would change it; strings of JSON
   * stay exact. The prompt follows on a line of its own.
   */
  bytes(bytes: Uint8Array): void {
    if (!this.isTerminal) {
      this.#options.stdout.write(bytes);
      return;
    }
    const text = new TextDecoder().decode(bytes).replace(/\r?\n$/, '');
    this.#options.stdout.write(`${text.split(/\r?\n/).map(visibleLine).join('\n')}\n`);
  }

  /** One line of JSON. */
  json(value: unknown): void {
    this.#options.stdout.write(`${visibleJson(value)}\n`);
  }

  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
    const { stdout, hasColours } = this.#options;
    const paint = (text: string, style: Style) => (hasColours && this.isTerminal ? painted(text, style) : text);
    const width = this.isTerminal ? stdout.columns || 80 : undefined;
    for (const line of tableLines(columns, rows, { width, paint })) stdout.write(`${line}\n`);
  }

  time(text: string | null | undefined): string {
    return shownTime(text, this.#timeStyle());
  }

  #timeStyle(): TimeStyle {
    if (!this.isTerminal) return 'iso';
    return this.#options.isUtc ? 'utc' : 'local';
  }
}

/** A line that may be indented by tabs. */
function visibleLine(line: string): string {
  return line.split('\t').map(visible).join('\t');
}

/** On one line, whatever names it has: a name with a line feed must not look like a line of its own. */
function textOf(cell: Cell, isPainted: boolean): string {
  if (typeof cell === 'string') return visible(cell);
  const text = visible(cell.text);
  return isPainted ? painted(text, cell.style) : text;
}
