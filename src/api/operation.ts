import type { z } from 'zod';
import type { Permission } from '#domain/access/permission.ts';

/**
 * Who may call an operation: anyone, anyone who is known, or a caller with a permission. Of several permissions, a
 * caller needs one that the handler names once it knows what the call does, such as of which mode the run is.
 */
export type Needs = 'anyone' | 'signed-in' | Permission | readonly [Permission, Permission, ...Permission[]];

/** An operation of the HTTP API. */
export interface Operation {
  readonly method: 'GET' | 'POST';
  /** Below `/api/`, with its parameters: `runs/{id}`. */
  readonly path: string;
  /** One sentence without a full stop. */
  readonly summary: string;
  readonly needs: Needs;
  /** The query parameters; absent if there are none. */
  readonly query?: z.ZodType;
  /** The body of a POST; absent if only an empty one is accepted. */
  readonly body?: z.ZodType;
  /** What it answers with, if not with JSON: then its answers are texts. */
  readonly mediaType?: string;
  /** What it answers, by status, other than errors. */
  readonly answers: Readonly<Record<number, z.ZodType>>;
  /** The codes of its own errors, by status; `errorsOf` adds those that every operation has. */
  readonly errors: Errors;
}

export type Errors = Readonly<Partial<Record<400 | 404 | 409 | 502 | 503, readonly string[]>>>;

/** Checks that each is an operation, and keeps its own type. */
export function operations<const All extends Readonly<Record<string, Operation>>>(all: All): All {
  return all;
}

/** The parameters of a path: `{ id: string }` of `runs/{id}`. */
export type ParamsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Record<Name, string> & ParamsOf<Rest>
  : unknown;

/** What a schema makes of the input; without a schema, there is none. */
export type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : Record<string, never>;

/** An answer that an operation may give. */
export type Reply<Op extends Operation> = {
  [Status in keyof Op['answers'] & number]: {
    status: Status;
    body: z.input<Op['answers'][Status]>;
    headers?: Record<string, string>;
  };
}[keyof Op['answers'] & number];
