import { redact } from '#domain/redact.ts';

/** One thing that is wrong with the configuration: `place` is like `jobs[0].schedule`, or `strongroom.json` itself. */
export interface ConfigurationProblem {
  place: string;
  message: string;
}

/** Everything that is wrong with the configuration, at once. The message is for people and holds no secret. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  /** At least one. */
  readonly problems: ConfigurationProblem[];

  /** `file`: where the configuration came from. A `hint` is added below the list. */
  constructor(file: string, problems: ConfigurationProblem[], hint?: string) {
    const safe = problems.map(({ place, message }) => ({ place: redact(place), message: redact(message) }));
    const count = safe.length === 1 ? 'There is 1 problem' : `There are ${safe.length} problems`;
    const lines = safe.map(({ place, message }) => `  - ${place}: ${message}`);
    super([`${count} in ${file}:`, ...lines, ...(hint ? ['', hint] : [])].join('\n'));
    this.problems = safe;
  }
}
