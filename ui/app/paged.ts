import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../model/answer.ts';
import { CallError } from './api.ts';
import { type Polled, usePolled } from './poll.ts';

/** A list that is loaded page by page. */
export interface Paged<Page> extends Polled<Page[]> {
  isMore: boolean;
  isBusy: boolean;
  /** Why the last page was not loaded. */
  moreError: ApiError | undefined;
  /** Loads the next page; those that are there stay. */
  more(): void;
}

/** Asks for the first page at once, and for each other one when it is wanted: each page once. */
export function usePaged<Page extends { next: string | null }>(
  about: string,
  load: (cursor: string | undefined, signal: AbortSignal) => Promise<Page>,
): Paged<Page> {
  const first = usePolled(about, (signal) => load(undefined, signal));
  // Pages belong to the first one: its cursor led to them.
  const [later, setLater] = useState<{ of: Page | undefined; pages: Page[] }>({ of: undefined, pages: [] });
  const [asked, setAsked] = useState<{ of: Page; error?: ApiError } | undefined>(undefined);
  const end = useRef(new AbortController());
  useEffect(() => {
    end.current = new AbortController();
    return () => end.current.abort();
  }, [first.data]);
  const pages = first.data && [first.data, ...(later.of === first.data ? later.pages : [])];
  const cursor = pages?.at(-1)?.next ?? null;
  const own = asked !== undefined && asked.of === first.data ? asked : undefined;
  const isBusy = own !== undefined && own.error === undefined;
  const more = async () => {
    const of = first.data;
    if (of === undefined || cursor === null || isBusy) return;
    const { signal } = end.current;
    setAsked({ of });
    try {
      const page = await load(cursor, signal);
      if (signal.aborted) return;
      setLater((before) => ({ of, pages: [...(before.of === of ? before.pages : []), page] }));
      setAsked(undefined);
    } catch (failure) {
      if (signal.aborted) return;
      if (!(failure instanceof CallError)) throw failure;
      setAsked({ of, error: failure.problem });
    }
  };
  return {
    ...first,
    data: pages,
    ...{ isMore: cursor !== null, isBusy, moreError: own?.error },
    more: () => void more(),
  };
}
