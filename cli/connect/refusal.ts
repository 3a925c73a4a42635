import type { z } from 'zod';
import type { errorSchema } from '#api/error.ts';
import { EXIT, exitCodeOfAnswer } from '../../host/exit-codes.ts';
import { CliError } from '../cli-error.ts';

/** The problem document of the API. */
export type ProblemDocument = z.output<typeof errorSchema>;

/** An answer that is not a success. */
export class Refusal extends CliError {
  override readonly name = 'Refusal';
  readonly status: number;
  /** As it came. */
  readonly bytes: Uint8Array;
  /** Absent if something else than the app has answered. */
  readonly problem: Partial<ProblemDocument> | undefined;

  constructor(status: number, bytes: Uint8Array) {
    const problem = problemIn(bytes);
    super(titleOf(status, bytes, problem), exitCodeOfAnswer(status, problem?.code));
    this.status = status;
    this.bytes = bytes;
    this.problem = problem;
  }

  /** The host answers so, without a body, to a call that the app does not have. */
  get isUnknownCall(): boolean {
    return this.status === 404 && this.bytes.length === 0;
  }
}

/** Whether the same call may succeed soon: nothing has answered, or something on the way. */
export function isPassing(error: unknown): error is CliError {
  if (error instanceof Refusal) return error.status === 429 || error.status >= 500;
  return error instanceof Unreachable;
}

/** The app does not answer. */
export class Unreachable extends CliError {
  override readonly name = 'Unreachable';

  constructor(message: string) {
    super(message, EXIT.outOfReach);
  }
}

function problemIn(bytes: Uint8Array): Partial<ProblemDocument> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const { code, title, detail } = value as Record<string, unknown>;
    return [code, title ?? detail].every((text) => typeof text === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

function titleOf(status: number, bytes: Uint8Array, problem: Partial<ProblemDocument> | undefined): string {
  if (problem) return [problem.title, problem.detail].filter((text) => text !== undefined).join(': ');
  const text = new TextDecoder().decode(bytes).trim().slice(0, 200);
  return `The answer is HTTP ${status}${text === '' ? ', without a body' : `: ${text}`}`;
}
