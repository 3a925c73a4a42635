import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { runsPrefix, sliceKey } from '#domain/run/control-paths.ts';
import { isHeld } from '#domain/run/manifest.ts';
import { asBackedUp, type Outcome } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import type { VerifyRef } from '#domain/run/run.ts';
import { countOutcome, emptyTally } from '#domain/run/tally.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import { type StoredEntity, sameEntity, timestampOf } from '#domain/tables/entity-text.ts';
import { scratchTable, tableDrillOf } from '#domain/tables/scratch-table.ts';
import { isSegment, type Segment } from '#domain/tables/segment.ts';
import { nameOfKey } from '#domain/tables/table-key.ts';
import { sampleOf } from '#domain/verify/sample.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { TableAccount } from '#storage/table-account.ts';
import { pointOf } from '../run/restore-point-summary.ts';
import { RunGuard } from '../run/run-guard.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { segmentsOf } from './read-segment.ts';
import { damagedRange } from './segment-pages.ts';
import { writeBatch } from './write-batch.ts';

/** With the entities of the sample, others around them are restored: so many in all, in a transaction of at most so many. */
const ENTITIES = 5_000;
const TOGETHER = 100;

/**
 * Restores those entities of a drill's sample that lie in one table, with their neighbours, into a scratch table of the vault's
 * account, reads them back, compares them, and deletes the table. Safe to run twice: each execution has a table of its own.
 */
export async function drillTable(deps: Dependencies, input: SliceInput<VerifyRef>): Promise<SliceResult> {
  const { run, container, destination, slice } = input;
  const task = run.verify;
  const { job, control } = jobContextOf(deps, run.job);
  const vault = deps.tables(job.destination.account);
  const remover = deps.tables(job.retention?.account ?? job.destination.account);
  const guard = new RunGuard(control, run, deps.now);
  const tally = emptyTally(container, destination);
  const part = new PartWriter<Outcome>();
  const settle = (outcome: Outcome) => {
    countOutcome(tally, outcome);
    part.add(outcome);
  };

  return countingRequests(tally.requests, async (): Promise<SliceResult> => {
    const standing = await guard.standing();
    if (standing !== 'go') return { stopped: standing };
    const point = await pointOf(control, run.job, task.point);
    const ofTable = point.parts.filter((each) => each.container === container);
    // Each table has a sample of its own, beside that of all blobs: here its entities are what is picked from.
    const sample = sampleOf(
      ofTable.map((each) => ({ ...each, container: '' })),
      task.sample,
      `${run.id} ${container}`,
    );
    const own = ofTable.filter(({ path }) => sample.has(path));
    const first = point.parts.find((each) => tableOfTask(each.container) !== undefined);
    if (slice === 0 && first?.container === container) await removeLeftovers(deps, vault, remover, run.job);
    const scratch = { account: vault, table: scratchTable(run.id, deps.random()) };
    const read = segmentsOf(deps, run);
    const deadline = deps.now().getTime() + deps.limits.scanMs;
    const together = Math.max(1, Math.min(TOGETHER, Math.floor(ENTITIES / task.sample)));
    const drilled = new Map<StoredEntity, Wrong | undefined>();
    let at = input.manifest?.page ?? 0;
    let left: string | undefined;
    try {
      while (at < own.length) {
        const each = own[at++]!;
        const [items] = await control.readManifest({ parts: [each], run: '' });
        if (!Array.isArray(items)) {
          tally.listed++;
          settle(damagedRange(each, items!));
          continue;
        }
        for (const [segment, numbers] of chosenIn(items.filter(isSegment).filter(isHeld), sample.get(each.path)!)) {
          let entities: StoredEntity[];
          try {
            entities = [...(await read(segment)).entities()];
          } catch (error) {
            if (!isStorageError(error, 'damaged')) throw error;
            tally.listed++;
            settle({ ...asBackedUp(segment), status: 'failed', code: 'content-mismatch', message: error.message });
            continue;
          }
          for (const stretch of stretchesOf(entities, numbers, together)) await restore(scratch, stretch, drilled);
        }
        const now = await guard.standing();
        if (now !== 'go') return { stopped: now };
        if (deps.now().getTime() >= deadline) break;
      }
      await readBack(scratch, drilled);
    } finally {
      left = drilled.size > 0 ? await remove(remover, scratch.table) : undefined;
    }
    for (const [entity, wrong] of drilled) {
      tally.listed++;
      tally.listedBytes += Buffer.byteLength(entity.text);
      if (wrong) {
        settle(outcomeOf(entity, 'failed', wrong.code, wrong.message));
      } else if (left !== undefined) {
        // Told with one of them.
        settle(outcomeOf(entity, 'unchanged', 'access-denied-prune', left));
        left = undefined;
      } else {
        tally.unchanged++;
      }
    }
    if (at >= own.length) tally.last = true;
    const result: SliceResult = { chunks: [], ...(at < own.length && { nextManifest: { page: at } }) };
    return control.writePart(run, 'slice', sliceKey(slice), part, tally, result);
  });
}

/** The segments in which the entities with these numbers are, counted through all of them, each with the numbers within it. */
function chosenIn(segments: readonly Segment[], numbers: readonly number[]): [Segment, number[]][] {
  let before = 0;
  return segments.flatMap((segment): [Segment, number[]][] => {
    const own = numbers.filter((number) => number >= before && number < before + segment.entities);
    const within = own.map((number) => number - before);
    before += segment.entities;
    return within.length > 0 ? [[segment, within]] : [];
  });
}

/** The chosen entities with others around them, in stretches of one partition that do not overlap, each of so many at most. */
function stretchesOf(
  entities: readonly StoredEntity[],
  numbers: readonly number[],
  together: number,
): StoredEntity[][] {
  const stretches = new Map<string, StoredEntity[]>();
  for (const number of numbers) {
    const { partition } = entities[number]!.key;
    const from = number - (number % together);
    const around = entities.slice(from, from + together).filter(({ key }) => key.partition === partition);
    stretches.set(`${from}/${partition}`, around);
  }
  return [...stretches.values()];
}

interface Scratch {
  account: TableAccount;
  table: string;
}

type Wrong = { code: ProblemCode; message: string };

/** Restores entities of one partition, and notes what is wrong with each that could not be. */
async function restore(
  { account, table }: Scratch,
  entities: readonly StoredEntity[],
  drilled: Map<StoredEntity, Wrong | undefined>,
): Promise<void> {
  const place = { target: account, table, makesTable: true, write: 'insert', same: 'copied', other: 'failed' } as const;
  await writeBatch({ ...place, signal: new AbortController().signal }, entities, (entity, _status, code, message) => {
    drilled.set(entity, code && { code, message: message ?? code });
  });
}

/** Compares what has come of those that could be restored. */
async function readBack({ account, table }: Scratch, drilled: Map<StoredEntity, Wrong | undefined>): Promise<void> {
  const there = new Map<string, string>();
  let from: string | undefined;
  // Where nothing could be written there is no table either.
  const open = [...drilled].filter(([, wrong]) => wrong === undefined);
  if (open.length === 0) return;
  do {
    const page = await account.readEntities(table, from === undefined ? {} : { from });
    for (const { key, text } of page.entities) there.set(nameOfKey(key), text);
    from = page.next;
  } while (from !== undefined);
  for (const [entity] of open) {
    const text = there.get(nameOfKey(entity.key));
    if (text !== undefined && sameEntity(text, entity.text)) continue;
    const what = text === undefined ? 'is not there' : 'has other properties than the vault';
    drilled.set(entity, { code: 'content-mismatch', message: `Restored to ${table}, it ${what}` });
  }
}

/** What to say where the scratch table may not be deleted, and so stays. */
async function remove(remover: TableAccount, table: string): Promise<string | undefined> {
  try {
    await remover.deleteTable(table);
  } catch (error) {
    if (!isStorageError(error)) throw error;
    // Whatever else keeps it there, the next drill takes it away.
    if (error.kind === 'access-denied')
      return `What was restored is left in table ${table} of ${remover.alias}: ${error.message}`;
  }
  return undefined;
}

/** Takes away what earlier drills of the job have left: their pieces were killed, or were not allowed to. */
async function removeLeftovers(
  deps: Dependencies,
  vault: TableAccount,
  remover: TableAccount,
  job: string,
): Promise<void> {
  const { control } = jobContextOf(deps, job);
  try {
    const left: string[] = [];
    let from: string | undefined;
    do {
      const page = await vault.listTables(from);
      left.push(...page.names.filter((name) => tableDrillOf(name) !== undefined));
      from = page.next;
    } while (from !== undefined);
    if (left.length === 0) return;
    for await (const folder of control.foldersBelow(runsPrefix(job))) {
      const id = folder.split('/').at(-2)!;
      const own = left.filter((name) => id.endsWith(`-${tableDrillOf(name)}`));
      if (own.length === 0) continue;
      // Only a drill that has ended, and no table that merely has such a name. The present one has no summary yet.
      const ended = await control.readSummary({ job, id });
      if (ended?.verify?.kind !== 'drill') continue;
      for (const name of own) await remove(remover, name);
    }
  } catch (error) {
    // It is no part of the proof.
    if (!isStorageError(error)) throw error;
  }
}

function outcomeOf(
  { key, text }: StoredEntity,
  status: Outcome['status'],
  code: ProblemCode,
  message: string,
): Outcome {
  const about = { name: nameOfKey(key), etag: '', modified: timestampOf(text) ?? '', size: Buffer.byteLength(text) };
  return { ...about, status, code, message };
}
