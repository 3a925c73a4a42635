import type { Usage } from '../process-usage.ts';
import type { CountedServer } from '../servers/counted-server.ts';

/** A program that copies a source to a vault. */
export interface Contender {
  name: string;
  /** The account that it copies to, which no other contender uses. */
  vault: string;
  /** Removes what it left on this machine. */
  remove?(): void;
  run(place: { server: CountedServer; source: string; step: Step }): Promise<Usage>;
}

export type Step = 'first' | 'unchanged' | 'overwritten';
