import type { Answer } from './answer.ts';
import type { Mark } from './mark.ts';
import { counted, listed, number } from './quantity.ts';

export type Rule = Answer<'getArchive'>;
export type Poison = Answer<'listPoison'>['uploads'][number];
type AnyReceipt = Answer<'listReceipts'>['receipts'][number];
export type ReceiptLine = Extract<AnyReceipt, { name: string }>;
export type Receipt = Exclude<AnyReceipt, ReceiptLine>;

/** Uploads that failed permanently for the same reason. */
export interface PoisonGroup {
  code: string;
  hint: string;
  uploads: Poison[];
}

/** By code, the most frequent first. */
export function groupsOf(uploads: readonly Poison[]): PoisonGroup[] {
  const groups = new Map<string, PoisonGroup>();
  for (const upload of uploads) {
    const group = groups.get(upload.code) ?? { code: upload.code, hint: upload.hint, uploads: [] };
    group.uploads.push(upload);
    groups.set(upload.code, group);
  }
  return [...groups.values()].sort((a, b) => b.uploads.length - a.uploads.length || (a.code < b.code ? -1 : 1));
}

/** `every hour`, and what else makes it look: `events of the queue uploads, and every hour`. */
export function triggerWords({ events, reconcile }: Pick<Rule, 'events' | 'reconcile'>): string {
  const event =
    events === null
      ? []
      : [
          ...(events.blobTrigger === 'scan' ? ['scans of the container'] : []),
          ...(events.blobTrigger === 'event-grid' ? ['events of Event Grid'] : []),
          ...(events.queue === undefined ? [] : [`messages of the queue ${events.queue}`]),
        ];
  return listed([...event, `a reconciliation ${reconcile.words}`]);
}

/** The container that uploads are archived in. */
export function archiveContainer({ source, destination }: Pick<Rule, 'source' | 'destination'>): string {
  return destination.container.split('{container}').join(source.container);
}

/** `5,020 archived · 1 failed · 2 missed`. */
export function receiptWords({ receipts }: Pick<Rule, 'receipts'>): string {
  const { done, claimed, failed, missed, settled, isComplete } = receipts;
  const parts = [
    `${number(done)} archived`,
    ...(claimed > 0 ? [`${number(claimed)} in progress`] : []),
    ...(failed > 0 ? [`${number(failed)} failed`] : []),
    ...(missed > 0 ? [`${number(missed)} missed`] : []),
    ...(settled > 0 ? [`${number(settled)} settled`] : []),
  ];
  return `${isComplete ? '' : 'at least '}${parts.join(' · ')}`;
}

/** How many failed permanently; `isComplete` is false if there are more than could be counted. */
export function poisonWords({ poison }: Pick<Rule, 'poison'>): string {
  const { open, isComplete } = poison;
  if (open === 0) return 'no upload failed permanently';
  return `${isComplete ? '' : 'at least '}${counted(open, 'upload')} failed permanently`;
}

const STATES: Readonly<Record<string, Mark>> = {
  done: { tone: 'good', shape: 'check', word: 'archived' },
  claimed: { tone: 'busy', shape: 'dot', word: 'in progress' },
  failed: { tone: 'bad', shape: 'cross', word: 'failed' },
  missed: { tone: 'warn', shape: 'dash', word: 'missed' },
  settled: { tone: 'quiet', shape: 'dash', word: 'settled' },
};

/** How an upload stands, by the state of its receipt. A state that is not known is shown by its name. */
export function markOfReceipt(state: string): Mark {
  return STATES[state] ?? { tone: 'quiet', shape: 'question', word: state };
}

export function isLine(receipt: AnyReceipt): receipt is ReceiptLine {
  return 'name' in receipt;
}
