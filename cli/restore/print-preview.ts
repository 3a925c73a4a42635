import { asCommands } from '../connect/hints.ts';
import { counted, grouped, sizeOf } from '../print/amounts.ts';
import type { Output } from '../print/output.ts';
import type { Column } from '../print/table.ts';
import type { Preview, PreviewPage } from './preview.ts';

/** What a restore would do, counted, before anything is written. */
export function printPreview(out: Output, { page, totals, containers, examples, isComplete }: Preview): void {
  const { restorePoint, account, existing } = page;
  out.line(`${restorePoint.id}  of ${out.time(restorePoint.time)}  to ${account}  existing: ${existing}`);
  if (containers.length > 0) out.table(columns, containers);
  for (const { table, target, entities } of page.tables) {
    out.line(`table ${table} to ${target}: ${counted(entities, 'entity', 'entities')} in the restore point`);
  }
  const more = isComplete ? '' : ', and more that were not counted: --dry-run --watch counts everything';
  if (page.tables.length > 0) {
    out.line('Entities are not compared with those in the target: --dry-run --watch counts everything');
  }
  const isOfBlobs = containers.length > 0 || page.tables.length === 0 || !isComplete;
  if (isOfBlobs) out.line(`${counted(totals.items, 'blob')}, ${sizeOf(totals.bytes)} to copy${more}`);
  if (totals.rehydrated > 0) out.line(`${grouped(totals.rehydrated)} of them are rehydrated first`);
  for (const { container, name } of examples.replaced)
    out.line({ text: '  replaced  ', style: 'yellow' }, `${container}  ${name}`);
  for (const { container, name, code } of examples.failed) {
    out.line({ text: '  fails     ', style: 'red' }, `${container}  ${name}  `, { text: code, style: 'dim' });
  }
  const problems = containers.flatMap(({ problem, container }) => (problem ? [{ ...problem, container }] : []));
  for (const { container, message, hint } of [...page.leftOut, ...problems]) {
    out.line(`  ${container === undefined ? '' : `${container}: `}${message}. ${asCommands(hint)}`);
  }
  const existed = containers.reduce((sum, { failures }) => sum + (failures['target-exists'] ?? 0), 0);
  if (existed > 0) {
    out.line(
      `The target has ${counted(existed, 'blob')} of these names. --existing skip leaves what is there, --existing ` +
        'if-different replaces it and keeps a snapshot, --to NAME restores to another container.',
    );
  }
}

const columns: readonly Column<PreviewPage['containers'][number]>[] = [
  { name: 'container', value: ({ container }) => container, shrinks: true },
  { name: 'to', value: ({ target, isNew }) => `${target}${isNew ? ' (new)' : ''}`, shrinks: true },
  { name: 'new', value: (row) => grouped(row.new), isNumber: true },
  { name: 'replaced', value: ({ replaced }) => grouped(replaced), isNumber: true },
  { name: 'unchanged', value: ({ unchanged }) => grouped(unchanged), isNumber: true },
  { name: 'skipped', value: ({ skipped }) => grouped(skipped), isNumber: true },
  { name: 'failed', value: ({ failed }) => grouped(failed), isNumber: true },
  { name: 'size', value: ({ bytes }) => sizeOf(bytes), isNumber: true },
];
