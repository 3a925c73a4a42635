import type { Dependencies } from '#app/dependencies.ts';
import { type JobContext, jobContextOf } from '#app/job-context.ts';
import type { ArchiveRule, Job } from '#config/configuration.ts';
import { chunkKey, type PartKind, partPath } from '#domain/run/control-paths.ts';
import type { HeldRun } from '#domain/run/held-run.ts';
import type { PartWriter } from '#domain/run/part.ts';
import type { RequestCounts } from '#domain/run/request-counts.ts';
import type { RunRef } from '#domain/run/run.ts';
import { countProblem, emptyTally, processedOf, type Tally } from '#domain/run/tally.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { type PlanChunk, pieceKey } from './chunk.ts';
import type { ContainerTask } from './container-task.ts';
import { RunGuard, type StopReason } from './run-guard.ts';
import { givingSigns } from './signs-of-life.ts';

/** What an activity returns when its run may no longer continue. */
export interface Stopped {
  stopped: StopReason;
}

/** Ends the work of an activity whose run may no longer continue. `inRun` turns it into `Stopped`. */
class RunStopped extends Error {
  readonly reason: StopReason;

  constructor(reason: StopReason) {
    super(`The run was ${reason}`);
    this.reason = reason;
  }
}

class GuardedContext<Run extends RunRef> implements JobContext {
  readonly deps: Dependencies;
  readonly run: Run;
  readonly container: string;
  readonly destination: string;
  readonly job: Job;
  readonly rule?: ArchiveRule;
  readonly source: BlobAccount;
  readonly vault: BlobAccount;
  readonly control: ControlStore;
  /** The counts and requests that the part of this activity adds to the run. */
  readonly tally: Tally;
  readonly guard: RunGuard;

  constructor(deps: Dependencies, { run, container, destination }: TaskOf<Run>, requests: RequestCounts) {
    const { job, rule, source, vault, control } = jobContextOf(deps, run.job);
    this.deps = deps;
    this.run = run;
    this.container = container;
    this.destination = destination;
    this.job = job;
    if (rule) this.rule = rule;
    this.source = source;
    this.vault = vault;
    this.control = control;
    this.tally = { ...emptyTally(container, destination), requests };
    this.guard = new RunGuard(control, run, deps.now);
  }

  /**
   * If the run may no longer continue, ends the activity, which then returns `stopped`. Cheap enough for every loop.
   */
  async ensureMayContinue(): Promise<void> {
    const standing = await this.guard.standing();
    if (standing !== 'go') throw new RunStopped(standing);
  }

  /** The items of a plan chunk of this task. A prune reads the chunks of the run that made its plan. */
  async readPlan<Item>(key: string, run: { job: string; id: string } = this.run): Promise<Item[]> {
    return (await this.control.readPart<Item, object>(partPath(run, 'plan', this.container, key))).items;
  }

  /** Writes a part of the run with its counts, create-only. A second execution gets the end of the part that exists. */
  writePart<Item, End extends object>(
    kind: PartKind,
    key: string,
    part: PartWriter<Item>,
    end: End,
    tally: Tally = this.tally,
  ): Promise<End> {
    return this.control.writePart<Item, End>(this.#held, kind, key, part, tally, end);
  }

  /** How many items of a piece an execution before this one noted as processed. */
  async processedBefore(key: string): Promise<number> {
    const noted = await this.control.readProgress(this.run, this.container, key);
    return noted === undefined ? 0 : processedOf(noted);
  }

  /** Stores the progress of a piece, for people only. */
  noteProgress(key: string): Promise<void> {
    return this.control.noteProgress(this.#held, key, this.tally);
  }

  get #held(): HeldRun {
    return this.run as unknown as HeldRun;
  }
}

/** The context of an activity in one task of a run. `inRun` makes it once it has checked that the run may continue. */
export type RunContext<Run extends RunRef = RunRef> = GuardedContext<Run>;

type TaskOf<Run extends RunRef> = Pick<ContainerTask<Run>, 'run' | 'container' | 'destination'> & {
  slice?: number;
  chunk?: PlanChunk;
  from?: unknown;
};

/**
 * Does the work of an activity if its run may continue; otherwise returns `stopped`. Nothing else makes a `RunContext`.
 * Adds the requests of the work to `requests`, which the tally of the part includes.
 */
export function inRun<Run extends RunRef, Result extends object>(
  deps: Dependencies,
  task: TaskOf<Run>,
  work: (context: RunContext<Run>) => Promise<Result>,
  requests: RequestCounts = {},
): Promise<Result | Stopped> {
  const context = new GuardedContext(deps, task, requests);
  return countingRequests(requests, async () => {
    try {
      await context.ensureMayContinue();
      return await givingSigns(deps, context.control, task.run, () => work(context), context.guard);
    } catch (error) {
      if (error instanceof RunStopped) return { stopped: error.reason };
      if (isStorageError(error, 'being-deleted')) await noteWaiting(context, task);
      throw error;
    }
  });
}

/**
 * Shows in the report, until the piece that is to be written has made progress, that the orchestration waits for the
 * service. It is for people only.
 */
async function noteWaiting(
  { control, run, container, destination }: RunContext,
  { slice = 0, chunk, from = 0 }: TaskOf<RunRef>,
): Promise<void> {
  const key = chunk ? pieceKey({ chunk, from: Number(from) }) : chunkKey(slice, 0, 0);
  const tally = emptyTally(container, destination);
  countProblem(tally, 'container-being-deleted', 0);
  await control.noteProgress(run as unknown as HeldRun, key, tally).catch(() => {});
}
