import type { DurableClient } from 'durable-functions';
import type { Dependencies } from '../activities/dependencies.ts';
import { problemOf, reportOf } from '../domain/report.ts';
import type { RunReport } from '../domain/run.ts';
import { isStorageError } from '../storage/storage-error.ts';
import { answering, json } from './answering.ts';
import { findRun } from './find-run.ts';

/** A run's report: from its summary, or from the parts it has left so far. */
export async function readReport(deps: Dependencies, client: DurableClient, id: string): Promise<RunReport> {
  const found = await findRun(deps, client, id);
  if (found.state === 'ended') {
    const { format, source, vault, destination, restorePoint, parts, ...report } = found.summary;
    return report;
  }
  const now = deps.now();
  if (found.state === 'lost') {
    const problems = [problemOf('run-lost', 0)];
    return reportOf(found.run, found.parts, { status: 'failed', now, finishedAt: now, problems, requests: {} });
  }
  const [parts, expected] = await Promise.all([
    found.control.listParts(found.run),
    found.run.mode === 'retry' ? undefined : lastListed(deps, found.vault, found.run.job),
  ]);
  return reportOf(found.run, parts, {
    status: 'running',
    now,
    problems: [],
    requests: {},
    ...(expected !== undefined && { expected }),
    containers: found.containers ?? Number.POSITIVE_INFINITY,
  });
}

/** How many blobs the job's last finished run listed: what the present one can be expected to list. */
async function lastListed(deps: Dependencies, vault: string, job: string): Promise<number | undefined> {
  try {
    const { rows } = await deps.catalog(vault).list({ job, limit: 10 });
    return rows.find(({ status, mode }) => mode !== 'retry' && /^(succeeded|completed)/.test(status))?.counts?.listed;
  } catch (error) {
    if (isStorageError(error)) return undefined;
    throw error;
  }
}

/** GET /api/runs/{id} */
export function getRunHandler(deps: Dependencies) {
  return answering(deps, async (request, client) => json(200, await readReport(deps, client, request.params.id!)));
}
