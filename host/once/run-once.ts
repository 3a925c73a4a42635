import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, type ExitCode, exitCodeOfRun, exitCodeOfSignal } from '../exit-codes.ts';
import { HostError } from '../host-error.ts';
import { AppApi, failure, type Refusal } from './app-api.ts';
import { asSentence } from './hints.ts';
import { runIdsOf } from './run-ids.ts';
import { type OnceHost, PACE, print, RunWatch } from './run-watch.ts';
import { endingLines } from './summary.ts';

export interface OnceOptions {
  /** Name of a job or of an archive rule. */
  job: string;
  /** `configured` is the mode of the job's scheduled runs. */
  mode: 'full' | 'incremental' | 'configured';
  key: string | undefined;
}

/** Tries to start while other calls start runs of the job, too. */
const MOST_TRIES = 5;

/**
 * Runs a job, or reconciles an archive rule, through the app's HTTP API. A run of it that is there already comes first:
 * one that this process has resumed, or one of another process. Returns the exit code for the run that was asked for.
 */
export async function runOnce(
  host: OnceHost,
  options: OnceOptions,
  signal: AbortSignal,
  pace = PACE,
): Promise<ExitCode> {
  const { job } = options;
  const api = new AppApi(host.url, options.key);
  const watch = new RunWatch({ api, host, job, signal, pace });
  const isRun = runIdsOf(job);
  for (const { id } of host.unfinished().filter((each) => isRun(each.id))) {
    print(`${job}: run ${id} of an earlier start continues first.`);
    if (!(await watch.other(id))) return exitCodeOfSignal(signal.reason);
  }
  for (let tries = 1; !signal.aborted; ) {
    const started = await start(api, options);
    if ('id' in started) return finish(watch, { id: started.id, job, isRun, signal });
    const { run, exitCode } = started.refusal;
    if (exitCode !== EXIT.busy || (run === undefined && tries++ >= MOST_TRIES)) {
      throw failure(`Cannot start "${job}"`, started.refusal);
    }
    if (run === undefined) await sleep(pace.contended, undefined, { signal }).catch(() => {});
    // Only a start can take over from a run that is stuck, so this asks again now and then.
    else await watch.other(run, pace.askAgain);
  }
  return exitCodeOfSignal(signal.reason);
}

async function start(api: AppApi, { job, mode }: OnceOptions): Promise<{ id: string } | { refusal: Refusal }> {
  const asJob = await api.start(`/api/jobs/${encodeURIComponent(job)}/runs`, { mode });
  if (!('refusal' in asJob) || asJob.refusal.status !== 404) return asJob;
  if (mode !== 'configured') {
    const message = `There is no job "${job}". If it is an archive rule, leave out --mode: a reconciliation has none.`;
    throw new HostError(message, EXIT.usage);
  }
  const asRule = await api.start(`/api/archives/${encodeURIComponent(job)}/reconcile`, {});
  if (!('refusal' in asRule) || asRule.refusal.status !== 404) return asRule;
  const known = [asJob.refusal.hint, asRule.refusal.hint].filter((hint) => hint !== undefined).map(asSentence);
  throw new HostError([`There is no job or archive rule "${job}".`, ...known].join(' '), EXIT.usage);
}

interface Started {
  id: string;
  job: string;
  isRun: (id: string) => boolean;
  signal: AbortSignal;
}

/** Waits for the run, and for those that follow it, such as its verification. The first that fails has the code. */
async function finish(watch: RunWatch, { id, job, isRun, signal }: Started): Promise<ExitCode> {
  const run = await watch.own(id);
  if (run === undefined) return exitCodeOfSignal(signal.reason);
  for (const line of endingLines(job, id, run)) print(line);
  const code = exitCodeOfRun(run);
  const next = await watch.following(id, isRun);
  if (next === undefined) return code;
  print(`${job}: run ${next} follows.`);
  const ofNext = await finish(watch, { id: next, job, isRun, signal });
  const isCodeOfNext = signal.aborted || (run.status === 'succeeded' && ofNext !== EXIT.done);
  return isCodeOfNext ? ofNext : code;
}
