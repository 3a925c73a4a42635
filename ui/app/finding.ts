import { signal } from '@preact/signals';
import type { ApiError } from '../model/answer.ts';
import {
  isFull,
  NOT_SEARCHED,
  olderPoint,
  type PointTime,
  type Search,
  withoutPoint,
  withPage,
} from '../model/find.ts';
import { CallError, get } from './api.ts';

/** What is searched for. `match` is as the API names it. */
export interface Wanted {
  text: string;
  match: string;
  job: string;
  container: string;
}

export interface Finding {
  search: Search;
  isLooking: boolean;
  error: ApiError | undefined;
}

/** The last searches of this tab: who goes back finds them as they were. */
const kept = new Map<string, SearchInTab>();
const MOST_KEPT = 20;

export function searchFor(wanted: Wanted): SearchInTab {
  const about = JSON.stringify(wanted);
  const found = kept.get(about) ?? new SearchInTab(wanted);
  kept.delete(about);
  kept.set(about, found);
  for (const [oldest, search] of kept) {
    if (kept.size <= MOST_KEPT) break;
    search.stop();
    kept.delete(oldest);
  }
  return found;
}

export function forgetSearches(): void {
  for (const search of kept.values()) search.stop();
  kept.clear();
}

/** A search that asks for one page after another, until it has enough or is stopped. What it has found stays. */
class SearchInTab {
  readonly state = signal<Finding>({ search: NOT_SEARCHED, isLooking: false, error: undefined });
  readonly #wanted: Wanted;
  #end = new AbortController();
  /** The restore point that is being searched; undefined is the newest. A cursor counts for the same words only. */
  #asked: PointTime | undefined;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  /** Whether it has begun. */
  get isNew(): boolean {
    const { search, isLooking, error } = this.state.peek();
    return search === NOT_SEARCHED && !isLooking && error === undefined;
  }

  stop(): void {
    this.#end.abort();
    this.state.value = { ...this.state.peek(), isLooking: false };
  }

  /** Searches the newest restore point, or continues where it was stopped. */
  begin(): Promise<void> {
    return this.#look(null);
  }

  /** Searches earlier restore points, too, newest first, until there is none left. */
  beginOlder(points: readonly PointTime[]): Promise<void> {
    return this.#look(points);
  }

  async #look(points: readonly PointTime[] | null): Promise<void> {
    this.stop();
    const end = new AbortController();
    this.#end = end;
    this.state.value = { ...this.state.peek(), isLooking: true, error: undefined };
    let error: ApiError | undefined;
    for (;;) {
      const { search } = this.state.peek();
      const next = search.current === null ? nextPoint(search, points) : 'current';
      if (next === undefined || isFull(search)) break;
      if (next !== 'current') this.#asked = next === 'latest' ? undefined : next;
      try {
        const query = { ...this.#query, restorePoint: this.#asked?.id, cursor: search.current?.cursor };
        const page = await get('searchNames', 'search', query, end.signal);
        if (end.signal.aborted) return;
        this.state.value = { search: withPage(search, page), isLooking: true, error: undefined };
      } catch (failure) {
        if (end.signal.aborted) return;
        if (!(failure instanceof CallError)) throw failure;
        error = failure.problem;
        const isPassed = this.#asked !== undefined && NOTHING_THERE.includes(error.code);
        if (!isPassed) break;
        error = undefined;
        this.state.value = { search: withoutPoint(search, this.#asked!), isLooking: true, error };
      }
    }
    this.state.value = { ...this.state.peek(), isLooking: false, error };
  }

  get #query() {
    const { text, match, job, container } = this.#wanted;
    return { q: text, match, job, container, limit: 200 };
  }
}

/** A restore point that does not have the container, or was removed meanwhile, is no reason to stop. */
const NOTHING_THERE: readonly string[] = ['container-not-held', 'point-removed'];

function nextPoint(search: Search, points: readonly PointTime[] | null): PointTime | 'latest' | undefined {
  if (points !== null) return olderPoint(points, search);
  return search.done.length === 0 ? 'latest' : undefined;
}
