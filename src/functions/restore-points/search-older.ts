import { z } from 'zod';
import type { Reply } from '#api/operation.ts';
import type { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { type NameSearch, nameMatcher, partsToSearch } from '#domain/restore/name-search.ts';
import { isHeld } from '#domain/run/manifest.ts';
import { mayOverlap, type NameRange, widened } from '#domain/run/name-range.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import type { PartEntry, RunSummary } from '#domain/run/run.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { readCursor, writeCursor } from '../http/cursor.ts';
import { foreignCursor } from '../http/http-error.ts';
import { namedJob } from '../run/configured-job.ts';
import { choosePoint } from './choose-restore-point.ts';
import { type Found, foundIn } from './found-name.ts';
import { pointOf, type RunInStore, runsInStore } from './runs-in-store.ts';

/** In place of a restore point: all but the newest, for what no newer one holds. */
export const OLDER = 'older';

/** An answer ends with a cursor after so many reads of parts and summaries, or so many milliseconds. */
const READS_PER_ANSWER = 100;
const ENOUGH_MS = 5_000;

/**
 * Where the next answer continues: in a part, after some of the names that it has. `compared`: the next names were
 * compared with newer restore points, up to one. `left` says by a bit for each name whether none of them holds it.
 */
const positionSchema = z.strictObject({
  point: z.string(),
  part: z.int().nonnegative(),
  row: z.int().nonnegative(),
  compared: z
    .strictObject({ names: z.int().positive().max(500), left: z.string().max(100), upTo: z.string() })
    .optional(),
});
type Position = z.output<typeof positionSchema>;

type Answer = Extract<Reply<typeof OPERATIONS.searchNames>, { status: 200 }>['body'];

interface Page {
  /** All that the cursor belongs to. */
  asked: readonly unknown[];
  cursor: string | undefined;
  limit: number;
}

/**
 * Searches the restore points before the newest, newest first, for blobs that no newer one holds: each is found once,
 * at the newest restore point that holds it. Each restore point has parts of its own, so this is a walk through all of
 * them, in as many answers as it takes. One that is damaged hides no others.
 */
export async function searchOlder(
  deps: Dependencies,
  query: { job?: string | undefined; q: string; match: NameSearch['match']; container?: string | undefined },
  page: Page,
): Promise<Answer> {
  const job = namedJob(deps, query.job);
  const { summary: newest } = await choosePoint(deps, { restorePoint: 'latest', job }, 'verify');
  const runs = (await runsInStore(deps, job)).filter(({ isRemoved }) => !isRemoved);
  const from = page.cursor === undefined ? undefined : readPosition(readCursor(page.cursor, page.asked));
  const wanted = { text: query.q, match: query.match, container: query.container };
  return new OlderSearch(deps, { newest, runs, wanted, page }).from(from);
}

interface Given {
  newest: RunSummary;
  /** Newest first. */
  runs: readonly RunInStore[];
  wanted: NameSearch;
  page: Page;
}

class OlderSearch {
  readonly #given: Given;
  readonly #now: () => Date;
  readonly #began: number;
  readonly #items: Found[] = [];
  readonly #unread = new Map<string, string>();
  readonly #points = new Map<string, Promise<RunSummary | undefined>>();
  #reads = 0;
  /** An answer that has come no further must not end: the next one would not, either. */
  #hasMoved = false;
  #at: Pick<Answer, 'restorePoint' | 'parts'>;

  constructor({ now }: Dependencies, given: Given) {
    this.#given = given;
    this.#now = now;
    this.#began = now().getTime();
    this.#at = at(given.newest, 0, 0);
  }

  async from(start: Position | undefined): Promise<Answer> {
    const { runs, newest } = this.#given;
    const older = runs.filter(({ id }) => id < newest.id && (start === undefined || id <= start.point));
    for (const run of older) {
      const next = await this.#search(run, run.id === start?.point ? start : undefined);
      if (next) return this.#answer(next);
      this.#hasMoved = true;
    }
    return this.#answer();
  }

  /** Searches one run. Returns where the next answer continues, if this one ends. */
  async #search(run: RunInStore, start: Position | undefined): Promise<Position | undefined> {
    let place: Position = start ?? { point: run.id, part: 0, row: 0 };
    if (this.#isEnough) return place;
    const point = await this.#readable(run.id, this.#pointOf(run));
    if (!point) return undefined;
    const parts = partsToSearch(point.parts, this.#given.wanted);
    const isWanted = nameMatcher(this.#given.wanted);
    this.#at = at(point, Math.min(place.part, parts.length), parts.length);
    for (; place.part < parts.length; place = { point: run.id, part: place.part + 1, row: 0 }) {
      if (this.#isEnough) return place;
      const part = parts[place.part]!;
      const outcomes = (await this.#readable(run.id, this.#outcomesOf(run, part))) ?? [];
      const found = outcomes.filter((outcome) => isHeld(outcome) && isWanted(outcome.name));
      while (place.row < found.length) {
        const room = this.#given.page.limit - this.#items.length;
        if (room === 0) return place;
        // A caller who wants fewer names than before gets no more: then they are compared again.
        const before = place.compared && place.compared.names <= room ? place.compared : undefined;
        const some = found.slice(place.row, place.row + (before?.names ?? room));
        const compared = await this.#compare(run, part.container, some, before);
        if ('upTo' in compared) return { ...place, compared };
        this.#items.push(...compared.gone.map((outcome) => foundIn(point, part.container, outcome)));
        this.#hasMoved = true;
        place = { point: run.id, part: place.part, row: place.row + some.length };
      }
      this.#hasMoved = true;
      this.#at = at(point, place.part + 1, parts.length);
    }
    return undefined;
  }

  /** Which of these names no newer restore point holds; or how far the comparison is, if the answer ends. */
  async #compare(
    { id }: RunInStore,
    container: string,
    outcomes: readonly Outcome[],
    before: Position['compared'],
  ): Promise<{ gone: Outcome[] } | NonNullable<Position['compared']>> {
    const left = new Map(outcomes.map((outcome) => [outcome.name, outcome]));
    if (before) for (const [index, { name }] of outcomes.entries()) if (!bitOf(before.left, index)) left.delete(name);
    const from = before?.upTo ?? id;
    // The next newer one most probably holds what this one holds.
    const newer = this.#given.runs.filter((run) => run.id > from).toReversed();
    let upTo: string | undefined;
    for (const run of newer) {
      if (left.size === 0) break;
      if (upTo !== undefined && this.#isEnough) {
        return { names: outcomes.length, left: bits(outcomes.map(({ name }) => left.has(name))), upTo };
      }
      await this.#takeHeld(run, container, left);
      upTo = run.id;
      this.#hasMoved = true;
    }
    return { gone: [...left.values()] };
  }

  /** Takes away what a restore point holds. What cannot be read of it counts as not held: better twice than never. */
  async #takeHeld(run: RunInStore, container: string, left: Map<string, Outcome>): Promise<void> {
    const point = await this.#readable(run.id, this.#pointOf(run));
    for (const part of point?.parts ?? []) {
      const isOther = part.container !== container || part.copied + part.unchanged === 0;
      if (isOther || left.size === 0 || !mayOverlap(part.names, rangeOf(left.keys()))) continue;
      const outcomes = (await this.#readable(run.id, this.#outcomesOf(run, part))) ?? [];
      for (const outcome of outcomes) if (isHeld(outcome)) left.delete(outcome.name);
    }
  }

  /** Undefined if the run left no restore point. */
  #pointOf(run: RunInStore): Promise<RunSummary | undefined> {
    const { newest } = this.#given;
    if (run.id === newest.id) return Promise.resolve(newest);
    let found = this.#points.get(run.id);
    if (!found) {
      this.#reads++;
      found = pointOf(run);
      this.#points.set(run.id, found);
    }
    return found;
  }

  async #outcomesOf({ control }: RunInStore, { path, sha256 }: PartEntry): Promise<Outcome[]> {
    this.#reads++;
    return (await control.readPart<Outcome, object>(path, sha256)).items;
  }

  async #readable<T>(point: string, read: Promise<T>): Promise<T | undefined> {
    try {
      return await read;
    } catch (error) {
      if (!isStorageError(error, 'damaged')) throw error;
      this.#unread.set(point, error.message);
      return undefined;
    }
  }

  get #isEnough(): boolean {
    const isOver = this.#now().getTime() - this.#began >= ENOUGH_MS;
    return this.#hasMoved && (this.#reads >= READS_PER_ANSWER || isOver);
  }

  #answer(next?: Position): Answer {
    const { asked } = this.#given.page;
    const unread = [...this.#unread].map(([id, message]) => ({ id, message }));
    return {
      ...this.#at,
      items: this.#items,
      ...(unread.length > 0 && { unread }),
      next: next ? writeCursor(JSON.stringify(next), asked) : null,
    };
  }
}

function at(
  { id, startedAt }: Pick<RunSummary, 'id' | 'startedAt'>,
  scanned: number,
  total: number,
): Pick<Answer, 'restorePoint' | 'parts'> {
  return { restorePoint: { id, time: startedAt }, parts: { scanned, total } };
}

function rangeOf(names: Iterable<string>): NameRange | undefined {
  let range: NameRange | undefined;
  for (const name of names) range = widened(range, name);
  return range;
}

function bits(flags: readonly boolean[]): string {
  const bytes = Buffer.alloc(Math.ceil(flags.length / 8));
  for (const [index, flag] of flags.entries()) if (flag) bytes[index >> 3]! |= 1 << (index & 7);
  return bytes.toString('base64url');
}

function bitOf(text: string, index: number): boolean {
  const bytes = Buffer.from(text, 'base64url');
  return ((bytes[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}

function readPosition(text: string): Position {
  try {
    return positionSchema.parse(JSON.parse(text));
  } catch {
    throw foreignCursor();
  }
}
