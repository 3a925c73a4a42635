/** Parses the JSON in the metadata of a listed document; undefined if it is missing or has another form. */
export function listedLine<T>(text: string | undefined, isLine: (value: unknown) => value is T): T | undefined {
  if (text === undefined) return undefined;
  try {
    const line: unknown = JSON.parse(text);
    return isLine(line) ? line : undefined;
  } catch {
    return undefined;
  }
}
