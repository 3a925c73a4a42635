import type { ExitCode } from '../../host/exit-codes.ts';
import type { Session } from '../session.ts';
import type { Input } from './input.ts';

/** Names that only the app, the contexts or the file system know; completion offers them. */
export type Names = 'job' | 'rule' | 'job-or-rule' | 'run' | 'point' | 'account' | 'context' | 'file';

export interface Option {
  /** What follows it. `texts` may be given several times. */
  takes: 'nothing' | 'text' | 'texts' | 'count' | 'time' | 'duration';
  /** Stands for the value in help. */
  placeholder?: string;
  oneOf?: readonly string[];
  completes?: Names;
  about: string;
}

export interface Argument {
  /** In capitals. */
  name: string;
  isOptional?: true;
  isMany?: true;
  oneOf?: readonly string[];
  completes?: Names;
}

/** What a command prints, which decides the formats that it has. */
export type Prints = 'list' | 'board' | 'document' | 'run' | 'watch' | 'text';

export interface Command {
  /** `['runs', 'list']`, or one word. */
  path: readonly [noun: string, verb?: string];
  /** One sentence without a full stop. */
  about: string;
  /** More, for the help of this command. */
  details?: string;
  arguments?: readonly Argument[];
  options?: Readonly<Record<string, Option>>;
  prints: Prints;
  /** Command lines without `strongroom`, each with what it does. */
  examples: readonly (readonly [line: string, what: string])[];
  run(session: Session, input: Input): Promise<ExitCode>;
}

/** Checks that each is a command, and keeps the list. */
export function commands(...all: Command[]): readonly Command[] {
  return all;
}
