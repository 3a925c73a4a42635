import type { Sink } from '../world.ts';
import { visible } from './visible.ts';
import { shortened } from './width.ts';

/** Milliseconds between two lines where no terminal shows them. */
const INTERVAL = 10_000;

/** One line about what is going on, on stderr: rewritten in place at a terminal, elsewhere every ten seconds. */
export class ProgressLine {
  readonly #sink: Sink;
  readonly #now: () => Date;
  #printedAt: number;
  #isShown = false;

  constructor(sink: Sink, now: () => Date) {
    this.#sink = sink;
    this.#now = now;
    this.#printedAt = now().getTime();
  }

  show(text: string): void {
    if (this.#sink.isTTY) {
      this.#isShown = true;
      this.#sink.write(`\r\x1b[K${shortened(visible(text), (this.#sink.columns || 80) - 1)}`);
      return;
    }
    const now = this.#now().getTime();
    if (now - this.#printedAt < INTERVAL) return;
    this.#printedAt = now;
    this.#sink.write(`${visible(text)}\n`);
  }

  /** Before anything else is printed. */
  clear(): void {
    if (this.#isShown) this.#sink.write('\r\x1b[K');
    this.#isShown = false;
  }
}
