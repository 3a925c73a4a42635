import { writeLog } from './log.ts';

/** Logs a failure that the host retries: one line when it starts, one line when it is over. */
export class OutageLog {
  #isDown = false;

  started(level: 'information' | 'error', text: string): void {
    if (!this.#isDown) writeLog(level, text);
    this.#isDown = true;
  }

  ended(text: string): void {
    if (this.#isDown) writeLog('information', text);
    this.#isDown = false;
  }
}
