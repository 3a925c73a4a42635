import { EXIT, type ExitCode } from '../host/exit-codes.ts';
import { CliError, UsageError } from './cli-error.ts';
import { asCommands, asOptions } from './connect/hints.ts';
import { type ProblemDocument, Refusal } from './connect/refusal.ts';
import { signInWords } from './connect/sign-in.ts';
import { kindOf, progressWords } from './runs/describe-run.ts';
import type { Session } from './session.ts';

/** Prints an error for the person who typed the command, and returns its exit code. */
export async function explain(error: unknown, session: Session): Promise<ExitCode> {
  const { out, world } = session;
  session.progress.clear();
  if (error instanceof Refusal) return explainRefusal(error, session);
  if (world.interrupted.aborted && !(error instanceof CliError)) {
    out.note('Interrupted. If a run was started, it continues: strongroom runs list shows it.');
    return EXIT.interrupted;
  }
  if (error instanceof CliError) {
    // These messages are of this command, and what they repeat of others is on one line.
    for (const line of error.message.split('\n')) out.note(line);
    if (error instanceof UsageError) out.note('Nothing was sent.');
  } else out.note(`Unexpected error: ${error instanceof Error ? error.message : String(error)}`);
  return error instanceof CliError ? error.exitCode : EXIT.unexpected;
}

async function explainRefusal(error: Refusal, session: Session): Promise<ExitCode> {
  const { out } = session;
  const { problem, exitCode } = error;
  // A script reads the document; a person reads the same below, on the other stream.
  if ((out.format === 'json' || out.format === 'jsonl') && error.bytes.length > 0) out.bytes(error.bytes);
  out.note({ text: error.isUnknownCall ? UNKNOWN_CALL : asOptions(error.message), style: 'red' });
  for (const { path, message } of problem?.errors ?? []) out.note(`  ${path}: ${message}`);
  if (problem?.containers?.length) out.note(`  ${problem.containers.join(', ')}`);
  if (problem?.hint) out.note(asCommands(problem.hint));
  if (error.status === 401) sayHowToSignIn(session, problem);
  if (problem?.code === 'run-in-progress' && problem.run) await sayWhatRuns(session, problem.run);
  return exitCode;
}

const UNKNOWN_CALL =
  'This app does not have this call: it is older than this command, or the address is of something else';

function sayHowToSignIn({ out, place }: Session, problem: Partial<ProblemDocument> | undefined): void {
  const { signIn, url, notes } = place;
  const sent = signIn.way === 'none' ? 'No key was sent' : `Sent was ${signInWords(signIn)}`;
  const ways = problem?.ways?.length ? ` The app takes ${problem.ways.map((way) => WAYS[way]).join(' or ')}.` : '';
  out.note(`${sent} to ${url}.${ways} Give a key with STRONGROOM_KEY or --key-file FILE, or keep the way to sign in:`);
  out.note(`  strongroom context add NAME --url ${url} (--help shows the ways)`);
  for (const note of notes) out.note(note);
}

const WAYS = { entra: 'a sign-in with Microsoft Entra', key: 'a key' };

/** The run that is in the way, and how far it is. A caller who may start runs may lack the right to see it. */
async function sayWhatRuns({ api, out }: Session, id: string): Promise<void> {
  const of = { params: { id }, query: { containers: 'none' } } as const;
  const answer = await api.call<'getRun'>('GET', 'runs/{id}', of).catch(() => undefined);
  if (answer) out.note(`In progress: ${id}  ${kindOf(answer.body)}  ${progressWords(answer.body)}`);
  out.note(`To wait for it: strongroom runs watch ${id}`);
}
