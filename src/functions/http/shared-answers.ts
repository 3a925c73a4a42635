import type { Dependencies } from '#app/dependencies.ts';

/** How many answers are kept. The report of a run with 1,000 containers has a quarter of a megabyte. */
const MOST = 64;

interface Shared<Answer> {
  answer: Promise<Answer>;
  /** Until when it is for others, too. */
  until: number;
  /** How many changes there were before it was asked for. */
  changes: number;
}

const changes = new WeakMap<Dependencies, number>();

function changesBy(deps: Dependencies): number {
  return changes.get(deps) ?? 0;
}

/** Notes that a call has changed something: the next caller must see it. */
export function endSharedAnswers(deps: Dependencies): void {
  changes.set(deps, changesBy(deps) + 1);
}

/**
 * Asks storage as often as time passes, and not as often as people look: who comes soon after another caller gets the
 * same answer. It counts from when it was asked for, since what it says may be as old. A failure is only for those who
 * wait for it.
 */
export class SharedAnswers<Answer> {
  readonly #deps: Dependencies;
  readonly #milliseconds: number;
  readonly #answers = new Map<string, Shared<Answer>>();

  constructor(deps: Dependencies, milliseconds = deps.limits.sharedMs) {
    this.#deps = deps;
    this.#milliseconds = milliseconds;
  }

  /** `question`: everything that decides the answer. */
  get(question: readonly unknown[], ask: () => Promise<Answer>): Promise<Answer> {
    const key = JSON.stringify(question);
    const known = this.#answers.get(key);
    if (known && this.#now() < known.until && known.changes === changesBy(this.#deps)) return known.answer;
    const until = this.#now() + this.#milliseconds;
    const shared = { answer: ask(), until, changes: changesBy(this.#deps) };
    this.#answers.delete(key);
    this.#answers.set(key, shared);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > MOST) this.#answers.delete(oldest!);
    shared.answer.catch(() => {
      shared.until = 0;
    });
    return shared.answer;
  }

  #now(): number {
    return this.#deps.now().getTime();
  }
}
