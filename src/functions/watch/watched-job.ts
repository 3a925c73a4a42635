import type { Dependencies } from '#app/dependencies.ts';
import { runsAs } from '#app/job-context.ts';
import type { Job } from '#config/configuration.ts';
import { HttpError } from '../http/http-error.ts';
import { quoted } from '../http/quoted.ts';

/** A job, or an archive rule as one. Throws 404. */
export function watchedJob(deps: Dependencies, named: string): Job {
  const all = runsAs(deps);
  const job = all.find(({ name }) => name === named);
  if (job) return job;
  const hint = `The jobs and archive rules are: ${all.map(({ name }) => name).join(', ')}`;
  throw new HttpError(404, 'job-not-found', `The configuration has no job or archive rule ${quoted(named)}`, hint);
}
