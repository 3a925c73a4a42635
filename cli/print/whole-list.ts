import type { Input } from '../command/input.ts';
import type { Session } from '../session.ts';
import { chosen } from './list.ts';
import type { Column } from './table.ts';

/** Prints a list that the API answers as a whole. */
export function printArray<Row>(
  { out }: Session,
  input: Input,
  list: {
    bytes: Uint8Array;
    rows: readonly Row[];
    columns: readonly Column<Row>[];
    idOf: (row: Row) => string;
    none: string;
  },
): void {
  const columns = chosen(list.columns, input.text('columns'));
  if (out.format === 'json') out.bytes(list.bytes);
  else if (out.format === 'jsonl') for (const row of list.rows) out.json(row);
  else if (out.format === 'quiet') for (const row of list.rows) out.line(list.idOf(row));
  else if (list.rows.length > 0) out.table(columns, list.rows);
  else out.note(list.none);
}
