import type { AnswerOf } from '../connect/api.ts';

export type PreviewPage = AnswerOf<'previewRestore'>;
type Container = PreviewPage['containers'][number];

/** What a restore would do, of all answers so far. */
export interface Preview {
  page: PreviewPage;
  totals: PreviewPage['totals'];
  containers: Container[];
  examples: PreviewPage['examples'];
  /** Whether it is of everything that the restore selects. */
  isComplete: boolean;
}

/** Names of each kind that a preview shows. */
const MOST_EXAMPLES = 20;

/** Adds up the answers; tables and what is left out are in the first one only. There is at least one. */
export function previewOf(pages: readonly PreviewPage[]): Preview {
  const [page] = pages as readonly [PreviewPage, ...PreviewPage[]];
  const containers = new Map<string, Container>();
  for (const each of pages.flatMap((of) => of.containers)) {
    const before = containers.get(each.container);
    containers.set(each.container, before ? sumOfContainers(before, each) : each);
  }
  return {
    page,
    totals: pages.map(({ totals }) => totals).reduce(sumOf),
    containers: [...containers.values()],
    examples: {
      replaced: pages.flatMap(({ examples }) => examples.replaced).slice(0, MOST_EXAMPLES),
      failed: pages.flatMap(({ examples }) => examples.failed).slice(0, MOST_EXAMPLES),
    },
    isComplete: pages.at(-1)?.next === null,
  };
}

function sumOfContainers(one: Container, other: Container): Container {
  const failures = { ...one.failures };
  for (const [code, count] of Object.entries(other.failures)) failures[code] = (failures[code] ?? 0) + count;
  return { ...one, ...sumOf(one, other), failures, problem: one.problem ?? other.problem };
}

function sumOf<Counts extends PreviewPage['totals']>(one: Counts, other: PreviewPage['totals']): PreviewPage['totals'] {
  return {
    items: one.items + other.items,
    bytes: one.bytes + other.bytes,
    new: one.new + other.new,
    replaced: one.replaced + other.replaced,
    unchanged: one.unchanged + other.unchanged,
    skipped: one.skipped + other.skipped,
    failed: one.failed + other.failed,
    rehydrated: one.rehydrated + other.rehydrated,
  };
}

/** Replaced blobs from which a person has to type the name of the job. */
const MANY = 1000;

/** What a person has to say before the restore starts: nothing less than it puts at risk. */
export function questionOf({ totals, page, isComplete }: Preview): 'yes' | 'name' {
  const { existing, tables } = page;
  const writesOverEntities = tables.length > 0 && ['overwrite', 'if-different', 'replace', 'merge'].includes(existing);
  const mayReplaceMore = !isComplete && ['overwrite', 'if-different', 'replace'].includes(existing);
  return totals.replaced > MANY || writesOverEntities || mayReplaceMore ? 'name' : 'yes';
}

/** Whether everything that a restore selects is there already, or would fail. */
export function writesNothing({ totals, page, isComplete }: Preview): boolean {
  return isComplete && totals.new + totals.replaced === 0 && page.tables.length === 0;
}

/** Whether a restore would change or lack anything, so that a person has to look at it first. */
export function needsLook({ totals, page, containers, isComplete }: Preview): boolean {
  const hasProblem = containers.some(({ problem }) => problem !== null) || page.leftOut.length > 0;
  return totals.replaced > 0 || totals.failed > 0 || hasProblem || page.tables.length > 0 || !isComplete;
}
