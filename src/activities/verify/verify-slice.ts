import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { isArchived } from '#domain/restore/locate.ts';
import { sliceKey } from '#domain/run/control-paths.ts';
import { manifestPages } from '#domain/run/manifest.ts';
import { asBackedUp, type Outcome, type PlannedItem } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { countOutcome, countPlanned, emptyTally } from '#domain/run/tally.ts';
import type { VerifyTask } from '#domain/run/tasks.ts';
import { isInPortion, parsePortion } from '#domain/verify/portion.ts';
import { countingRequests } from '#storage/requests.ts';
import { listNamed } from '../restore/held-content.ts';
import { contentPages, ManifestWalk } from '../restore/manifest-walk.ts';
import { PlanWriter } from '../run/plan-writer.ts';
import { pointOf } from '../run/restore-point-summary.ts';
import { RunGuard } from '../run/run-guard.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { planDrill } from './drill.ts';

/**
 * Looks for every item of a stretch of a restore point in the vault, by listings; what is to be read as well goes into plan
 * chunks. A drill looks at nothing but its sample. Safe to run twice, as `scanSlice` is.
 */
export function makeVerifySlice(deps: Dependencies) {
  return async function verifySlice(input: SliceInput): Promise<SliceResult> {
    const { run, container, destination, vaultLocation: mirror } = input;
    const task = run.verify!;
    if (task.kind === 'drill') return planDrill(deps, input);
    if (mirror === undefined) throw new Error(`A verification of ${container} was not told where its mirror lies`);
    const { control, vault } = jobContextOf(deps, run.job);
    const guard = new RunGuard(control, run, deps.now);
    const tally = emptyTally(container, destination);
    const part = new PartWriter<Outcome>();
    const plan = new PlanWriter(control, run, input.slice, container, deps.limits, deps.random);
    const isRead = toBeRead(task, container, run.id);
    const settle = (outcome: Outcome) => {
      countOutcome(tally, outcome);
      part.add(outcome);
    };

    return countingRequests(tally.requests, async () => {
      const standing = await guard.standing();
      if (standing !== 'go') return { stopped: standing };
      const point = await pointOf(control, run.job, task.point);
      const pages = manifestPages(point.parts, container);
      const beside = {
        readMirror: contentPages(vault, mirror.container, { prefix: mirror.prefix, snapshotsAndVersions: true }),
        lookUp: (name: string) => listNamed(vault, mirror.container, name),
        mirrorPrefix: mirror.prefix,
      };
      const walk = new ManifestWalk(control, pages, beside, input.manifest);
      const deadline = deps.now().getTime() + deps.limits.scanMs;
      while (walk.position !== undefined) {
        const { found, damaged } = await walk.nextPage();
        tally.listed += damaged.length;
        for (const outcome of damaged) settle(outcome);
        for (const { entry, content } of found) {
          tally.listed++;
          tally.listedBytes += entry.size;
          if (typeof content === 'string') {
            settle({ ...asBackedUp(entry), status: 'failed', code: content });
          } else if (!isRead(entry.name)) {
            settle({ ...asBackedUp(entry), status: 'unchanged' });
          } else if (isArchived(content)) {
            settle({ ...asBackedUp(entry), status: 'skipped', code: 'content-archived' });
          } else {
            const planned: PlannedItem = { from: content, reason: 'restore', entry };
            countPlanned(tally, planned);
            await plan.add(planned);
          }
        }
        const now = await guard.standing();
        if (now !== 'go') return { stopped: now };
        const enough =
          tally.listed >= deps.limits.sliceBlobs ||
          plan.chunks >= deps.limits.sliceChunks ||
          deps.now().getTime() >= deadline;
        if (enough) break;
      }
      const next = walk.position;
      if (next === undefined) tally.last = true;
      const result: SliceResult = { chunks: await plan.finish(), ...(next && { nextManifest: next }) };
      return control.writePart(run, 'slice', sliceKey(input.slice), part, tally, result);
    });
  };
}

/** Which blobs are read, beside being looked for. */
function toBeRead(
  { kind, portion: share, turn }: VerifyTask,
  container: string,
  salt: string,
): (name: string) => boolean {
  if (kind !== 'deep') return () => false;
  const parsed = parsePortion(share);
  if (parsed === undefined) throw new Error(`"${share}" is no share of what is to be read`);
  return (name) => isInPortion(parsed, `${container}/${name}`, turn, salt);
}
