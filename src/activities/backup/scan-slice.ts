import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { expand } from '#domain/blobs/container-template.ts';
import { decide } from '#domain/copying/decision.ts';
import { outcomeOf, type PlannedItem } from '#domain/run/outcome.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { walkSource } from './walk-source.ts';

/**
 * Lists a stretch of a container and of its mirror side by side, decides every blob, and writes what is to be copied
 * into plan chunks and everything else into a part of the manifest. Safe to run twice.
 */
export function makeScanSlice(deps: Dependencies) {
  return async function scanSlice(input: SliceInput): Promise<SliceResult> {
    const { run, container, destination } = input;
    const { job, vault } = jobContextOf(deps, run.job);
    const mirrorPrefix = expand(job.destination.prefix, container);
    let mirrorIsMissing = false;
    return walkSource(deps, input, {
      nameOf: (name) => mirrorPrefix + name,
      async read(marker) {
        try {
          return await vault.listBlobs(destination, {
            prefix: mirrorPrefix + job.source.prefix,
            metadata: true,
            copy: true,
            ...(marker !== undefined && { marker }),
          });
        } catch (error) {
          if (!isStorageError(error, 'container-not-found')) throw error;
          mirrorIsMissing = true;
          return { blobs: [] };
        }
      },
      decide(blob, mirror, order) {
        const decision = decide(blob, mirror, run.mode === 'full' ? 'full' : 'incremental', run.id);
        if (decision.action === 'unchanged') {
          return { outcome: outcomeOf(blob, 'unchanged', { vaultEtag: mirror!.etag }) };
        }
        if (decision.action === 'skip' && !(mirror === undefined && order.wasWrong)) {
          return { outcome: outcomeOf(blob, 'skipped', { code: decision.code }) };
        }
        return { planned: plannedCopy(blob, mirror, 'reason' in decision ? decision.reason : 'pending') };
      },
      async planned() {
        if (mirrorIsMissing) await vault.createContainer(destination);
      },
    });
  };
}

/** Keeps of the mirror what copying needs to know, and no more: plans are stored. */
function plannedCopy(source: BlobState, mirror: BlobState | undefined, reason: PlannedItem['reason']): PlannedItem {
  if (!mirror) return { from: source, reason };
  const { name, etag, lastModified, size, type, tier, metadata, copy, contentMd5 } = mirror;
  return {
    from: source,
    reason,
    to: {
      name,
      etag,
      lastModified,
      size,
      type,
      ...(tier !== undefined && { tier }),
      ...(metadata !== undefined && { metadata }),
      ...(copy !== undefined && { copy }),
      ...(contentMd5 !== undefined && { contentMd5 }),
    },
  };
}
