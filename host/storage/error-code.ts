/** The error code of a storage service, such as `QueueNotFound`; undefined for other errors. */
export function storageErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, details } = error as Error & { code?: unknown; details?: { errorCode?: unknown } };
  const found = code ?? details?.errorCode;
  return typeof found === 'string' ? found : undefined;
}

/** Whether the requested resource does not exist. Answers to HEAD have no error code, only the status. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Error && (error as Error & { statusCode?: unknown }).statusCode === 404;
}
