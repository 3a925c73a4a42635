import { asCommands } from '../connect/hints.ts';
import { lasting } from '../print/amounts.ts';
import type { Output } from '../print/output.ts';
import { stateWord } from '../print/style.ts';
import { countsWords, endOf, kindOf, noLongerHeldWords, type Report, secondsOf } from './describe-run.ts';

/** Problems that are printed; `--json` has them all. */
const MOST = 20;

/** How a run ended, its problems with what to do, and the next command. */
export function printEnd(out: Output, run: Report): void {
  const seconds = secondsOf(run);
  const parts = [
    countsWords(run.counts, run.bytes),
    noLongerHeldWords(run.noLongerHeld),
    ...(seconds === undefined ? [] : [`took ${lasting(seconds)}`]),
  ];
  out.line(stateWord(endOf(run.status)), `  ${[verdictOf(run), ...parts].filter(Boolean).join(' · ')}`);
  printProblems(out, run.problems);
  if (run.status !== 'running' && run.actions.retry.may) out.line(`Retry what failed: strongroom runs retry ${run.id}`);
}

export function printProblems(out: Output, problems: Report['problems']): void {
  for (const { code, container, message, hint } of problems.slice(0, MOST)) {
    out.line(`  ${container === undefined ? '' : `${container}: `}${message}  `, { text: code, style: 'dim' });
    if (hint) out.line(`      ${asCommands(hint)}`);
  }
  if (problems.length > MOST) out.line(`  and ${problems.length - MOST} more: --json has them all`);
}

/** What a verification looked at, and what it found. */
function verdictOf({ verify, verdict }: Report): string {
  return verify && verdict ? `restore point ${verify.point}: ${verdict}` : '';
}

/** What a run is: its kind, who started it, and when. */
export function printHead(out: Output, run: Report): void {
  const { by, trigger } = run;
  const who = by ? ` by ${by.name ?? by.via}` : trigger === 'timer' ? ' by schedule' : '';
  out.line(`${run.id}  ${kindOf(run)}  started ${out.time(run.startedAt)}${who}`);
}
