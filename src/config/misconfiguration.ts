import { redact } from '#domain/redact.ts';
import { ConfigurationError, type ConfigurationProblem } from './configuration-error.ts';

/** Why the app cannot start. Contains no secrets. */
export interface Misconfiguration {
  /** At least one. */
  problems: ConfigurationProblem[];
  /** All of it, for people. */
  text: string;
}

/** What the owner of the app has to mend, from any error of its start. */
export function misconfigurationOf(error: unknown): Misconfiguration {
  if (error instanceof ConfigurationError) return { problems: error.problems, text: error.message };
  // Without its stack: the message names what is missing or cannot be read.
  const message = redact(error instanceof Error ? error.message : String(error));
  return {
    problems: [{ place: 'the app', message }],
    text: `The app cannot start: ${message}\nDeploy it again from a complete build. If that does not help, report it.`,
  };
}
