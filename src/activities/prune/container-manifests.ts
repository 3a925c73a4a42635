import { runsAs } from '#app/job-context.ts';
import { expand } from '#domain/blobs/container-template.ts';
import { originalName } from '#domain/copying/vault-name.ts';
import type { PrunePlan } from '#domain/run/prune-plan.ts';
import { partEntries } from '#domain/run/report.ts';
import type { PartEntry } from '#domain/run/run.ts';
import { StorageError } from '#storage/storage-error.ts';
import type { RunContext } from '../run/run-context.ts';

/** A part of a restore point about one backup container. */
export interface ContainerManifest extends Origin {
  part: PartEntry;
  /** Whether its restore point remains. */
  remains: boolean;
}

/** Where blobs of a backup container come from. */
export interface Origin {
  job: string;
  /** Address of the account that was backed up; empty if it is not known. */
  source: string;
  container: string;
  /** Precedes the names in the backup container. */
  prefix: string;
}

/** Everything that the restore points in the vault say about a backup container. */
export async function manifestsOf(context: RunContext, plan: PrunePlan): Promise<ContainerManifest[]> {
  const points = [
    ...plan.keeps.map((point) => ({ ...point, remains: true })),
    ...plan.expired.map((id) => ({ job: plan.job, id, remains: false, unpublished: false })),
  ];
  const manifests: ContainerManifest[] = [];
  for (const point of points) manifests.push(...(await manifestsOfPoint(context, point)));
  return manifests;
}

async function manifestsOfPoint(
  { deps, control, container: backupContainer }: RunContext,
  { job, id, remains, unpublished }: { job: string; id: string; remains: boolean; unpublished?: boolean },
): Promise<ContainerManifest[]> {
  const summary = await control.readRecordedSummary({ job, id });
  if (!summary && !remains) return [];
  const configured = runsAs(deps).find(({ name }) => name === job)?.destination.prefix;
  const template = summary ? summary.destination.prefix : unpublished ? configured : undefined;
  if (template === undefined) {
    throw new StorageError('damaged', `The summary of restore point ${id} has disappeared since the prune began`);
  }
  const parts = summary ? summary.parts : partEntries(await control.listParts({ job, id }));
  const source = summary?.source ?? '';
  return parts
    .filter(({ destination }) => destination === backupContainer)
    .map((part) => {
      const { container } = part;
      return { job, source, container, prefix: expand(template, container), part, remains };
    });
}

/** The origins of manifests, each once: there are thousands of parts, and few origins. */
export function originsIn(manifests: readonly ContainerManifest[]): Origin[] {
  const keyOf = ({ job, source, container, prefix }: Origin) => JSON.stringify([job, source, container, prefix]);
  return [...new Map(manifests.map((manifest) => [keyOf(manifest), manifest])).values()];
}

/**
 * The job whose content a name is, of the origins that its prefix fits: jobs share a backup container under prefixes of
 * their own, and one may have had another prefix earlier. Each object counts for one job.
 */
export function ownerOf(origins: readonly Origin[]): string | undefined {
  const [owner] = origins.toSorted(
    (a, b) => b.prefix.length - a.prefix.length || Number(a.job > b.job) - Number(a.job < b.job),
  );
  return owner?.job;
}

/** All blobs that a backup blob may be a copy of; none if one of them is in another account than `source`. */
export function originalsOf(
  name: string,
  origins: readonly Origin[],
  source: string,
): { container: string; name: string }[] {
  if (origins.some((origin) => origin.source !== source)) return [];
  const originals = origins.map(({ container, prefix }) => ({ container, prefix }));
  const different = new Map(originals.map((each) => [`${each.container} ${each.prefix}`, each]));
  return [...different.values()].map(({ container, prefix }) => ({
    container,
    name: originalName(name.slice(prefix.length)),
  }));
}
