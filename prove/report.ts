import type { Figure, PartResult } from './part.ts';

export function isMet({ value, target }: Figure): boolean {
  return value >= target;
}

/** A part holds if no promise broke and every figure was reached. */
export function holds({ figures, violations }: PartResult): boolean {
  return violations.length === 0 && figures.every(isMet);
}

/** Formats the result of one part for the terminal. */
export function showPart(result: PartResult, seconds: number): string {
  const { title, figures, violations, notes } = result;
  const width = Math.max(...figures.map(({ name }) => name.length));
  const lines = figures.map((figure) => {
    const { name, value, target } = figure;
    const mark = isMet(figure) ? 'reached' : 'MISSED ';
    return `  ${mark}  ${name.padEnd(width)}  ${number(value).padStart(10)}  of ${number(target)}`;
  });
  return [
    `${title} (${Math.round(seconds)} s)`,
    ...lines,
    ...notes.map((note) => `  ${note}`),
    violations.length === 0 ? '  no violation' : `  ${violations.length} VIOLATIONS`,
    ...violations.map((violation) => `  - ${violation.replaceAll('\n', '\n    ')}`),
    '',
    '',
  ].join('\n');
}

function number(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}
