import type { Usage } from '../process-usage.ts';
import type { CountedServer } from '../servers/counted-server.ts';

/** Something that can bring a vault up to date with a source. */
export interface Contender {
  name: string;
  /** The account of the server that it copies into; nobody else does. */
  vault: string;
  /** What it left on this machine. */
  remove?(): void;
  run(place: { server: CountedServer; source: string; step: Step }): Promise<Usage>;
}

export type Step = 'first' | 'unchanged' | 'overwritten';
