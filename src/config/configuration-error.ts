import { redact } from '#domain/redact.ts';

/** One problem of the configuration. `place` is an option, such as `jobs[0].schedule`, or `strongroom.json` itself. */
export interface ConfigurationProblem {
  place: string;
  message: string;
}

/** All problems of the configuration at once. The message is for people and contains no secrets. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  /** At least one. */
  readonly problems: ConfigurationProblem[];

  /** `file` is the file of the configuration. A `hint` follows the list of problems. */
  constructor(file: string, problems: ConfigurationProblem[], hint?: string) {
    const safe = problems.map(({ place, message }) => ({ place: redact(place), message: redact(message) }));
    const count = safe.length === 1 ? 'There is 1 problem' : `There are ${safe.length} problems`;
    const lines = safe.map(({ place, message }) => `  - ${place}: ${message}`);
    super([`${count} in ${file}:`, ...lines, ...(hint ? ['', hint] : [])].join('\n'));
    this.problems = safe;
  }

  /** One error for several files or settings. */
  static join(errors: readonly [ConfigurationError, ...ConfigurationError[]]): ConfigurationError {
    const [first, ...others] = errors;
    first.message = errors.map(({ message }) => message).join('\n\n');
    first.problems.push(...others.flatMap(({ problems }) => problems));
    return first;
  }
}
