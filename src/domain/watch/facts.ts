import type { Scheduled } from '../run/occurrence.ts';
import type { ProblemCode } from '../run/problems.ts';
import type { Proof } from '../run/restore-point.ts';
import type { RunMode } from '../run/run.ts';
import type { Standing } from './expected.ts';
import type { MissedStart } from './missed-start.ts';
import type { Pause } from './pause.ts';

/** A run that has ended, of a job or an archive rule. Dry runs and cancelled runs are none. */
export interface EndedRun {
  id: string;
  status: 'succeeded' | 'completed-with-failures' | 'failed';
  startedAt: string;
  finishedAt: string;
  /** Blobs, entities or uploads that failed, of so many. */
  failed: number;
  listed: number;
  /** Of a run with failures, if it is known: its worst problem. */
  problem?: { code: ProblemCode; container?: string; count: number };
}

export interface RunningRun {
  id: string;
  what: Scheduled;
  startedAt: string;
  /** Milliseconds without a sign of life, if they are too many. */
  silentMs?: number;
  /** How long the last runs of this kind took, in milliseconds: the median; absent if too few are known. */
  usualMs?: number;
}

/** A run in progress that no schedule awaits: a restore, a reprocessing of uploads, or a dry run. */
export interface OtherRun extends Pick<RunningRun, 'id' | 'startedAt' | 'silentMs'> {
  mode: string;
  dryRun: boolean;
}

/** All that conditions of one job or archive rule follow from. */
export interface JobFacts {
  job: string;
  /** Aliases of the accounts that its runs use. */
  accounts: { source: string; vault: string };
  standings: Partial<Record<Scheduled, Standing>>;
  /** The newest of each kind. */
  ended: Partial<Record<Scheduled, EndedRun>>;
  running: RunningRun[];
  others: OtherRun[];
  /** The newest start of each kind that was not made. */
  missed: Partial<Record<Scheduled, MissedStart>>;
  /** Restore points whose safety brake is engaged and not released. */
  brakes: { point: string; containers: string[] }[];
  /** The newest result of each kind of verification. */
  proofs: Proof[];
  /** How old the newest sound verification may be, and since when one is expected; absent if none is. */
  proofWithin?: { ms: number; since: Date };
  /** Of a job: it has no restore point yet. */
  isWithoutBackup?: true;
  /** Of an archive rule: uploads that failed permanently and are open. */
  poison?: number;
  pause?: Pause;
  /** The newest restore point, if it is on record and its summary is gone. */
  lostPoint?: { id: string; message: string };
}

/** An account that did not answer. */
export interface SilentAccount {
  alias: string;
  code: ProblemCode;
  /** Passes in a row. */
  passes: number;
  /** When the first of them was. ISO 8601; absent if an earlier version counted them. */
  since?: string;
}

/** What a run of this mode does of what schedules start. A retry or a restore is started by hand. */
export function scheduledKind(mode: RunMode | string): Scheduled | undefined {
  switch (mode) {
    case 'full':
    case 'incremental':
    case 'retry':
      return 'backup';
    case 'verify':
    case 'prune':
    case 'reconcile':
      return mode;
    default:
      return undefined;
  }
}

/** Without the names of containers and tables. */
export function withoutNames(facts: JobFacts): JobFacts {
  const ended = Object.entries(facts.ended).map(([what, run]) => [what, withoutContainer(run)]);
  return {
    ...facts,
    ended: Object.fromEntries(ended),
    brakes: facts.brakes.map((brake) => ({ ...brake, containers: [] })),
  };
}

/** A run whose problem does not say which container or table it concerns. */
export function withoutContainer<Run extends { problem?: { container?: string } }>(run: Run): Run {
  if (!run.problem) return run;
  const { container: _, ...problem } = run.problem;
  return { ...run, problem };
}
