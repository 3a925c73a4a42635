import type { Dependencies } from '#app/dependencies.ts';
import type { JobContext } from '#app/job-context.ts';
import type { ComparedPart } from '#domain/run/comparison.ts';
import type { PropertiesPart } from '#domain/run/container-properties.ts';
import { isGoneKey, kindOfPath } from '#domain/run/control-paths.ts';
import type { NotPreserved } from '#domain/run/not-preserved.ts';
import type { ListedPart } from '#domain/run/placed-part.ts';
import type { Problem } from '#domain/run/problems.ts';
import type { PrunePlan } from '#domain/run/prune-plan.ts';
import { comparedParts, propertiesParts } from '#domain/run/report.ts';
import { type ContainerReport, isBackup, type PartEntry, type RunRef, type RunSummary } from '#domain/run/run.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { comparisonsTakenOver, notPreservedTakenOver, partsTakenOver, skippedTakenOver } from './parts-taken-over.ts';
import { pointsInCatalog } from './points-in-catalog.ts';
import { type PreviousPoint, previousPoint } from './previous-point.ts';

export interface PublishRunInput {
  run: RunRef;
  /** How many containers the run works on, including those with problems. */
  containers: number;
  /** Problems of whole containers, and of the run. */
  problems: Problem[];
  /** What decides nothing. */
  remarks?: Problem[];
  cancelled: boolean;
  /** Requests that no part counts. */
  requests: Record<string, number>;
}

/** What the vault has of a run when it ends. */
export interface Findings {
  parts: ListedPart[];
  /** The parts of the containers that have no problem as a whole. */
  sound: ListedPart[];
  compared: ComparedPart[];
  /** The parts of the run that a retry completes. */
  earlier: PartEntry[];
  properties: PropertiesPart[];
  /** What the containers of the run that a retry completes have and no backup holds. */
  notPreservedEarlier: NotPreserved['containers'];
  /** The containers that the run that a retry completes has skipped: the retry does not try them. */
  skippedEarlier: ContainerReport[];
  /** What a backup is compared with. */
  previous?: PreviousPoint;
  /** How many earlier restore points the catalog lists, if the vault knows none of them. */
  lost?: number;
  plan?: PrunePlan;
}

export async function findingsOf(
  deps: Dependencies,
  { control, vault }: JobContext,
  { run, problems }: PublishRunInput,
): Promise<Findings> {
  const parts = await control.listParts(run);
  const troubled = new Set(problems.map(({ container }) => container));
  const sound = parts.filter(({ tally }) => !troubled.has(tally.container));
  // A comparison that a problem has overtaken says that something is held.
  const compared = comparedParts(
    parts.filter(({ path, tally }) => !troubled.has(tally.container) || isGoneKey(kindOfPath(path)?.key ?? '')),
  );
  const earlier = await earlierRun(control, run, problems);
  const own = new Set(sound.map(({ tally }) => tally.container));
  // A table that is there is not compared, and a container that failed has no sound parts.
  const settled = new Set([...own, ...compared.map(({ container }) => container)]);
  const isCompared = isBackup(run.mode) && !run.dryRun;
  const previous = isCompared ? await previousPoint(control, run.job) : undefined;
  const lost = isCompared && !previous ? await pointsInCatalog(deps, vault.alias, run) : 0;
  const plan = run.mode === 'prune' ? await control.readPrunePlan(run) : undefined;
  return {
    parts,
    sound,
    compared: [...(earlier ? comparisonsTakenOver(earlier, settled) : []), ...compared],
    earlier: earlier ? partsTakenOver(earlier, earlier.parts, own) : [],
    properties: [
      ...(earlier ? partsTakenOver(earlier, earlier.properties ?? [], own) : []),
      ...(run.dryRun ? [] : propertiesParts(sound)),
    ],
    notPreservedEarlier: earlier ? notPreservedTakenOver(earlier, own) : {},
    skippedEarlier: earlier ? skippedTakenOver(earlier, new Set([...own, ...troubled])) : [],
    ...(previous && { previous }),
    ...(lost > 0 && { lost }),
    ...(plan && { plan }),
  };
}

/** The run that a retry completes. If it is damaged, a retry that has failed as a whole for that must still end. */
async function earlierRun(
  control: ControlStore,
  run: RunRef,
  problems: readonly Problem[],
): Promise<RunSummary | undefined> {
  if (run.mode !== 'retry') return undefined;
  try {
    return await control.readRecordedSummary({ job: run.job, id: run.retryOf });
  } catch (error) {
    if (isStorageError(error, 'damaged') && problems.some(({ container }) => container === undefined)) return undefined;
    throw error;
  }
}
