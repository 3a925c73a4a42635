import pLimit from 'p-limit';
import { agedRuns, isOfNoUse } from '#domain/prune/old-runs.ts';
import { type PruneRef, type RunSummary, runsNamedBy } from '#domain/run/run.ts';
import { earlierVerifications } from '#domain/verify/earlier-verifications.ts';
import type { ListedRecord } from '#storage/control/chain-store.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { VaultPicture } from './vault-picture.ts';

/** The plan names each, and so does its record in the chain. The next prune continues. */
const MOST = 1_000;
const READS_AT_ONCE = 16;

/**
 * The runs of the job of a prune that left no restore point, ended before a time, and are of use to no restore point,
 * retry or verification: oldest first, at most 1,000. The prune holds the lock of the job, so no backup is in progress.
 */
export async function findOldRuns(
  control: ControlStore,
  run: PruneRef,
  picture: VaultPicture,
  before: number,
): Promise<string[]> {
  const { job } = run;
  const own = picture.ended.filter((each) => each.job === job);
  const points = new Set(picture.points.filter((point) => point.job === job).map(({ id }) => id));
  if (agedRuns(own, { named: new Set(), points }, before).length === 0) return [];
  const records = await control.chain.listRecords(job);
  const named = await namedRuns(control, run, picture, { points, records });
  const aged = named ? agedRuns(own, { named, points }, before) : [];
  const recorded = new Map(records.map(({ run: id, sha256 }) => [id, sha256]));
  const found: string[] = [];
  for (let at = 0; at < aged.length && found.length < MOST; at += MOST) {
    const some = aged.slice(at, at + MOST);
    const limit = pLimit(READS_AT_ONCE);
    const summaries = await Promise.all(
      some.map((id) => limit(() => unlessDamaged(control.readSummary({ job, id }, recorded.get(id))))),
    );
    found.push(...some.filter((_, index) => summaries[index] && isOfNoUse(summaries[index], points)));
  }
  return found.slice(0, MOST);
}

/** The runs whose objects are still of use; undefined if that cannot be known. */
async function namedRuns(
  control: ControlStore,
  run: PruneRef,
  picture: VaultPicture,
  { points, records }: { points: ReadonlySet<string>; records: readonly ListedRecord[] },
): Promise<Set<string> | undefined> {
  const { job } = run;
  const last = (await control.readLock(job))?.value.last;
  // The only backup that may be retried.
  const retriable =
    last === undefined ? undefined : await unlessDamaged(control.readRecordedSummary({ job, id: last }));
  if (last !== undefined && !retriable) return undefined;
  return new Set([
    run.id,
    ...(run.prune.plan ? [run.prune.plan.run] : []),
    ...picture.points.filter((point) => point.job === job).flatMap(({ builtOn }) => builtOn),
    ...(retriable ? runsNamedBy(retriable) : []),
    ...records.flatMap(({ kind, run: id }) => (kind === 'restore-point' && id !== undefined ? [id] : [])),
    ...['', ...points].flatMap((point) => earlierVerifications(records, point).flat()),
  ]);
}

async function unlessDamaged(reading: Promise<RunSummary | undefined>): Promise<RunSummary | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isStorageError(error, 'damaged')) return undefined;
    throw error;
  }
}
