import type { HttpResponseInit } from '@azure/functions';
import { redact } from '#domain/redact.ts';
import { defined } from '#domain/run/defined.ts';
import { visibleJson } from './visible-json.ts';

/** Why a request cannot be answered, and what to do. Handlers throw it, and `answering` sends it. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;
  readonly more: object;

  constructor(status: number, code: string, message: string, hint?: string, more: object = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.more = more;
  }
}

export function foreignCursor(): HttpError {
  return new HttpError(
    400,
    'cursor-invalid',
    'The cursor does not belong to this query',
    'Start again without "cursor"',
  );
}

const TITLES: Record<number, string> = {
  400: 'Invalid request',
  401: 'Sign-in needed',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Conflict',
  413: 'Body too large',
  500: 'Unexpected failure',
  502: 'Storage account failed the request',
  503: 'Storage account did not answer',
};

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
    title: TITLES[error.status] ?? 'Problem',
    status: error.status,
    code: error.code,
    detail: error.message,
    ...defined({ hint: error.hint }),
    ...error.more,
  };
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  return { status: error.status, headers, body: visibleJson(body, (text) => shortened(redact(text))) };
}
