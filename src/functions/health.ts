import type { Dependencies } from '../activities/dependencies.ts';
import { problemCodeOf } from '../activities/problem-code.ts';
import { PROBLEMS } from '../domain/outcome.ts';
import { nextAfter } from '../domain/schedule.ts';
import { isStorageError } from '../storage/storage-error.ts';
import { answering, json } from './answering.ts';

declare const STRONGROOM_VERSION: string;

const PATIENCE_MS = 5_000;

/** GET /api/health — 200 when every account answers, 503 and which do not. Names aliases only. */
export function healthHandler(deps: Dependencies) {
  return answering(deps, async () => {
    const { jobs } = deps.configuration;
    const aliases = [...deps.configuration.accounts.keys()];
    const accounts = await Promise.all(
      aliases.map(async (alias) => ({
        alias,
        ...(await answers(
          deps,
          alias,
          jobs.some(({ destination }) => destination.account === alias),
        )),
      })),
    );
    const healthy = accounts.every(({ status }) => status === 'ok');
    return json(healthy ? 200 : 503, {
      status: healthy ? 'ok' : 'degraded',
      version: STRONGROOM_VERSION,
      accounts,
      jobs: jobs.map(({ name, schedule, timeZone }) => ({
        name,
        schedule: schedule ?? null,
        timeZone,
        next: (schedule && nextAfter(schedule, timeZone, deps.now())?.toISOString()) || null,
      })),
    });
  });
}

async function answers(deps: Dependencies, alias: string, vault: boolean) {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    await deps.blobs(alias).listContainers(undefined, signal);
    return { status: 'ok' as const };
  } catch (error) {
    if (!isStorageError(error)) throw error;
    const code = error.kind === 'aborted' ? 'unreachable' : problemCodeOf(error, vault ? 'destination' : 'source');
    return { status: 'failed' as const, code, hint: PROBLEMS[code] };
  }
}
