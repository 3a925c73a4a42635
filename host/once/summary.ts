import type { Run } from './app-api.ts';
import { asSentence, forTerminal } from './hints.ts';

/** Problems that are printed; the API lists them all. */
const MOST_PROBLEMS = 20;

/** The status of the run and all its counts. */
export function summary(job: string, id: string, run: Run): string {
  const objects = [['', run] as const, ...Object.entries(run)];
  const numbers = objects.flatMap(([about, value]) =>
    typeof value === 'object' && value !== null
      ? Object.entries(value)
          .filter(([, number]) => typeof number === 'number')
          .map(([name, number]) => labeled(about, name, number))
      : [],
  );
  return [`${job}: ${run.status}`, id, [...new Set(numbers)].join(', ')].filter(Boolean).join(' · ');
}

/** Groups of numbers share names: `listed` counts blobs and bytes. */
function labeled(about: string, name: string, number: number): string {
  if (about === 'bytes') return `${name} ${number} bytes`;
  if (about === 'noLongerHeld') return `no longer held, ${name} ${number}`;
  return about === 'chain' ? `chain ${name} ${number}` : `${name} ${number}`;
}

/** A line for each problem of a run, with what to do. */
export function problemLines({ problems = [] }: Run): string[] {
  const lines = problems.slice(0, MOST_PROBLEMS).map(({ container, message = '', hint }) => {
    const words = [asSentence(message), ...(hint ? [forTerminal(hint)] : [])].join(' ');
    return `  ${container === undefined ? '' : `${container}: `}${words}`;
  });
  const more = problems.length - lines.length;
  return more > 0 ? [...lines, `  and ${more} more problems`] : lines;
}
