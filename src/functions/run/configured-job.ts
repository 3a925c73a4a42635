import type { Dependencies } from '#app/dependencies.ts';
import { runsAs } from '#app/job-context.ts';
import type { Job } from '#config/configuration.ts';
import { nearest } from '#domain/input/nearest.ts';
import { isJobName } from '#domain/run/run-id.ts';
import { HttpError } from '../http/http-error.ts';
import { quoted } from '../http/quoted.ts';

/**
 * The job that a request names, or the only one. Throws 404 if the configuration does not have it, and 400 if the
 * request has to name one of several.
 */
export function configuredJob({ configuration }: Dependencies, named: string | undefined): Job {
  const { jobs } = configuration;
  const names = jobs.map(({ name }) => name).join(', ');
  if (named === undefined) {
    if (jobs.length > 1) {
      throw new HttpError(400, 'job-missing', 'Several jobs are configured; specify "job"', `The jobs are: ${names}`);
    }
    if (jobs[0]) return jobs[0];
    throw new HttpError(404, 'job-not-found', 'The configuration has archive rules, but no job');
  }
  const job = jobs.find(({ name }) => name === named);
  if (job) return job;
  if (configuration.archives.some(({ name }) => name === named)) {
    const hint = `To archive every upload that has no receipt: POST /api/archives/${named}/reconcile`;
    throw new HttpError(404, 'job-not-found', `${quoted(named)} is an archive rule, and no job`, hint);
  }
  throw unknownJob(named, jobs);
}

/**
 * The name of a job whose restore points a request asks for. The vault may have some of a job that the configuration no
 * longer has: who finds none then calls `configuredJob`, which throws 404.
 */
export function namedJob(deps: Dependencies, named: string | undefined): string {
  const isRule = deps.configuration.archives.some(({ name }) => name === named);
  return named !== undefined && !isRule && isJobName(named) ? named : configuredJob(deps, named).name;
}

/** Throws 404 for an empty list of a job that neither the vault nor the configuration has. */
export function checkJobOfList(deps: Dependencies, job: string | undefined, isEmpty: boolean): void {
  const known = runsAs(deps);
  if (job !== undefined && isEmpty && !known.some(({ name }) => name === job)) throw unknownJob(job, known);
}

function unknownJob(named: string, jobs: readonly Pick<Job, 'name'>[]): HttpError {
  const names = jobs.map(({ name }) => name);
  const near = nearest(named, names);
  const asked = near === undefined ? '' : `Did you mean "${near}"? `;
  const hint = jobs.length > 0 ? `${asked}The jobs are: ${names.join(', ')}` : undefined;
  return new HttpError(404, 'job-not-found', `The configuration has no job ${quoted(named)}`, hint);
}

/** The job of a run or restore point in the vault. Throws 409 if the configuration does not have it any more. */
export function jobOfStored({ configuration }: Dependencies, name: string): Job {
  const job = configuration.jobs.find((each) => each.name === name);
  if (job) return job;
  const hint = `Add a job "${name}" with this vault to strongroom.json; it needs no schedule`;
  throw new HttpError(409, 'job-not-found', `The configuration has no job ${quoted(name)}`, hint);
}
