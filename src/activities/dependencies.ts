import type { LimitFunction } from 'p-limit';
import type { ArchiveRule, Configuration, Job } from '../config.ts';
import type { Limits } from '../limits.ts';
import type { BlobAccount } from '../storage/blob-account.ts';
import type { Catalog, CatalogRow } from '../storage/catalog.ts';
import { ControlStore } from '../storage/control-store.ts';
import { ReceiptStore } from '../storage/receipt-store.ts';
import { isStorageError } from '../storage/storage-error.ts';
import type { TableAccount } from '../storage/table-account.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

/** What functions and activities work with; made once in `index.ts`. */
export interface Dependencies {
  configuration: Configuration;
  limits: Limits;
  telemetry: Telemetry;
  /** Bounds the copies under way in this process, whatever the number of activities. */
  copySlots: LimitFunction;
  blobs(alias: string): BlobAccount;
  tables(alias: string): TableAccount;
  catalog(alias: string): Catalog;
  now(): Date;
  /** Six characters of a–z and 0–9. */
  random(): string;
}

/** A job with the accounts it works on. */
export interface Workplace {
  job: Job;
  /** Present where the runs are those of an archive rule; `job` is then what a job that copies the same would be. */
  rule?: ArchiveRule;
  source: BlobAccount;
  vault: BlobAccount;
  control: ControlStore;
}

/** Throws when the configuration no longer has the job: it was removed while a run was under way. */
export function workplaceOf(deps: Dependencies, jobName: string): Workplace {
  const rule = deps.configuration.archives.find(({ name }) => name === jobName);
  const job = rule ? asJob(rule) : deps.configuration.jobs.find(({ name }) => name === jobName);
  if (!job) throw new Error(`The configuration has no job "${jobName}" any more`);
  const vault = deps.blobs(job.destination.account);
  return {
    job,
    ...(rule && { rule }),
    source: deps.blobs(job.source.account),
    vault,
    control: new ControlStore(vault),
  };
}

/** The receipts of a rule as it is configured now. */
export function receiptsOf(deps: Dependencies, rule: string): ReceiptStore {
  const { control, source, job } = workplaceOf(deps, rule);
  return new ReceiptStore(control, { rule, account: source.endpoint, container: job.source.containers[0]! });
}

/** The runs of an archive rule are under its name, as those of a job are. */
export function asJob({ name, timeZone, method, source, destination }: ArchiveRule): Job {
  const { container, ...selection } = source;
  const { account, container: template, prefix } = destination;
  return {
    name,
    timeZone,
    mode: 'incremental',
    method,
    source: { ...selection, containers: [container], tables: [], tableDeletions: false },
    destination: { account, container: template, prefix },
  };
}

/** Names of jobs and archive rules alike: whatever has runs. */
export function runsAs({ configuration }: Dependencies): Job[] {
  return [...configuration.jobs, ...configuration.archives.map(asJob)];
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
