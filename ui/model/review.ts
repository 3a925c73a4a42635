import type { Answer } from './answer.ts';
import { shownName } from './name.ts';
import { bytes, counted, number } from './quantity.ts';
import type { RestoreChoice, What } from './restore-choice.ts';

type Page = Answer<'previewRestore'>;

/** The answers of a preview so far. Their counts add up. */
export interface Preview extends Omit<Page, 'next'> {
  next: string | null;
}

export function withPreviewed(before: Preview | null, page: Page): Preview {
  if (before === null) return page;
  const containers = [...before.containers];
  for (const part of page.containers) {
    const at = containers.findIndex(({ container }) => container === part.container);
    const known = containers[at];
    if (known === undefined) containers.push(part);
    else containers[at] = { ...part, ...sum(known, part), failures: sum(known.failures, part.failures) };
  }
  return {
    ...page,
    totals: sum(before.totals, page.totals),
    containers,
    tables: [...before.tables, ...page.tables],
    leftOut: [...before.leftOut, ...page.leftOut],
    examples: {
      replaced: [...before.examples.replaced, ...page.examples.replaced].slice(0, 20),
      failed: [...before.examples.failed, ...page.examples.failed].slice(0, 20),
    },
  };
}

/** Adds up the members that are numbers. */
function sum<Counts extends object>(a: Counts, b: Counts): Counts {
  const all = new Map<string, number>();
  for (const [name, count] of [...Object.entries(a), ...Object.entries(b)])
    if (typeof count === 'number') all.set(name, (all.get(name) ?? 0) + count);
  return Object.fromEntries(all) as Counts;
}

/** What is in the target now, of what is to be restored: as a preview with `if-different` finds it. */
export interface Now {
  missing: number;
  same: number;
  differ: number;
  fail: number;
}

export function nowOf({ totals }: Preview): Now {
  const { new: missing, unchanged: same, replaced: differ, skipped, failed } = totals;
  return { missing, same, differ: differ + skipped, fail: failed };
}

/** A choice of what to do with what is there, and what it does. */
export interface Option {
  existing: RestoreChoice['existing'];
  words: string;
  /** What it means for what is there, if it needs saying. */
  note: string;
}

/**
 * The choices for blobs. In another place than where they were, no blob is known to be the same: each that is there
 * counts as one that differs.
 */
export function blobOptions({ missing, same, differ }: Now, isOriginal: boolean): Option[] {
  const are = isOriginal ? 'differ' : 'are there';
  const is = isOriginal ? 'differs' : 'is there';
  const those = differ === 1 ? `the one that ${is}` : `the ${number(differ)} that ${are}`;
  const restore = `Restore the ${number(missing)} that ${missing === 1 ? 'is' : 'are'} missing`;
  const there = same + differ;
  return [
    {
      existing: 'skip',
      words: differ === 0 ? restore : `${restore}, leave ${those}`,
      note: 'Nothing that is there is touched.',
    },
    {
      existing: 'if-different',
      words: differ === 0 ? `${restore}, replace what differs by then` : `${restore}, replace ${those}`,
      note: differ === 0 ? '' : 'What they are now is kept as a snapshot of each blob.',
    },
    {
      existing: 'fail',
      words: `${restore}, report all others as failed`,
      note: there === 0 ? '' : `${counted(there, 'blob')} would fail as target-exists.`,
    },
  ];
}

/** The choices for tables that are restored to where they were. */
export const TABLE_OPTIONS: readonly Option[] = [
  { existing: 'fail', words: 'Write only to a table that is empty or missing', note: '' },
  { existing: 'skip', words: 'Write the entities that are missing, leave all that are there', note: '' },
  {
    existing: 'replace',
    words: 'Replace entities that are there',
    note: 'What they hold now is not kept: tables have no snapshots.',
  },
  {
    existing: 'merge',
    words: 'Set the properties that were backed up, leave others',
    note: 'What these properties hold now is not kept: tables have no snapshots.',
  },
];

/** More replaced blobs than this are replaced on purpose only. */
const MOST_REPLACED = 1000;

/** What has to be typed before such a restore starts: a name, and why; or null. */
export function toType(
  { what, where, existing }: RestoreChoice,
  job: string,
  preview: Preview,
): { text: string; why: string } | null {
  if (!where.isOriginal) return null;
  const isReplacing = existing === 'if-different' || existing === 'replace' || existing === 'merge';
  const [table] = preview.tables;
  if (table !== undefined && isReplacing) {
    const text = preview.tables.length === 1 ? table.target : job;
    return {
      text,
      why: `What ${counted(preview.tables.length, 'table')} hold${preview.tables.length === 1 ? 's' : ''} now is not kept.`,
    };
  }
  if (what.kind === 'everything') return { text: job, why: 'This writes everything to where it was.' };
  if (!isReplacing) return null;
  const { replaced } = preview.totals;
  if (replaced > MOST_REPLACED) return { text: job, why: `This replaces ${counted(replaced, 'blob')}.` };
  if (preview.next !== null) return { text: job, why: 'Not all blobs are counted, so it may replace many.' };
  return null;
}

/** The button: how many, and where. Null if there is nothing to write. */
export function startWords(preview: Preview): string | null {
  const { new: missing, replaced } = preview.totals;
  const blobs = missing + replaced;
  const entities = preview.tables.reduce((sum, table) => sum + table.entities, 0);
  if (blobs === 0 && entities === 0 && preview.next === null) return null;
  const least = preview.next === null ? '' : 'at least ';
  const what = [
    ...(blobs > 0 || entities === 0 ? [`${least}${counted(blobs, 'blob')}`] : []),
    ...(entities > 0 ? [counted(entities, 'entity', 'entities')] : []),
  ];
  return `Restore ${what.join(' and ')} to ${placeWords(preview)}`;
}

/** `SOURCE / images-restored`, or how many places. */
export function placeWords({ account, containers, tables }: Preview): string {
  const targets = [...new Set([...containers, ...tables].map(({ target }) => target))];
  if (targets.length === 0) return account;
  return targets.length === 1 ? `${account} / ${targets[0]}` : `${account}, ${number(targets.length)} places`;
}

/** What is restored, in a heading: `3 blobs of images`, `the folder 2026/ of images`. */
export function whatWords(what: What): string {
  switch (what.kind) {
    case 'names':
      return what.names.length === 1
        ? `one blob of ${shownName(what.container)}`
        : `${counted(what.names.length, 'blob')} of ${shownName(what.container)}`;
    case 'folder':
      return what.prefix === ''
        ? `the container ${shownName(what.container)}`
        : `a folder of ${shownName(what.container)}`;
    case 'some': {
      const { containers, tables } = what;
      const [only] = [...containers, ...tables];
      if (containers.length + tables.length === 1)
        return `the ${containers.length === 1 ? 'container' : 'table'} ${shownName(only ?? '')}`;
      return [
        ...(containers.length > 0 ? [counted(containers.length, 'container')] : []),
        ...(tables.length > 0 ? [counted(tables.length, 'table')] : []),
      ].join(' and ');
    }
    case 'everything':
      return 'everything';
  }
}

/** How far the counting is: `20,000 blobs of at most 1,200,000 counted so far`. */
export function countedWords({ totals, next }: Preview, total: number | null): string {
  if (next === null) return `${counted(totals.items, 'blob')} counted, ${bytes(totals.bytes)} to copy`;
  const of = total === null || total < totals.items ? '' : ` of at most ${number(total)}`;
  return `${counted(totals.items, 'blob')}${of} counted so far`;
}

/** Whether every target container would be made by this restore: only then is a place free. */
export function isFree({ containers }: Preview): boolean {
  return containers.every(({ isNew, problem }) => isNew || problem !== null);
}

/** Why the restore would not do all of what is asked for: by code, most first. */
export function failuresOf({ containers }: Preview): { code: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { failures } of containers)
    for (const [code, count] of Object.entries(failures)) counts.set(code, (counts.get(code) ?? 0) + count);
  return [...counts].map(([code, count]) => ({ code, count })).sort((a, b) => b.count - a.count);
}
