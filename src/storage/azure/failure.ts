/** A failed request, from an error of the SDK, Node or the identity library. Contains no secrets. */
export interface Failure {
  /** HTTP status; 0 if there was no answer. */
  status: number;
  /** The service's error code, or Node's, or ''. */
  code: string;
  /** The class of error, such as `AbortError` or `CredentialUnavailableError`. */
  name: string;
  message: string;
  /** The answer of the copy source to the service. */
  sourceStatus?: number;
  sourceCode?: string;
  /** The header that the service refuses. */
  header?: string;
  /** Milliseconds that the service asks to wait. */
  retryAfter?: number;
}

interface Headers {
  get(name: string): string | undefined;
}

export function failureOf(error: unknown): Failure {
  const thrown = record(error);
  const headers = headersOf(thrown);
  const header = (name: string) => headers?.get(name) || undefined;
  const details = record(thrown.details);
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
  const failure: Failure = {
    status: typeof thrown.statusCode === 'number' ? thrown.statusCode : 0,
    // Answers without a body (to HEAD, and 304) have this header, too.
    code:
      header('x-ms-error-code') ??
      text(thrown.code) ??
      text(details.errorCode) ??
      tableCode(details) ??
      text(record(thrown.cause).code) ??
      '',
    name: text(thrown.name) ?? '',
    message: tableMessage(details) ?? text(thrown.message) ?? '',
  };
  const sourceStatus = Number(header('x-ms-copy-source-status-code'));
  if (sourceStatus > 0) failure.sourceStatus = sourceStatus;
  const sourceCode = header('x-ms-copy-source-error-code');
  if (sourceCode) failure.sourceCode = sourceCode;
  const refused = text(details.headerName) ?? text(details.HeaderName) ?? headerIn(text(thrown.message));
  if (refused) failure.header = refused;
  const retryAfter = retryAfterOf(header);
  if (retryAfter !== undefined) failure.retryAfter = retryAfter;
  return failure;
}

/** The name of a header in the XML of an answer, which the SDK may leave in the message. */
function headerIn(message: string | undefined): string | undefined {
  return /<HeaderName>([\w-]{1,80})<\/HeaderName>/.exec(message ?? '')?.[1];
}

function headersOf(thrown: Record<string, unknown>): Headers | undefined {
  const headers = record(thrown.response).headers;
  return typeof headers === 'object' && headers !== null && 'get' in headers ? (headers as Headers) : undefined;
}

/** The table service wraps its code in OData. */
function tableCode(details: Record<string, unknown>): string | undefined {
  const code = record(details.odataError).code;
  return typeof code === 'string' ? code : undefined;
}

/** Otherwise the message of the SDK is the JSON of the answer. */
function tableMessage(details: Record<string, unknown>): string | undefined {
  const { value } = record(record(details.odataError).message);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function retryAfterOf(header: (name: string) => string | undefined): number | undefined {
  const milliseconds = header('retry-after-ms') ?? header('x-ms-retry-after-ms');
  if (milliseconds !== undefined && Number(milliseconds) >= 0) return Number(milliseconds);
  const value = header('retry-after');
  if (value === undefined) return undefined;
  if (Number(value) >= 0) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
