/** JSON of a time as .NET writes it. */
export function dateTimeOffset(time: Date): string {
  return JSON.stringify(time.toISOString().replace(/(?:\.000)?Z$/, '+00:00'));
}
