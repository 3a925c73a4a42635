import type { Answer } from './answer.ts';
import { counted, listed, number } from './quantity.ts';

export type ApiPoint = Answer<'listRestorePoints'>['restorePoints'][number];
type Lacks = NonNullable<ApiPoint['lacks']>;

/** How much of what was listed a restore point holds. */
export type Wholeness = 'whole' | 'lacks' | 'damaged';

/** What a restore point is marked with: each has a word and a shape of its own. */
export type Mark = 'held' | 'brake' | 'marked' | 'emptied';

export function wholenessOf({ problem, lacks }: Pick<ApiPoint, 'problem' | 'lacks'>): Wholeness {
  if (problem !== undefined || lacks === null) return 'damaged';
  return lackWords(lacks) === '' ? 'whole' : 'lacks';
}

/** What it lacks: `14 blobs and the container tenant-7`; empty if nothing. */
export function lackWords({ skipped, failed, containers, tables }: Lacks): string {
  return listed([
    ...(failed > 0 ? [`${number(failed)} that failed`] : []),
    ...(skipped > 0 ? [`${number(skipped)} that ${skipped === 1 ? 'was' : 'were'} skipped`] : []),
    ...asAWhole(containers, 'container'),
    ...asAWhole(tables, 'table'),
  ]);
}

function asAWhole(names: readonly string[], one: string): string[] {
  if (names.length === 0) return [];
  return [
    names.length <= 3 ? `the ${one}${names.length === 1 ? '' : 's'} ${listed(names)}` : counted(names.length, one),
  ];
}

export function marksOf({ hold, brake, removed }: Pick<ApiPoint, 'hold' | 'brake' | 'removed'>): Mark[] {
  return [
    ...(hold ? (['held'] as const) : []),
    ...(brake && brake.released === undefined ? (['brake'] as const) : []),
    ...(removed ? ([removed.emptied === undefined ? 'marked' : 'emptied'] as const) : []),
  ];
}

/** Whether it can be restored, browsed and verified. */
export function isUsable(point: Pick<ApiPoint, 'removed' | 'problem'>): boolean {
  return point.removed === undefined && point.problem === undefined;
}

/** What it holds: `5,018 blobs and 48,211 entities`. */
export function contentWords(point: Pick<ApiPoint, 'blobs' | 'entities'>): string {
  return listed(contentLines(point));
}

export function contentLines({ blobs, entities }: Pick<ApiPoint, 'blobs' | 'entities'>): string[] {
  if (blobs === null && entities === null) return ['not known'];
  return [
    ...(blobs || !entities ? [counted(blobs ?? 0, 'blob')] : []),
    ...(entities ? [counted(entities, 'entity', 'entities')] : []),
  ];
}

export type ApiProof = ApiPoint['verifications'][number];

/**
 * What a verification shows. `listed`: it found nothing wrong, and read nothing. A listing proves less than content,
 * and is never shown as if it were the same.
 */
export type ProofState = 'sound' | 'listed' | 'damaged';

export function proofState({ kind, failed }: Pick<ApiProof, 'kind' | 'failed'>): ProofState {
  if (failed > 0) return 'damaged';
  return kind === 'quick' ? 'listed' : 'sound';
}

/** `deep, 251 of 5,018 read, nothing wrong`. */
export function proofWords({ kind, portion, items, read, failed }: ApiProof): string {
  const wrong = failed === 0 ? 'nothing wrong' : `${number(failed)} not as backed up, or not checked`;
  if (kind === 'quick') return `quick: ${number(items)} compared with listings of the vault, ${wrong}`;
  if (kind === 'drill') return `drill: ${number(read)} restored and compared, ${wrong}`;
  return `deep${portion === undefined ? '' : ` ${portion}`}: ${number(read)} of ${number(items)} read and compared, ${wrong}`;
}

/** In a list: `deep 5%`. */
export function proofBrief({ kind, portion, failed }: ApiProof): string {
  return `${kind}${portion === undefined ? '' : ` ${portion}`}${failed > 0 ? `: ${number(failed)} wrong` : ''}`;
}

/** The newest restore point that a restore may take while a safety brake is engaged, and those after it. */
export function beforeBrake(
  points: readonly ApiPoint[],
  job: string,
): { isEngaged: boolean; good: ApiPoint | undefined } {
  const own = points.filter((point) => point.job === job && isUsable(point));
  const last = own.findLastIndex((point) => marksOf(point).includes('brake'));
  return { isEngaged: last >= 0, good: last < 0 ? own[0] : own[last + 1] };
}
