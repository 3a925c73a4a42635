import { UsageError } from '../cli-error.ts';

export type Value = string | boolean | string[];

/** What a person has given to a command. Its values are checked. */
export class Input {
  readonly #options: ReadonlyMap<string, Value>;
  readonly arguments: readonly string[];

  constructor(options: ReadonlyMap<string, Value>, given: readonly string[]) {
    this.#options = options;
    this.arguments = given;
  }

  has(name: string): boolean {
    return this.#options.has(name);
  }

  text(name: string): string | undefined {
    const value = this.#options.get(name);
    return typeof value === 'string' ? value : undefined;
  }

  /** Throws UsageError without it. */
  required(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw new UsageError(`--${name} is required.`);
    return value;
  }

  texts(name: string): string[] {
    const value = this.#options.get(name);
    return Array.isArray(value) ? value : [];
  }

  count(name: string): number | undefined {
    const value = this.text(name);
    return value === undefined ? undefined : Number(value);
  }

  /** The argument at a place; empty if it is optional and absent. */
  argument(index: number): string {
    return this.arguments[index] ?? '';
  }
}
