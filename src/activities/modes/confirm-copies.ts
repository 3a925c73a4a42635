import type { Dependencies } from '#app/dependencies.ts';
import { laterKey, partPath, pendingKey } from '#domain/run/control-paths.ts';
import { isPending, type Outcome, type PendingCopy } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { countOutcome } from '#domain/run/tally.ts';
import type { ChunkResult, PendingFile } from '../run/chunk.ts';
import type { ContainerTask } from '../run/container-task.ts';
import { inRun, type RunContext } from '../run/run-context.ts';
import { watchStanding } from '../run/run-guard.ts';
import { stillPending, writePendingFile } from '../run/write-piece.ts';
import { executorOf } from './executor.ts';

export interface ConfirmCopiesInput extends ContainerTask {
  pendingFile: PendingFile;
}

type Item = Outcome | PendingCopy;

/**
 * Checks the pending copies of a pending file, brings each to an end where it can, and writes the next pending file, or
 * the later part of the manifest once none is pending. Only a copy with the id that was started counts.
 */
export function confirmCopies(deps: Dependencies, input: ConfirmCopiesInput): Promise<ChunkResult> {
  const { pendingFile } = input;
  const confirm = async (context: RunContext): Promise<ChunkResult> => {
    const path = partPath(input.run, 'pending', input.container, pendingKey(pendingFile));
    const { items } = await context.control.readPart<Item, ChunkResult>(path);
    return writeResults(context, pendingFile, items, await confirmItems(context, input, items));
  };
  return inRun(deps, input, confirm, { ...pendingFile.requests });
}

async function confirmItems(context: RunContext, task: ContainerTask, items: Item[]): Promise<Item[]> {
  const { deps, guard } = context;
  const stop = new AbortController();
  const largest = items.reduce((most, item) => Math.max(most, isPending(item) ? item.planned.from.size : 0), 0);
  const { confirm } = await executorOf(context, task, largest, stop.signal);
  const watch = watchStanding(guard, () => stop.abort());
  return Promise.all(items.map((item) => (isPending(item) ? deps.copySlots(() => confirm(item)) : item))).finally(() =>
    watch.end(),
  );
}

async function writeResults(
  context: RunContext,
  { key, attempt, round }: PendingFile,
  before: Item[],
  results: Item[],
): Promise<ChunkResult> {
  const { tally } = context;
  for (const result of results) {
    if (isPending(result)) continue;
    countOutcome(tally, result);
    tally.planned++;
  }
  const still = stillPending(results);
  // Copies that take days are checked thousands of times: what has not changed is not written again.
  if (results.every((result, index) => result === before[index])) {
    return { pendingFile: { key, attempt, round, ...still, requests: tally.requests } };
  }
  if (still.pending > 0) return writePendingFile(context, { key, attempt, round: round + 1, ...still }, results);
  const part = new PartWriter<Item>();
  for (const result of results) part.add(result);
  return context.writePart<Item, ChunkResult>('chunk', laterKey(key), part, {});
}
