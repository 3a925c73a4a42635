import type { HttpResponseInit } from '@azure/functions';
import { titleOf } from '#api/titles.ts';
import type { InputProblem } from '#domain/input/check-input.ts';
import { optionPath } from '#domain/input/option-path.ts';
import { redact } from '#domain/redact.ts';
import { defined } from '#domain/run/defined.ts';
import { visibleJson } from './visible-json.ts';

/** What every error of a request has that does not fit its contract. */
interface Invalid {
  errors: readonly [PlacedProblem, ...PlacedProblem[]];
}

/** `path` is such as `body.include[0]`. */
interface PlacedProblem {
  path: string;
  message: string;
}

type Rest<Code extends string> = Code extends 'body-invalid' | 'query-invalid'
  ? [hint: string | undefined, more: Invalid]
  : [hint?: string | undefined, more?: object];

/** Why a request cannot be answered, and what to do. Handlers throw it, and `answering` sends it. */
export class HttpError<Code extends string = string> extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;
  readonly more: object;

  constructor(status: number, code: Code, message: string, ...[hint, more = {}]: Rest<Code>) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.more = more;
  }
}

/** The error of a request that does not fit its contract. The path of a problem is that below the body or the query. */
export function invalid(
  what: 'body' | 'query',
  [first, ...others]: readonly [InputProblem, ...InputProblem[]],
  hint?: string,
): HttpError {
  const placed = ({ path, message }: InputProblem) => ({ path: optionPath([what, ...path]), message });
  const errors = [placed(first), ...others.map(placed)] as const;
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return new HttpError(400, `${what}-invalid`, detail, hint, { errors: [...errors] });
}

export function foreignCursor(): HttpError {
  return new HttpError(
    400,
    'cursor-invalid',
    'The cursor does not belong to this query',
    'Start again without "cursor"',
  );
}

/** More than any text of ours. */
const LONGEST = 3_000;

function shortened(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}

/** `application/problem+json` (RFC 9457) with a stable `code`; the type is a name, not an address. */
export function problemResponse(error: HttpError): HttpResponseInit {
  // Any text of it may repeat what the request says, where a secret may have been pasted, and at any length.
  const body = {
    type: `urn:strongroom:problem:${error.code}`,
    title: titleOf(error.status, error.code),
    status: error.status,
    code: error.code,
    detail: error.message,
    ...defined({ hint: error.hint }),
    ...error.more,
  };
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  return { status: error.status, headers, body: visibleJson(body, (text) => shortened(redact(text))) };
}
