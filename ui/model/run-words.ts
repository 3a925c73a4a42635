import type { Answer } from './answer.ts';
import { bytes, counted, number } from './quantity.ts';

export type RunRow = Answer<'listRuns'>['runs'][number];
export type Report = Answer<'getRun'>;

/** What a run does, as a noun: `backup`, `full backup`, `restore`. */
const NOUNS: Readonly<Record<string, string>> = {
  full: 'full backup',
  incremental: 'backup',
  retry: 'retry',
  restore: 'restore',
  verify: 'verification',
  prune: 'prune',
  reconcile: 'reconciliation',
  reprocess: 'reprocessing',
};

export const MODES = Object.keys(NOUNS);
const BACKUPS = new Set(['full', 'incremental', 'retry']);

export function nounOf(mode: string): string {
  return NOUNS[mode] ?? mode;
}

export function isBackup({ mode }: { mode: string }): boolean {
  return BACKUPS.has(mode);
}

type Asked = Pick<RunRow, 'mode' | 'dryRun'> & {
  restore?: { account: string; container: string; table: string; point: string } | undefined;
  verify?: { kind: string; point: string } | undefined;
  prune?: { plan?: unknown } | undefined;
};

/** What a run was asked for: `backup`, `deep verification`, `restore into images-restored`, `plan of a prune`. */
export function titleOf({ mode, dryRun, restore, verify, prune }: Asked): string {
  if (mode === 'verify' && verify) {
    return verify.kind === 'drill' ? 'drill' : `${verify.kind} verification`;
  }
  if (mode === 'prune') return prune?.plan ? 'prune' : 'plan of a prune';
  const noun = mode === 'restore' && restore ? `restore into ${placeOf(restore)}` : nounOf(mode);
  return dryRun ? `preview of a ${noun}` : noun;
}

/** Where a restore writes to; in a template, `{container}` stands for each container. */
export function placeOf({ account, container, table }: { account: string; container: string; table: string }): string {
  const isSame = (template: string, name: string) => template === '' || template === `{${name}}`;
  if (isSame(container, 'container') && isSame(table, 'table')) return account;
  return `${account} / ${isSame(container, 'container') ? table : container}`;
}

/** Who started it: `by schedule`, `by ada@example.net`, `by the key ci`. */
export function starterOf({ by, trigger }: { by?: RunRow['by']; trigger: string }): string {
  if (!by) return trigger === 'timer' ? 'by schedule' : '';
  if (by.via === 'schedule') return 'by schedule';
  if (by.name !== null) return by.via === 'key' ? `by the key ${by.name}` : `by ${by.name}`;
  return by.via === 'loopback' ? 'on this machine' : 'with a key';
}

type Numbers = Readonly<Record<string, number | undefined>>;
type Ran = Pick<RunRow, 'mode' | 'dryRun'> & { counts?: Numbers | undefined; bytes?: Numbers | undefined };

/** What has come of a run, in a line: counts that are not 0, in the words of its mode. */
export function resultOf({ mode, dryRun, counts = {}, bytes: size = {} }: Ran): string {
  const { listed: all = 0, copied = 0, unchanged = 0, skipped = 0, failed = 0, removed = 0, planned = 0 } = counts;
  const some = (count: number, word: string) => (count > 0 ? [`${number(count)} ${word}`] : []);
  const rest = [...some(skipped, 'skipped'), ...some(failed, 'failed')];
  if (mode === 'prune') {
    const [count, word, freed] = dryRun ? [planned, 'to delete', size.planned] : [removed, 'deleted', size.removed];
    return [`${number(count)} ${word}${freed ? `, ${bytes(freed)}` : ''}`, ...some(failed, 'failed')].join(', ');
  }
  if (dryRun) return [`${number(planned)} to copy`, ...some(unchanged, 'unchanged'), ...rest].join(', ');
  if (mode === 'verify') return [`${counted(all, 'item')} listed`, ...some(failed, 'missing or different')].join(', ');
  const word = { restore: 'restored', reconcile: 'archived', reprocess: 'archived' }[mode] ?? 'copied';
  const parts = [...some(copied, word), ...some(unchanged, mode === 'restore' ? 'the same' : 'unchanged'), ...rest];
  return parts.length > 0 ? parts.join(', ') : all === 0 ? 'nothing to do' : `${counted(all, 'item')} listed`;
}

/** What a restore point holds: `5,018 blobs, 188 MB`. */
export function contentOf(held: { blobs: number | null; entities: number | null; bytes: number | null }): string {
  const { blobs, entities, bytes: size } = held;
  return [
    ...(blobs ? [counted(blobs, 'blob')] : []),
    ...(entities ? [counted(entities, 'entity', 'entities')] : []),
    ...(size ? [bytes(size)] : []),
  ].join(', ');
}
