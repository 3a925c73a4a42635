import { defined } from './defined.ts';
import type { Removal } from './removal.ts';
import { isRestorePoint, type Notes, type Proof } from './restore-point.ts';
import type { RunSummary } from './run.ts';
import { CHAIN_FORMAT } from './stored-format.ts';
import { tableOfTask } from './task-name.ts';
import type { PlanName } from './tasks.ts';

/** The summary of a run, as its record names it: the SHA-256 is of its bytes, and covers every part by way of them. */
interface SummaryName {
  path: string;
  sha256: string;
}

interface RecordOfRun {
  run: string;
  summary: SummaryName;
  /** Added by another process: the one that ran died before it could. */
  late?: true;
}

export interface RestorePointRecord extends RecordOfRun {
  kind: 'restore-point';
  status: string;
  parts: number;
  held: { blobs: number; entities: number };
  /** Why the safety brake is engaged. */
  brake?: string;
}

export interface VerificationRecord extends RecordOfRun, Omit<Proof, 'run' | 'at' | 'kind'> {
  kind: 'verification';
  point: string;
  verify: Proof['kind'];
}

export interface PruneRecord extends RecordOfRun {
  kind: 'prune';
  status: string;
  trigger: string;
  plan: PlanName;
  /** The restore points that it marked. */
  removed: string[];
  /** The restore points whose manifests are gone. */
  emptied: string[];
  /** The runs without a restore point of which it may have deleted everything but their summaries. */
  cleared?: string[];
  deleted: number;
}

/** `ends`: when the hold was set that this one replaces, or that is lifted. */
export interface HoldRecord {
  kind: 'hold';
  point: string;
  hold: NonNullable<Notes['hold']>;
  ends?: string;
}

export interface UnholdRecord {
  kind: 'unhold';
  point: string;
  ends?: string;
}

/** `removed`: the mark that an operator took back. */
export interface UnmarkRecord {
  kind: 'unmark';
  point: string;
  removed: Pick<Removal, 'at' | 'run'>;
}

export interface ReleaseRecord {
  kind: 'release';
  point: string;
  reason: string;
  released: string;
}

/** What happened to the restore points of a job. */
export type ChainEntry =
  | RestorePointRecord
  | VerificationRecord
  | PruneRecord
  | HoldRecord
  | UnholdRecord
  | UnmarkRecord
  | ReleaseRecord;

/** One link: an entry, and the SHA-256 of the bytes of the record before it, or null in the first. */
export type ChainRecord = {
  format: typeof CHAIN_FORMAT;
  job: string;
  number: number;
  previous: string | null;
  at: string;
} & ChainEntry;

/** What a listing shows of a record. It serves to find a record; only its bytes prove anything. */
export interface ChainLine {
  kind: ChainEntry['kind'];
  /** Of a record of a run. */
  run?: string;
  /** Of a record about a restore point: its id. */
  point?: string;
  /** Of a record of a verification. */
  verify?: Proof['kind'];
}

export function chainRecordOf(entry: ChainEntry, link: Pick<ChainRecord, 'job' | 'number' | 'previous' | 'at'>) {
  const { job, number, previous, at } = link;
  return { format: CHAIN_FORMAT, ...{ job, number, previous, at }, ...entry } satisfies ChainRecord;
}

export function chainLineOf(entry: ChainEntry): ChainLine {
  return {
    kind: entry.kind,
    ...('run' in entry && { run: entry.run }),
    ...('point' in entry && { point: entry.point }),
    ...('verify' in entry && { verify: entry.verify }),
  };
}

export function isChainLine(value: unknown): value is ChainLine {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, run } = value as Partial<ChainLine>;
  return typeof kind === 'string' && (run === undefined || typeof run === 'string');
}

/** Whether the chain may have a record of an ended run. */
export function hasRecord(run: Pick<RunSummary, 'mode' | 'restorePoint' | 'verify' | 'prune'>): boolean {
  return isRestorePoint(run) || run.verify !== undefined || run.prune?.plan !== undefined;
}

/** The record of a backup that left a restore point. */
export function restorePointRecord(
  { id, status, parts }: RunSummary,
  summary: SummaryName,
  { brake }: Notes,
): RestorePointRecord {
  const held = { blobs: 0, entities: 0 };
  for (const { container, copied, unchanged } of parts) {
    held[tableOfTask(container) === undefined ? 'blobs' : 'entities'] += copied + unchanged;
  }
  const about = { kind: 'restore-point', run: id, status, summary, parts: parts.length, held } as const;
  return { ...about, ...defined({ brake: brake?.reason }) };
}

/** The record of a verification that has finished. */
export function verificationRecord(point: string, proof: Proof, summary: SummaryName): VerificationRecord {
  const { run, kind: verify, portion, items, read, failed } = proof;
  return { kind: 'verification', run, point, verify, ...defined({ portion }), ...{ items, read, failed }, summary };
}
