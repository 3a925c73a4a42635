import { z } from 'zod';
import { addRequests } from '../run/request-counts.ts';
import type { ContainerReport, RunReport } from '../run/run.ts';
import type { Transfers } from '../run/transfers.ts';

/** Blobs of one tier that were copied or read. */
export interface Moved {
  /** The tier that they were read from; empty if the service shows none. */
  from: string;
  /** The tier that was set on the copies: empty if none was, absent if nothing was written. */
  to?: string;
  /** True if they were rehydrated with high priority. */
  high?: true;
  blobs: number;
  bytes: number;
}

/** What is billed of a run, as far as it is known. A catalog row has it, so that sums need no summary. */
export interface Usage {
  /** By operation, every attempt counted. */
  requests: Record<string, number>;
  moved: Moved[];
  /** What is not known of this run. */
  unknown?: string[];
}

/** A summary in the vault may lack some of it. */
type Run = Pick<RunReport, 'mode' | 'dryRun' | 'status' | 'restore'> & {
  requests?: Usage['requests'];
  containers: readonly Partial<Pick<ContainerReport, 'bytes' | 'transfers'>>[];
};

const count = z.number().nonnegative();
const usageSchema = z.looseObject({
  requests: z.record(z.string(), count),
  moved: z.array(z.looseObject({ from: z.string(), to: z.string().optional(), blobs: count, bytes: count })),
  unknown: z.array(z.string()).optional(),
});

export function isUsage(value: unknown): value is Usage {
  return usageSchema.safeParse(value).success;
}

/** What a run has used. */
export function usageOf(run: Run): Usage {
  const { requests = {} } = run;
  if (run.dryRun) return { requests, moved: [] };
  const moved = run.containers.flatMap(({ transfers, bytes }) => movedBy(run, transfers, bytes?.copied ?? 0));
  return { requests, moved: joined(moved.map(rehydratedBy(run))), ...unknownOf(run) };
}

/** What a run that carries out the plan of this dry run would use in addition, with one request for each copy. */
export function plannedUsage(run: Run): Usage {
  const planned = run.containers.flatMap(({ transfers = {} }) => Object.entries(transfers).map(movedOf));
  const moved = joined(planned.map(rehydratedBy(run)));
  const copies = blobsIn(moved);
  const archived = blobsIn(moved.filter(({ from }) => from === 'Archive'));
  return { requests: { CopyBlobFromURL: copies, SetBlobTier: archived }, moved };
}

/** The same usage, if content in the archive tier were rehydrated with another priority. */
export function withPriority({ moved, ...usage }: Usage, priority: 'standard' | 'high'): Usage {
  return {
    ...usage,
    moved: moved.map(({ high: _, ...each }) =>
      priority === 'high' && each.from === 'Archive' ? { ...each, high: true as const } : each,
    ),
  };
}

/** The usage of an archive rule that sets this tier on its copies. Only block blobs take one. */
export function archivedTo({ moved, ...usage }: Usage, tier: string): Usage {
  return { ...usage, moved: moved.map((each) => (each.from === '' ? each : { ...each, to: tier })) };
}

export function addUsage(one: Usage, other: Usage): Usage {
  const unknown = [...new Set([...(one.unknown ?? []), ...(other.unknown ?? [])])];
  return {
    requests: addRequests({ ...one.requests }, other.requests),
    moved: joined([...one.moved, ...other.moved]),
    ...(unknown.length > 0 && { unknown }),
  };
}

export function blobsIn(moved: readonly Moved[]): number {
  return moved.reduce((sum, { blobs }) => sum + blobs, 0);
}

/**
 * A run that did not copy all that it planned, such as one that was cancelled, moved the same share of each tier. A
 * verification copies nothing, and reads all that it plans.
 */
function movedBy(run: Run, transfers: Transfers = {}, copied: number): Moved[] {
  const planned = Object.entries(transfers).map(movedOf);
  if (run.mode === 'verify') return isComplete(run) ? planned.map(({ to: _, ...read }) => read) : [];
  const bytes = planned.reduce((sum, each) => sum + each.bytes, 0);
  if (copied >= bytes && isComplete(run)) return planned;
  const share = bytes === 0 ? 0 : Math.min(copied / bytes, 1);
  return planned.map((each) => ({
    ...each,
    blobs: Math.floor(each.blobs * share),
    bytes: Math.floor(each.bytes * share),
  }));
}

function isComplete({ status }: Run): boolean {
  return status === 'succeeded' || status === 'completed-with-failures';
}

function unknownOf(run: Run): Pick<Usage, 'unknown'> {
  const hasRead = run.containers.some(({ transfers }) => transfers !== undefined);
  if (run.mode !== 'verify' || isComplete(run) || !hasRead) return {};
  return { unknown: ['content that the verification read before it ended'] };
}

function movedOf([key, [blobs, bytes]]: [string, Transfers[string]]): Moved {
  const [from = '', to = ''] = key.split('/');
  return { from, to, blobs, bytes };
}

/** With the priority of rehydrations. */
function rehydratedBy({ restore }: Run) {
  return (moved: Moved): Moved =>
    moved.from === 'Archive' && restore?.rehydrate === 'high' ? { ...moved, high: true } : moved;
}

function joined(moved: readonly Moved[]): Moved[] {
  const sums = new Map<string, Moved>();
  for (const each of moved) {
    const key = JSON.stringify([each.from, each.to, each.high]);
    const sum = sums.get(key);
    if (!sum) sums.set(key, { ...each });
    else {
      sum.blobs += each.blobs;
      sum.bytes += each.bytes;
    }
  }
  return [...sums.values()].filter(({ blobs }) => blobs > 0);
}
