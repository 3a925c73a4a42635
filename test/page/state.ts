import type { Page } from 'playwright-core';
import type { Answers } from './page-server.ts';

/** A screen in one of its states. */
export interface State {
  /** As a file name, too: `overview-all-well`. */
  name: string;
  /** Below `/ui`. */
  path: string;
  answers: Answers;
  /** What the screen must say. */
  says: readonly (string | RegExp)[];
  /** What a reader does there before the state is the one that is meant. */
  does?: (page: Page) => Promise<void>;
  /** Errors in the console that belong to the state, such as of an answer 500. */
  expects?: RegExp;
}

/** When every state is: times in the answers are before or after it. */
export const NOW = new Date('2026-11-30T12:00:00.000Z');
