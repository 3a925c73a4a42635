import type { ArchiveRule, Job } from '#config/configuration.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { ReceiptStore } from '#storage/control/receipt-store.ts';
import type { Dependencies } from './dependencies.ts';

/** A job with its accounts. */
export interface JobContext {
  job: Job;
  /** Present if the runs belong to an archive rule; `job` is then a job that copies the same. */
  rule?: ArchiveRule;
  source: BlobAccount;
  vault: BlobAccount;
  control: ControlStore;
}

/** Throws if the configuration no longer has the job: it was removed while a run was in progress. */
export function jobContextOf(deps: Dependencies, jobName: string): JobContext {
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

/** The receipts of a rule, as the configuration now has it. */
export function receiptsOf(deps: Dependencies, rule: string): ReceiptStore {
  const { control, source, job } = jobContextOf(deps, rule);
  return new ReceiptStore(control, { rule, account: source.endpoint, container: job.source.containers[0]! });
}

/** An archive rule as a job: its runs have its name, as those of a job do. */
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

/** Everything that has runs: jobs and archive rules. */
export function runsAs({ configuration }: Dependencies): Job[] {
  return [...configuration.jobs, ...configuration.archives.map(asJob)];
}
