import type { Options } from '../options.ts';
import { DEFAULT_URL } from './hints.ts';

/** What to do instead of `--once` where a host runs that has the data directory and serves the API. */
export function askHost({ job, mode }: NonNullable<Options['once']>, url = DEFAULT_URL, otherwise = ''): string {
  const command = `curl -X POST ${url}/api/jobs/${job}/runs -d '{"mode": "${mode}"}'`;
  return (
    `Ask that host to run it: ${command} (an archive rule: ${url}/api/archives/${job}/reconcile; with a key: ` +
    '-H "x-functions-key: $STRONGROOM_KEY"). Or stop that host' +
    `${otherwise}.`
  );
}
