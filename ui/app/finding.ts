import { signal } from '@preact/signals';
import type { ApiError } from '../model/answer.ts';
import { isFull, NOT_SEARCHED, type Search, withoutNewest, withPage } from '../model/find.ts';
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

  /** Searches the newest restore point, or continues where the search was stopped. */
  begin(): Promise<void> {
    return this.#look();
  }

  /** Searches all earlier restore points, newest first, for what no newer one holds. */
  beginOlder(): Promise<void> {
    this.stop();
    this.state.value = { ...this.state.peek(), search: withoutNewest(this.state.peek().search) };
    return this.#look();
  }

  /** Page by page: the rest of the newest restore point, or of all earlier ones. */
  async #look(): Promise<void> {
    this.stop();
    const end = new AbortController();
    this.#end = end;
    this.state.value = { ...this.state.peek(), isLooking: true, error: undefined };
    let error: ApiError | undefined;
    let { search } = this.state.peek();
    // A cursor counts for the same words only.
    const restorePoint = search.done === 'nothing' ? undefined : 'older';
    try {
      do {
        const query = { ...this.#query, restorePoint, cursor: search.current?.cursor };
        const page = await get('searchNames', 'search', query, end.signal);
        if (end.signal.aborted) return;
        search = withPage(search, page);
        this.state.value = { search, isLooking: true, error: undefined };
      } while (search.current !== null && !isFull(search));
    } catch (failure) {
      if (end.signal.aborted) return;
      if (!(failure instanceof CallError)) throw failure;
      error = failure.problem;
    }
    this.state.value = { search, isLooking: false, error };
  }

  get #query() {
    const { text, match, job, container } = this.#wanted;
    return { q: text, match, job, container, limit: 200 };
  }
}
