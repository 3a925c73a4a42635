const BY_STATUS: Record<number, string> = {
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

/** Of errors that the title of their status does not fit. */
const BY_CODE: Record<string, string> = {
  'message-not-sent': 'Channel did not take the message',
  misconfigured: 'App cannot start',
};

/** The `title` of an error: what kind of error it is. */
export function titleOf(status: number, code?: string): string {
  return (code !== undefined && BY_CODE[code]) || (BY_STATUS[status] ?? 'Problem');
}
