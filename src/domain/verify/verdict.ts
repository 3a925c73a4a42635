import type { RunSummary } from '../run/run.ts';
import { tableOfTask } from '../run/task-name.ts';
import { proofOf } from './proof.ts';

/**
 * What a verification looked at, and what it found, as a part of a sentence. It never says more than was read: a
 * restore point of which a portion was read is not called sound. Undefined if it did not finish.
 */
export function verdictOf(summary: RunSummary): string | undefined {
  const proof = summary.verify && proofOf(summary, summary.verify);
  if (!proof) return undefined;
  const { kind, items, read, failed } = proof;
  const isDrill = kind === 'drill';
  const found = failed > 0 ? `${grouped(failed)} wrong or not checked` : isDrill ? 'all equal' : 'none wrong';
  const { skipped } = summary.counts;
  const wrong = skipped > 0 ? `${found}, ${grouped(skipped)} skipped` : found;
  if (isDrill) return `a drill restored ${restoredIn(summary)}, ${wrong}`;
  if (kind === 'deep') return `${grouped(read)} of ${counted(items, 'item')} read, ${wrong}`;
  // The entities of tables have no listing.
  const how = read > 0 ? `${grouped(read)} of them read, the others by listing only` : 'by listing only';
  return `${counted(items, 'item')} checked, ${how}, ${wrong}`;
}

function restoredIn({ containers }: RunSummary): string {
  const sum = (isTable: boolean) =>
    containers
      .filter(({ container }) => (tableOfTask(container) !== undefined) === isTable)
      .reduce((all, { counts }) => all + counts.unchanged, 0);
  const [blobs, entities] = [sum(false), sum(true)];
  const words = [
    ...(blobs > 0 || entities === 0 ? [counted(blobs, 'blob')] : []),
    ...(entities > 0 ? [counted(entities, 'entity', 'entities')] : []),
  ];
  return words.join(' and ');
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
