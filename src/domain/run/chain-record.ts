import { z } from 'zod';
import type { By } from './by.ts';
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
  by?: By;
}

/** `removed`: the mark that an operator took back. */
export interface UnmarkRecord {
  kind: 'unmark';
  point: string;
  removed: Pick<Removal, 'at' | 'run'>;
  by?: By;
}

export interface ReleaseRecord {
  kind: 'release';
  point: string;
  reason: string;
  released: string;
  releasedBy?: By;
}

/** An operator states that a restore point is lost that is not in the vault any more. */
export interface ForgetRecord {
  kind: 'forget';
  point: string;
  by?: By;
}

/** What happened to the restore points of a job. */
export type ChainEntry =
  | RestorePointRecord
  | VerificationRecord
  | PruneRecord
  | HoldRecord
  | UnholdRecord
  | UnmarkRecord
  | ReleaseRecord
  | ForgetRecord;

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
  /** Of a record of a run: the SHA-256 of its summary. */
  sha256?: string;
  /** Of a restore point: its run engaged the safety brake. */
  brake?: true;
  /** Of a prune: the restore points that it emptied, unless they are too many for metadata. */
  emptied?: string[];
  /** Of a hold: when it was set. */
  at?: string;
  /** Of a hold or unhold: when the hold was set that it ends. */
  ends?: string;
}

/** Names that take more have no room in the metadata of a record, which may have 8 KiB. */
const MOST_CHARACTERS = 4000;

export function chainRecordOf(entry: ChainEntry, link: Pick<ChainRecord, 'job' | 'number' | 'previous' | 'at'>) {
  const { job, number, previous, at } = link;
  return { format: CHAIN_FORMAT, ...{ job, number, previous, at }, ...entry } satisfies ChainRecord;
}

export function chainLineOf(entry: ChainEntry): ChainLine {
  const emptied = entry.kind === 'prune' && entry.emptied.join().length <= MOST_CHARACTERS ? entry.emptied : undefined;
  return {
    kind: entry.kind,
    ...('run' in entry && { run: entry.run, sha256: entry.summary.sha256 }),
    ...('point' in entry && { point: entry.point }),
    ...('verify' in entry && { verify: entry.verify }),
    ...(entry.kind === 'restore-point' && entry.brake !== undefined && { brake: true as const }),
    ...(entry.kind === 'hold' && { at: entry.hold.at }),
    ...('ends' in entry && entry.ends !== undefined && { ends: entry.ends }),
    ...defined({ emptied }),
  };
}

/** Whether a listing shows all that a line may have; if not, the record itself does. */
export function isWholeLine(line: Partial<ChainLine>): line is ChainLine {
  switch (line.kind) {
    case undefined:
      return false;
    case 'restore-point':
    case 'verification':
      return line.sha256 !== undefined;
    case 'prune':
      return line.emptied !== undefined;
    case 'hold':
      return line.at !== undefined;
    case 'unhold':
      return line.ends !== undefined;
    default:
      return true;
  }
}

export function isChainLine(value: unknown): value is ChainLine {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, emptied = [], ...texts } = value as Partial<ChainLine>;
  const { run, point, sha256, at, ends } = texts;
  return (
    typeof kind === 'string' &&
    [run, point, sha256, at, ends].every((text) => text === undefined || typeof text === 'string') &&
    Array.isArray(emptied) &&
    emptied.every((id) => typeof id === 'string')
  );
}

/** The line of a record as it was read, without limits; undefined if that is no record of this number. */
export function lineOfRecord(value: unknown, job: string, number: number): ChainLine | undefined {
  const record = recordSchema.safeParse(value).data;
  if (record?.job !== job || record.number !== number) return undefined;
  const { kind, run, point, verify, summary, brake, emptied, hold, ends } = record;
  const about = { run, point, verify, sha256: summary?.sha256, emptied, at: hold?.at, ends };
  const line: ChainLine = { kind, ...defined(about), ...(brake !== undefined && { brake: true as const }) };
  const isNamed = ['restore-point', 'verification', 'prune'].includes(kind) ? run : point;
  return isNamed !== undefined && (kind === 'unhold' || isWholeLine(line)) ? line : undefined;
}

const text = z.string();
const recordSchema = z.looseObject({
  format: z.literal(CHAIN_FORMAT),
  job: text,
  number: z.number(),
  kind: z.enum(['restore-point', 'verification', 'prune', 'hold', 'unhold', 'unmark', 'release', 'forget']),
  run: text.optional(),
  point: text.optional(),
  verify: z.enum(['quick', 'deep', 'drill']).optional(),
  summary: z.looseObject({ sha256: text }).optional(),
  brake: text.optional(),
  emptied: z.array(text).optional(),
  hold: z.looseObject({ at: text }).optional(),
  ends: text.optional(),
});

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
