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

/** Whether an app that has answered before may answer again: while it restarts, the platform answers in its place. */
export function isRestart(error: unknown): error is CliError {
  return isPassing(error) || (error instanceof Refusal && error.problem === undefined && error.status !== 401);
}

/** The app does not answer. */
export class Unreachable extends CliError {
  override readonly name = 'Unreachable';

  constructor(message: string) {
    super(message, EXIT.outOfReach);
  }
}

/** The fields that this command shows. Something else may have answered, so none is taken without a look at it. */
function problemIn(bytes: Uint8Array): Partial<ProblemDocument> | undefined {
  const value = recordIn(parsed(bytes));
  const [code, title, detail] = [textIn(value.code), textIn(value.title), textIn(value.detail)];
  if (code === undefined || (title ?? detail) === undefined) return undefined;
  const ways = listIn(value.ways).filter((way) => way === 'entra' || way === 'key');
  const containers = listIn(value.containers).filter((name) => typeof name === 'string');
  const errors = listIn(value.errors).map(recordIn);
  return {
    code,
    ...defined({ title, detail, hint: textIn(value.hint), run: textIn(value.run) }),
    ...{ ways, containers },
    errors: errors.map(({ path, message }) => ({ path: textIn(path) ?? '', message: textIn(message) ?? '' })),
  };
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function recordIn(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function listIn(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function defined(texts: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts).flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])),
  );
}

function titleOf(status: number, bytes: Uint8Array, problem: Partial<ProblemDocument> | undefined): string {
  if (problem) return [problem.title, problem.detail].filter((text) => text !== undefined).join(': ');
  const text = new TextDecoder().decode(bytes).trim().slice(0, 200);
  return `The answer is HTTP ${status}${text === '' ? ', without a body' : `: ${text}`}`;
}
