import { writeLog } from './log.ts';

/** What keeps something from working that is tried again and again: it is said once when it begins, and once when it is over. */
export class Trouble {
  #there = false;

  begins(level: 'information' | 'error', text: string): void {
    if (!this.#there) writeLog(level, text);
    this.#there = true;
  }

  ends(text: string): void {
    if (this.#there) writeLog('information', text);
    this.#there = false;
  }
}
