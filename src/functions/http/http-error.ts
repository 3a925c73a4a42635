import type { HttpResponseInit } from '@azure/functions';
import { redact } from '#domain/redact.ts';

/** A request that cannot be done, and what to say about it. Thrown by handlers, shown by `answering`. */
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
  return new HttpError(400, 'cursor-invalid', 'The cursor is not one this API gave', 'Start again without it');
}

const TITLES: Record<number, string> = {
  400: 'The request is not valid',
  404: 'Not found',
  409: 'Not possible at present',
  500: 'Unexpected failure',
  502: 'The storage account failed the request',
  503: 'The storage account cannot be reached',
};

/** `application/problem+json` (RFC 9457) with a stable `code`; the type is a name, not an address. */
export function problemResponse(error: HttpError): HttpResponseInit {
  const body = {
    type: `urn:strongroom:problem:${error.code}`,
    title: TITLES[error.status] ?? 'Problem',
    status: error.status,
    code: error.code,
    detail: redact(error.message),
    ...(error.hint !== undefined && { hint: error.hint }),
    ...error.more,
  };
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  return { status: error.status, headers, body: JSON.stringify(body) };
}
