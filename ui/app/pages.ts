import { useState } from 'preact/hooks';
import { type Polled, usePolled } from './poll.ts';

/** A list that the API answers a page at a time. */
export interface Paged<Page> extends Polled<readonly Page[]> {
  isMore: boolean;
  /** Adds the next page. Throws a `CallError`. */
  more(): Promise<void>;
}

/**
 * The first page is asked for as other answers are; further ones when the reader wants them, and what is shown stays
 * meanwhile. If the first page has changed since, what it was follows it: an item may be in both.
 */
export function usePages<Page extends { next: string | null }>(
  about: string,
  load: (cursor: string | undefined, signal?: AbortSignal) => Promise<Page>,
  every?: (first: Page) => number | undefined,
): Paged<Page> {
  const { data: first, ...polled } = usePolled(about, (signal) => load(undefined, signal), every);
  const [kept, setKept] = useState<{ about: string; pages: readonly Page[] }>({ about, pages: [] });
  const earlier = kept.about === about ? kept.pages : [];
  const pages = first === undefined || first === earlier[0] ? earlier : [first, ...earlier];
  const cursor = pages.at(-1)?.next ?? null;
  return {
    ...polled,
    data: first && pages,
    isMore: cursor !== null,
    more: async () => {
      const page = await load(cursor ?? undefined);
      // Another list, or another click, has come first.
      setKept((now) => (now === kept ? { about, pages: [...pages, page] } : now));
    },
  };
}
