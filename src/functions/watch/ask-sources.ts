import type { Dependencies } from '#app/dependencies.ts';
import { concernsEveryRequest, problemCodeOf } from '#app/problem-code.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import { isStorageError } from '#storage/storage-error.ts';

const PATIENCE_MS = 5_000;

/**
 * Asks every account that is only a source for its containers, or tables: one request each. An account that answers is
 * in reach, also if it refuses the listing, as a signature of one container does.
 */
export async function askSources(deps: Dependencies): Promise<Map<string, ProblemCode | undefined>> {
  const { jobs, archives } = deps.configuration;
  const vaults = new Set([...jobs, ...archives].map(({ destination }) => destination.account));
  const sources = [...jobs, ...archives].map(({ source }) => source.account).filter((alias) => !vaults.has(alias));
  const hasBlobs = (alias: string) =>
    archives.some(({ source }) => source.account === alias) ||
    jobs.some(({ source }) => source.account === alias && source.containers.length > 0);
  const answers = [...new Set(sources)].map(
    async (alias) => [alias, await silenceOf(deps, alias, hasBlobs(alias))] as const,
  );
  return new Map(await Promise.all(answers));
}

async function silenceOf(deps: Dependencies, alias: string, blobs: boolean): Promise<ProblemCode | undefined> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    await (blobs
      ? deps.blobs(alias).listContainers(undefined, signal)
      : deps.tables(alias).listTables(undefined, signal));
    return undefined;
  } catch (error) {
    if (!isStorageError(error)) throw error;
    const code = error.kind === 'aborted' ? 'unreachable' : problemCodeOf(error, 'source');
    return concernsEveryRequest(code) && code !== 'sas-too-narrow' ? code : undefined;
  }
}
