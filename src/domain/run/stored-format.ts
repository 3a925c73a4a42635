/** Formats of stored objects, as each has its number in `format`. Nothing converts one format into another. */
export const SUMMARY_FORMAT = 2;
export const ENTITY_FILE_FORMAT = 1;
export const RECEIPT_FORMAT = 1;
export const POISON_FORMAT = 1;
export const CHAIN_FORMAT = 1;

/** Why this version cannot read an object that has the number of another format, or undefined. */
export function formatProblem(value: unknown, format: number): string | undefined {
  const found = typeof value === 'object' && value !== null ? (value as { format?: unknown }).format : undefined;
  if (typeof found !== 'number' || found === format) return undefined;
  return `it is format ${found}; this version reads format ${format}`;
}
