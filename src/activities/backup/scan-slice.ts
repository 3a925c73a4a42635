import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { expand } from '#domain/blobs/container-template.ts';
import { decide } from '#domain/copying/decision.ts';
import { heldAs } from '#domain/copying/held.ts';
import { outcomeOf, type PlannedItem } from '#domain/run/outcome.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { readContainerProperties } from '../run/read-properties.ts';
import { recordProperties } from '../run/record-properties.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { walkSource } from './walk-source.ts';

/**
 * Lists a slice of a container and of its backup container side by side, decides every blob, plans those to copy, and
 * writes the other outcomes into a part of the manifest. Safe to run twice.
 */
export function scanSlice(deps: Dependencies, input: SliceInput): Promise<SliceResult> {
  const { run, container, destination } = input;
  const { job, vault } = jobContextOf(deps, run.job);
  const prefix = expand(job.destination.prefix, container);
  let isBackupMissing = false;
  return walkSource(deps, input, {
    nameOf: (name) => prefix + name,
    async read(marker) {
      try {
        return await vault.listBlobs(destination, {
          prefix: prefix + job.source.prefix,
          metadata: true,
          copy: true,
          ...(marker !== undefined && { marker }),
        });
      } catch (error) {
        if (!isStorageError(error, 'container-not-found')) throw error;
        isBackupMissing = true;
        return { blobs: [] };
      }
    },
    decide(blob, backup, order) {
      const decision = decide(blob, backup, run.mode === 'full' ? 'full' : 'incremental', run.id);
      if (decision.action === 'unchanged') {
        return { outcome: heldAs(blob, 'unchanged', { vaultEtag: backup!.etag }) };
      }
      if (decision.action === 'skip' && !(backup === undefined && order.wasWrong)) {
        return { outcome: outcomeOf(blob, 'skipped', { code: decision.code }) };
      }
      return { planned: plannedCopy(blob, backup, 'reason' in decision ? decision.reason : 'pending') };
    },
    async first(context) {
      const found = await readContainerProperties(context.source, container);
      // If it is gone again, its blobs are not, as far as they are copied.
      await recordProperties(context, found ?? { unread: ['properties', 'policies'] });
    },
    async planned() {
      if (isBackupMissing) await vault.createContainer(destination);
    },
  });
}

/** A plan is stored: it has those fields of the backup blob that a copy needs. */
function plannedCopy(source: BlobState, backup: BlobState | undefined, reason: PlannedItem['reason']): PlannedItem {
  if (!backup) return { from: source, reason };
  const { name, etag, lastModified, size, type, tier, metadata, leased, copy } = backup;
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
      ...(leased !== undefined && { leased }),
      ...(copy !== undefined && { copy }),
    },
  };
}
