/** A time in the JSON form of .NET. */
export function dateTimeOffset(time: Date): string {
  return JSON.stringify(time.toISOString().replace(/(?:\.000)?Z$/, '+00:00'));
}
