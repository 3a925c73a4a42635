import type { Dependencies } from '#app/dependencies.ts';
import { listNamed } from '#app/list-named.ts';
import { backupPages, type FoundEntry, ManifestWalk } from '#app/manifest-walk.ts';
import { isArchived } from '#domain/restore/locate.ts';
import { defined } from '#domain/run/defined.ts';
import { failedEntry } from '#domain/run/failed-entry.ts';
import { manifestPages } from '#domain/run/manifest.ts';
import { asBackedUp, type Outcome, type PlannedItem } from '#domain/run/outcome.ts';
import type { VerifyRef } from '#domain/run/run.ts';
import { isInPortion, parsePortion } from '#domain/verify/portion.ts';
import { withProved } from '#domain/verify/proved-content.ts';
import { verifyProperties } from '../restore/damaged-properties.ts';
import { restorePointSummary } from '../run/restore-point-summary.ts';
import { inRun, type RunContext } from '../run/run-context.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { SliceWriter } from '../run/slice-writer.ts';
import { EarlierProofs } from './earlier-proofs.ts';
import { planDrill } from './plan-drill.ts';
import { vaultLocationOf } from './vault-location.ts';

/**
 * Finds every item of a slice of a restore point in the vault, by listings, and plans those to read as well. A drill
 * checks nothing but its sample. Safe to run twice, as `scanSlice` is.
 */
export function verifySlice(deps: Dependencies, input: SliceInput<VerifyRef>): Promise<SliceResult> {
  return inRun(deps, input, (context) =>
    input.run.verify.kind === 'drill' ? planDrill(context, input) : findSlice(context, input),
  );
}

async function findSlice(context: RunContext<VerifyRef>, input: SliceInput<VerifyRef>): Promise<SliceResult> {
  const { run, container, vault, control, tally } = context;
  const location = vaultLocationOf(input);
  const isRead = readSelection(context);
  const point = await restorePointSummary(control, run.job, run.verify.point);
  const beside = {
    readBackup: backupPages(vault, location.container, location.prefix),
    listNamed: (name: string) => listNamed(vault, location.container, name),
    backupPrefix: location.prefix,
  };
  const walk = new ManifestWalk(control, manifestPages(point.parts, container), beside, input.manifest);
  const slice = new SliceWriter(context, input.slice);
  const earlier = run.verify.kind === 'deep' ? await EarlierProofs.of(context) : undefined;
  while (walk.position !== undefined) {
    const { found, damaged } = await walk.nextPage();
    tally.listed += damaged.length;
    for (const outcome of damaged) slice.settle(outcome);
    const proofs = await earlier?.find(found.map(({ entry }) => entry));
    for (const each of found) {
      slice.list(each.entry.size);
      const proved = proofs?.get(each.entry.name);
      const decided = decideFound(each, isRead);
      if ('from' in decided) await slice.plan({ ...decided, ...defined({ proved }) });
      else slice.settle(withProved(decided, proved));
    }
    await context.ensureMayContinue();
    if (slice.isFull()) break;
  }
  const next = walk.position;
  if (next === undefined) await verifyProperties(context, point, slice);
  return slice.finish(next ? { nextManifest: next } : {});
}

/** What a verification does with one entry: an outcome, or a blob to read. */
function decideFound({ entry, content }: FoundEntry, isRead: (name: string) => boolean): Outcome | PlannedItem {
  if (typeof content === 'string') return failedEntry(entry, content);
  if (!isRead(entry.name)) return { ...asBackedUp(entry), status: 'unchanged' };
  if (isArchived(content)) return { ...asBackedUp(entry), status: 'skipped', code: 'content-archived' };
  return { from: content, reason: 'restore', entry };
}

/** Which blobs are read, and not only found. */
function readSelection({ run, container }: RunContext<VerifyRef>): (name: string) => boolean {
  const { kind, portion, turn } = run.verify;
  if (kind !== 'deep') return () => false;
  const parsed = parsePortion(portion);
  if (parsed === undefined) throw new Error(`"${portion}" is not a portion of content to read`);
  return (name) => isInPortion(parsed, `${container}/${name}`, turn, run.id);
}
