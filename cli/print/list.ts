import { UsageError } from '../cli-error.ts';
import type { Option } from '../command/command.ts';
import type { Input } from '../command/input.ts';
import { suggestion } from '../command/suggest.ts';
import type { Answer } from '../connect/api.ts';
import { asCommands } from '../connect/hints.ts';
import type { Session } from '../session.ts';
import type { Column } from './table.ts';

/** Options of every list. */
export const LIST_OPTIONS = {
  limit: { takes: 'count', placeholder: 'N', about: 'at most so many' },
  all: { takes: 'nothing', about: 'all of them, however many requests that takes' },
  cursor: { takes: 'text', placeholder: 'TEXT', about: 'with --json: the next page, by "next" of the page before' },
} as const satisfies Record<string, Option>;

interface Page {
  next: string | null;
  problems?: readonly { message: string; hint: string }[] | undefined;
}

export interface List<Row, Body extends Page> {
  page: (cursor: string | undefined, limit: number) => Promise<Answer<Body>>;
  rowsOf: (body: Body) => readonly Row[];
  columns: readonly Column<Row>[];
  idOf: (row: Row) => string;
  /** What to say if there are none. */
  none: string;
  /** Without --limit, and the most that one answer has. */
  usual: number;
  most: number;
  /** Said of each answer while more are asked for. */
  progress?: (body: Body) => string;
}

/** Prints a list in the format that was asked for. With --json, it is one page, as the API has answered it. */
export async function printList<Row, Body extends Page>(
  session: Session,
  input: Input,
  list: List<Row, Body>,
): Promise<void> {
  const { out } = session;
  const most = input.has('all') ? Number.POSITIVE_INFINITY : (input.count('limit') ?? list.usual);
  if (out.format === 'json') {
    if (input.has('all')) throw new UsageError('--json prints one page. Use --jsonl for all of them.');
    const { bytes, body } = await list.page(input.text('cursor'), Math.min(most, list.most));
    out.bytes(bytes);
    if (body.next !== null) out.note('There are more: pass "next" as --cursor, or use --jsonl --all.');
    return;
  }
  if (input.has('cursor')) throw new UsageError('--cursor works with --json. Use --all for all pages.');
  const columns = chosen(list.columns, input.text('columns'));
  const rows: Row[] = [];
  const print = (more: readonly Row[]) => {
    if (out.format === 'jsonl') for (const row of more) out.json(row);
    else if (out.format === 'quiet') for (const row of more) out.line(list.idOf(row));
    else rows.push(...more);
  };
  const { count, isCut, problems } = await readPages(session, list, most, print);
  for (const { message, hint } of problems) out.note(`${message}. ${asCommands(hint)}`);
  if (out.format === 'text' && count > 0) out.table(columns, rows);
  if (out.format === 'text' && count === 0) out.note(list.none);
  if (isCut) out.note(`There are more than these ${count}: --all, or --limit with a greater number.`);
}

async function readPages<Row, Body extends Page>(
  session: Session,
  list: List<Row, Body>,
  most: number,
  print: (rows: readonly Row[]) => void,
) {
  let count = 0;
  let problems: NonNullable<Page['problems']> = [];
  for (let cursor: string | undefined; ; ) {
    const { body } = await list.page(cursor, Math.min(most - count, list.most));
    const rows = list.rowsOf(body);
    // With several vaults, a page has up to the limit of each.
    const shown = rows.slice(0, most - count);
    session.progress.clear();
    print(shown);
    count += shown.length;
    problems = body.problems ?? problems;
    const isCut = shown.length < rows.length || (count >= most && body.next !== null);
    if (isCut || body.next === null || session.out.isClosed) return { count, isCut, problems };
    if (list.progress) session.progress.show(list.progress(body));
    cursor = body.next;
  }
}

/** The columns that --columns names, in its order. */
export function chosen<Row>(all: readonly Column<Row>[], names: string | undefined): readonly Column<Row>[] {
  if (names === undefined) return all;
  const known = all.map(({ name }) => name);
  return names.split(',').map((name) => {
    const column = all.find((each) => each.name === name.trim().toLowerCase());
    if (column) return { ...column, from: 0 };
    const near = suggestion(name, known);
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
    throw new UsageError(`There is no column "${name}".${hint} The columns: ${known.join(', ')}.`);
  });
}
