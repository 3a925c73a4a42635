import { setTimeout as sleep } from 'node:timers/promises';
import { writeLog } from '../log.ts';

/** Milliseconds until a wrong key is answered. */
const DELAY = 1_000;
/** Milliseconds between two lines in the log. */
const INTERVAL = 60_000;

/** Slows down callers that guess keys, and logs them: the first at once, then one line a minute. */
export class WrongKeys {
  #unlogged = 0;
  #last = '';
  #waits = false;

  /** Resolves when the call may be answered. */
  async received(address = 'an unknown address'): Promise<void> {
    this.#unlogged++;
    this.#last = address;
    if (!this.#waits) this.#log();
    await sleep(DELAY, undefined, { ref: false });
  }

  #log(): void {
    this.#waits = this.#unlogged > 0;
    if (!this.#waits) return;
    const calls = this.#unlogged === 1 ? '1 call' : `${this.#unlogged} calls`;
    writeLog('warning', `${calls} with a wrong key refused, the last one from ${this.#last}`);
    this.#unlogged = 0;
    setTimeout(() => this.#log(), INTERVAL).unref();
  }
}
