import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { pendingKey } from '#domain/run/control-paths.ts';
import { isPending, type Outcome, type PendingCopy } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { RunRef } from '#domain/run/run.ts';
import { emptyTally, type Tally } from '#domain/run/tally.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { countingRequests } from '#storage/requests.ts';
import type { ChunkResult, PendingFile } from './chunk.ts';

/**
 * Stores what came of a piece, however far it got: its part of the manifest, which fixes the piece's extent for good,
 * since the first of several executions to write it wins. Copies that are still pending go into a work file before.
 */
export async function writePiece(
  deps: Dependencies,
  run: RunRef,
  key: string,
  results: (Outcome | PendingCopy)[],
  tally: Tally,
  end: Pick<ChunkResult, 'next' | 'stopped'>,
): Promise<ChunkResult> {
  const { control } = jobContextOf(deps, run.job);
  const pending = results.filter(isPending);
  const writer = new PartWriter<Outcome>();
  for (const result of results) if (!isPending(result)) writer.add(result);
  if (pending.length === 0) return control.writePart(run, 'chunk', key, writer, tally, end);
  const { container, destination } = tally;
  const work: PendingFile = { key, attempt: deps.random(), round: 0, pending: pending.length };
  // It tells its own request itself.
  await countingRequests({}, () => writeWork(control, run, work, pending, emptyTally(container, destination)));
  const later = { items: pending.length, attempt: work.attempt };
  const all = { ...tally, planned: tally.planned + pending.length, later };
  return control.writePart(run, 'chunk', key, writer, all, { ...end, pendingFile: work });
}

export async function writeWork(
  control: ControlStore,
  run: RunRef,
  work: PendingFile,
  items: (Outcome | PendingCopy)[],
  tally: Tally,
): Promise<ChunkResult> {
  const writer = new PartWriter<Outcome | PendingCopy>();
  for (const item of items) writer.add(item);
  return control.writePart(run, 'pending', pendingKey(work), writer, tally, { pendingFile: work });
}
