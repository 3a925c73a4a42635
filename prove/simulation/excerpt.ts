import type { Violation } from './witness.ts';

/** The lines of a trace that tell most about a violation. */
export function excerpt({ trace }: { trace: string[] }, { about }: Violation, most = 40): string[] {
  const end = about.split('/').slice(1).join('/');
  const telling =
    /dies|terminated|lost\b|stuck|stranger|owner|published|ended:|all faults|answer to (?:start|retry|cancel)/;
  const lines = trace.filter(
    (line) => (end !== '' && line.includes(end)) || (about !== '' && line.includes(about)) || telling.test(line),
  );
  return lines.slice(-most);
}
