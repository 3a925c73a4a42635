import type { Style } from './style.ts';
import { visible } from './visible.ts';
import { shortened, widthOf } from './width.ts';

/** A text with its colour. */
export interface Styled {
  text: string;
  style: Style;
}
export type Cell = string | Styled;

export interface Column<Row> {
  /** In lower case, with hyphens: `--columns` names it so. */
  name: string;
  value: (row: Row) => Cell;
  /** A number: aligned to the right. */
  isNumber?: boolean;
  /** May be cut off where the terminal is too narrow. */
  shrinks?: boolean;
  /** Shown in terminals of at least this many columns, and wherever no terminal limits the width. */
  from?: number;
}

export interface TableStyle {
  /** Columns of the terminal; absent if nothing limits the width. */
  width?: number | undefined;
  paint: (text: string, style: Style) => string;
}

const GAP = 2;
/** What a column that shrinks keeps. */
const LEAST = 10;

/** The lines of a table, without line ends. Names in it are hostile: each cell is made visible, and stays one line. */
export function tableLines<Row>(all: readonly Column<Row>[], rows: readonly Row[], style: TableStyle): string[] {
  const { width, paint } = style;
  const columns = all.filter(({ from = 0 }) => width === undefined || width >= from);
  const titles = columns.map(({ name }) => name.toUpperCase().replaceAll('-', ' '));
  const cells = rows.map((row) => columns.map(({ value }) => cellOf(value(row))));
  const widths = titles.map((title, index) =>
    Math.max(widthOf(title), ...cells.map((line) => widthOf(line[index]!.text))),
  );
  if (width !== undefined) narrow(columns, widths, width);
  const line = (texts: readonly { text: string; style?: Style }[]) =>
    texts
      .map(({ text, style: colour }, index) => {
        const cut = shortened(text, widths[index]!);
        const painted = colour === undefined ? cut : paint(cut, colour);
        const padding = ' '.repeat(widths[index]! - widthOf(cut));
        return columns[index]!.isNumber ? padding + painted : painted + padding;
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  return [line(titles.map((text) => ({ text, style: 'dim' as const }))), ...cells.map(line)];
}

function cellOf(cell: Cell): { text: string; style?: Style } {
  return typeof cell === 'string' ? { text: visible(cell) } : { ...cell, text: visible(cell.text) };
}

/** Takes from the widest column that shrinks until the line fits, or nothing more can be taken. */
function narrow<Row>(columns: readonly Column<Row>[], widths: number[], width: number): void {
  const excess = () => widths.reduce((sum, each) => sum + each + GAP, -GAP) - width;
  while (excess() > 0) {
    const [widest] = [...widths.keys()]
      .filter((index) => columns[index]!.shrinks && widths[index]! > LEAST)
      .sort((a, b) => widths[b]! - widths[a]!);
    if (widest === undefined) return;
    const next = Math.max(
      LEAST,
      ...[...widths.keys()]
        .filter((index) => index !== widest && columns[index]!.shrinks && widths[index]! < widths[widest]!)
        .map((index) => widths[index]!),
    );
    widths[widest] = Math.max(next === widths[widest] ? next - 1 : next, widths[widest]! - excess(), LEAST);
  }
}
