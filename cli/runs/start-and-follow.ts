import { EXIT, type ExitCode, exitCodeOfRun } from '../../host/exit-codes.ts';
import type { Option } from '../command/command.ts';
import type { Input } from '../command/input.ts';
import type { Answer } from '../connect/api.ts';
import type { Session } from '../session.ts';
import { kindOf, type Report } from './describe-run.ts';
import { followRun } from './follow-run.ts';
import { printEnd } from './print-run.ts';

/** Options of every command that starts a run. */
export const WATCH_OPTIONS = {
  watch: { takes: 'nothing', about: 'wait until the run has ended, and exit with a code for its result' },
  timeout: { takes: 'duration', placeholder: '30m', about: 'with --watch: how long to wait; the run continues' },
} as const satisfies Record<string, Option>;

interface Started {
  id: string;
  mode: string;
  dryRun: boolean;
}

/** Prints which run was started. With --watch, follows it to its end. */
export async function reportStart(session: Session, input: Input, started: Answer<Started>): Promise<ExitCode> {
  const { out } = session;
  const { id } = started.body;
  const isWatched = input.has('watch');
  if (out.format === 'quiet') out.line(id);
  if (out.format === 'text') out.line(`${id}  ${kindOf(started.body)}`);
  if (!isWatched) {
    if (out.format === 'json') out.bytes(started.bytes);
    if (out.format === 'jsonl') out.json(started.body);
    if (out.format === 'text') out.note(`Started. To watch it: strongroom runs watch ${id}`);
    return EXIT.done;
  }
  if (out.format === 'jsonl') out.json({ type: 'start', run: started.body });
  return watchToEnd(session, input, id);
}

/** Follows a run to its end, prints that, and returns its exit code. */
export async function watchToEnd(
  session: Session,
  input: Input,
  id: string,
  print: (run: Report) => void = (run) => printEnd(session.out, run),
): Promise<ExitCode> {
  const { out } = session;
  const { bytes, body } = await followRun(session, id, { timeout: input.count('timeout') });
  if (out.format === 'json') out.bytes(bytes);
  if (out.format === 'jsonl') out.json({ type: 'end', run: body });
  if (out.format === 'text') print(body);
  return exitCodeOfRun(body);
}
