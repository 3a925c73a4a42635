import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import type { BlobState, BlobType } from '#domain/blobs/blob.ts';
import { expand } from '#domain/blobs/container-template.ts';
import { ListingCursor, type ReadPage } from '#domain/blobs/listing-cursor.ts';
import type { NameOrder } from '#domain/blobs/name-order.ts';
import { decide } from '#domain/copying/decision.ts';
import { heldAs } from '#domain/copying/held.ts';
import { besidePrefix, placeOf } from '#domain/copying/vault-name.ts';
import { defined } from '#domain/run/defined.ts';
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
  const pagesBelow = (reserved: string): ReadPage => {
    const asked = { prefix: prefix + reserved + job.source.prefix, metadata: true, copy: true };
    return async (marker) => {
      try {
        return await vault.listBlobs(destination, { ...asked, ...(marker !== undefined && { marker }) });
      } catch (error) {
        if (!isStorageError(error, 'container-not-found')) throw error;
        isBackupMissing = true;
        return { blobs: [] };
      }
    };
  };
  // What is kept beside is rare: it is listed only if a blob has no copy of its type under its own name.
  const beside = new Map<BlobType, ListingCursor>();
  const findBeside = async (type: BlobType, name: string, order: NameOrder): Promise<BlobState | undefined> => {
    if (isBackupMissing) return undefined;
    const cursor = beside.get(type) ?? new ListingCursor(pagesBelow(besidePrefix(type)), undefined, order);
    beside.set(type, cursor);
    return (await cursor.takeAll(prefix + name))[0];
  };
  return walkSource(deps, input, {
    nameOf: (name) => prefix + name,
    read: pagesBelow(''),
    async decide(blob, own, order) {
      const { backup, vaultName } = await placeOf(blob, own, (name) => findBeside(blob.type, name, order));
      const decision = decide(blob, backup, run.mode === 'full' ? 'full' : 'incremental', run.id);
      if (decision.action === 'unchanged') {
        return { outcome: heldAs(blob, 'unchanged', { vaultEtag: backup!.etag, ...defined({ vaultName }) }) };
      }
      if (decision.action === 'skip' && !(backup === undefined && order.wasWrong)) {
        return { outcome: outcomeOf(blob, 'skipped', { code: decision.code }) };
      }
      const reason = 'reason' in decision ? decision.reason : 'pending';
      return { planned: { ...plannedCopy(blob, backup, reason), ...defined({ vaultName }) } };
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
