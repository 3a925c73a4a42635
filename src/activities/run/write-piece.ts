import { pendingKey } from '#domain/run/control-paths.ts';
import { isPending, type Outcome, type PendingCopy } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { emptyTally, type Tally } from '#domain/run/tally.ts';
import { countingRequests } from '#storage/requests.ts';
import type { ChunkResult, PendingFile } from './chunk.ts';
import type { RunContext } from './run-context.ts';

/**
 * Writes the results of a piece, however far it got. Its part fixes how far the piece reaches, since the first of
 * several executions to write it wins. A pending file, written before, lists the copies that are still pending.
 */
export async function writePiece(
  context: RunContext,
  key: string,
  results: (Outcome | PendingCopy)[],
  end: Pick<ChunkResult, 'next' | 'stopped'>,
): Promise<ChunkResult> {
  const { tally, container, destination } = context;
  const pending = results.filter(isPending);
  const part = new PartWriter<Outcome>();
  for (const result of results) if (!isPending(result)) part.add(result);
  if (pending.length === 0) return context.writePart<Outcome, ChunkResult>('chunk', key, part, end);
  const pendingFile = { key, attempt: context.deps.random(), round: 0, ...stillPending(results) };
  // The file counts the request that writes it, so the part must not.
  await countingRequests({}, () => writePendingFile(context, pendingFile, pending, emptyTally(container, destination)));
  const later = { items: pending.length, attempt: pendingFile.attempt };
  const all = { ...tally, planned: tally.planned + pending.length, later };
  return context.writePart<Outcome, ChunkResult>('chunk', key, part, { ...end, pendingFile }, all);
}

/** What a pending file says of its copies. */
export function stillPending(items: readonly (Outcome | PendingCopy)[]): Pick<PendingFile, 'pending' | 'rehydrating'> {
  const pending = items.filter(isPending);
  return { pending: pending.length, ...(pending.every(({ rehydrating }) => rehydrating) && { rehydrating: true }) };
}

export async function writePendingFile(
  context: RunContext,
  pendingFile: PendingFile,
  items: (Outcome | PendingCopy)[],
  tally: Tally = context.tally,
): Promise<ChunkResult> {
  const part = new PartWriter<Outcome | PendingCopy>();
  for (const item of items) part.add(item);
  return context.writePart('pending', pendingKey(pendingFile), part, { pendingFile }, tally);
}
