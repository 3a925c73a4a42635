import type { Played, Violation } from './played.ts';

const MILESTONES =
  /dies|terminated|lost\b|stuck|stranger|owner|published|ended:|all faults|answer to (?:start|retry|cancel)/;

/** The last lines of a trace that concern a violation, and the milestones between them. */
export function excerpt({ trace }: Pick<Played, 'trace'>, { about }: Violation, most = 40): string[] {
  const name = about.split('/').slice(1).join('/');
  const lines = trace.filter(
    (line) => (name !== '' && line.includes(name)) || (about !== '' && line.includes(about)) || MILESTONES.test(line),
  );
  return lines.slice(-most);
}
