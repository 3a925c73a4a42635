const UNITS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 24 * 3_600_000 };
/** Ten years: longer than any schedule waits. */
const MOST_MS = 3650 * 24 * 3_600_000;

/** The milliseconds of a duration such as `90m`, `26h` or `35d`. Throws on any other text. */
export function durationMs(text: string): number {
  const problem = durationProblem(text);
  if (problem !== undefined) throw new Error(problem);
  return Number(text.slice(0, -1)) * UNITS[text.at(-1)!]!;
}

/** What is wrong with a duration, or undefined. */
export function durationProblem(text: string): string | undefined {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const ms = Number(count) * (UNITS[unit ?? ''] ?? Number.NaN);
  if (ms > 0 && ms <= MOST_MS) return undefined;
  return `${JSON.stringify(text)} is not a duration; write minutes, hours or days, for example "90m", "26h" or "35d"`;
}
