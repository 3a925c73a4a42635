import type { LimitFunction } from 'p-limit';
import type { Configuration, Job } from '../config.ts';
import type { Limits } from '../limits.ts';
import type { BlobAccount } from '../storage/blob-account.ts';
import type { Catalog, CatalogRow } from '../storage/catalog.ts';
import { ControlStore } from '../storage/control-store.ts';
import { isStorageError } from '../storage/storage-error.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

/** What functions and activities work with; made once in `index.ts`. */
export interface Dependencies {
  configuration: Configuration;
  limits: Limits;
  telemetry: Telemetry;
  /** Bounds the copies under way in this process, whatever the number of activities. */
  copySlots: LimitFunction;
  blobs(alias: string): BlobAccount;
  catalog(alias: string): Catalog;
  now(): Date;
  /** Six characters of a–z and 0–9. */
  random(): string;
}

/** A job with the accounts it works on. */
export interface Workplace {
  job: Job;
  source: BlobAccount;
  vault: BlobAccount;
  control: ControlStore;
}

/** Throws when the configuration no longer has the job: it was removed while a run was under way. */
export function workplaceOf(deps: Dependencies, jobName: string): Workplace {
  const job = deps.configuration.jobs.find(({ name }) => name === jobName);
  if (!job) throw new Error(`The configuration has no job "${jobName}" any more`);
  const vault = deps.blobs(job.destination.account);
  return {
    job,
    source: deps.blobs(job.source.account),
    vault,
    control: new ControlStore(vault),
  };
}

/** Adds or replaces a run's row. The catalog is only an index: nothing is less done when it cannot be written. */
export async function noteInCatalog(deps: Dependencies, vault: string, row: CatalogRow): Promise<void> {
  try {
    await deps.catalog(vault).put(row);
  } catch (error) {
    if (!isStorageError(error)) throw error;
    deps.telemetry.warn('catalog-not-written', { job: row.job, run: row.id, message: error.message });
  }
}
