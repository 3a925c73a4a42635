import type { NameOrder } from '../blobs/name-order.ts';
import type { Held, Outcome } from './outcome.ts';
import type { PartEntry } from './run.ts';

/**
 * The manifest of one container in pages. A page has parts that cover the same range of names, so it is small whatever
 * the size of the container, and pages are in the order of the listing. The parts of a retry follow those of the run
 * that it completes, and start a new pass over the names.
 */
export interface ManifestPage {
  parts: PartEntry[];
  /** The run that wrote the parts. Another run starts a new pass. */
  run: string;
}

/** Where reading a manifest in parallel with listings can resume: the page, and the page of each listing. */
export interface ManifestPosition {
  page: number;
  vault?: string | undefined;
  target?: string | undefined;
}

export function manifestPages(parts: readonly PartEntry[], container: string): ManifestPage[] {
  const own = parts.filter((part) => part.container === container);
  const first = own[0] && placeOf(own[0]).run;
  const pages = new Map<string, ManifestPage>();
  for (const part of own) {
    const { run, slice, chunk } = placeOf(part);
    // A retry plans all failures in one slice: its chunks have the ranges of names there.
    const key = run === first ? `${run} ${slice}` : `${run} ${slice} ${chunk}`;
    const page = pages.get(key);
    if (page) page.parts.push(part);
    else pages.set(key, { run, parts: [part] });
  }
  return [...pages.values()];
}

/** Whether an outcome is a blob of the restore point. The others say why the restore point lacks one. */
export function isHeld<Line extends Pick<Outcome, 'status'>>(outcome: Line): outcome is Line & Pick<Held, 'status'> {
  return outcome.status === 'copied' || outcome.status === 'unchanged';
}

/**
 * The outcomes of parts as one list, in the order of the listing. Each part is `sorted` as it was listed, and `order`
 * learns from it. The parts of a retry are not sorted: it takes its blobs from several parts, one after another.
 */
export function inListedOrder(parts: readonly Outcome[][], order: NameOrder, sorted = true): Outcome[] {
  if (sorted) {
    for (const items of parts) {
      for (let index = 1; index < items.length; index++) order.observe(items[index - 1]!.name, items[index]!.name);
    }
    if (parts.length === 1) return parts[0]!;
  }
  return parts.flat().sort((a, b) => order.compare(a.name, b.name));
}

function placeOf({ path }: PartEntry): { run: string; slice: string; chunk: string | undefined } {
  const steps = path.split('/');
  const [slice, , chunk] = steps.at(-1)!.split('-');
  return { run: steps[3]!, slice: slice!, chunk };
}
