/** More than the longest name of a job, run or container. */
const LONGEST = 100;

/** A name of the request in quotes, for an error. A long one is none of ours, and is shortened. */
export function quoted(name: string): string {
  return name.length <= LONGEST ? `"${name}"` : `"${name.slice(0, LONGEST)}…" (${name.length} characters)`;
}
