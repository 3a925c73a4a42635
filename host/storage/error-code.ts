/** The code by which a storage service says why it refused (`QueueNotFound`); `undefined` for any other error. */
export function storageErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, details } = error as Error & { code?: unknown; details?: { errorCode?: unknown } };
  const found = code ?? details?.errorCode;
  return typeof found === 'string' ? found : undefined;
}

/** Whether what was asked for is not there. Answers to HEAD have no code, only the status. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Error && (error as Error & { statusCode?: unknown }).statusCode === 404;
}
