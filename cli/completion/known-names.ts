import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Names } from '../command/command.ts';
import { contextsFile, readContexts } from '../connect/contexts.ts';
import type { Session } from '../session.ts';
import type { World } from '../world.ts';

/** Milliseconds for which names of the app are good. */
const AGE = 60_000;
/** Ids that completion offers. */
const MOST = 50;

/** The names of a kind, from the app or from a minute ago. None if the app cannot be asked without another program. */
export async function knownNames(session: Session, kind: Names): Promise<string[]> {
  if (kind === 'context') return Object.keys(readContexts(contextsFile(session.world)).contexts);
  if (kind === 'file') return [];
  const { url, signIn } = session.place;
  // The Azure CLI takes seconds, and a person waits for one.
  if (signIn.way === 'function-key' || signIn.way === 'entra') return [];
  const file = cacheFile(session.world, `${url} ${kind}`);
  const kept = read(file, session.world.now());
  if (kept) return kept;
  // Names go into a command line, where a shell reads them.
  const names = (await askFor(session, kind)).filter((name) => /^[\w.][\w.-]*$/.test(name));
  write(file, names, session.world.now());
  return names;
}

async function askFor({ api }: Session, kind: Exclude<Names, 'context' | 'file'>): Promise<string[]> {
  const jobs = async () => (await api.call<'listJobs'>('GET', 'jobs')).body.jobs;
  const rules = async () => (await api.call<'listArchives'>('GET', 'archives')).body.archives;
  const query = { limit: MOST };
  switch (kind) {
    case 'job':
      return (await jobs()).map(({ name }) => name);
    case 'rule':
      return (await rules()).map(({ name }) => name);
    case 'job-or-rule':
      return [...(await jobs()), ...(await rules())].map(({ name }) => name);
    case 'account':
      return [...new Set((await jobs()).flatMap(({ source, destination }) => [source.account, destination.account]))];
    case 'run':
      return (await api.call<'listRuns'>('GET', 'runs', { query })).body.runs.map(({ id }) => id);
    case 'point': {
      const { body } = await api.call<'listRestorePoints'>('GET', 'restore-points', { query });
      return body.restorePoints.map(({ id }) => id);
    }
  }
}

function cacheFile({ env, home, platform }: World, what: string): string {
  const folder = env.XDG_CACHE_HOME || (platform === 'win32' && env.LOCALAPPDATA) || join(home, '.cache');
  return join(folder, 'strongroom', 'names', createHash('sha256').update(what).digest('hex').slice(0, 32));
}

function read(file: string, now: Date): string[] | undefined {
  try {
    const { at, names } = JSON.parse(readFileSync(file, 'utf8')) as { at: number; names: unknown };
    const age = now.getTime() - at;
    return age >= 0 && age < AGE && Array.isArray(names) ? names.filter((name) => typeof name === 'string') : undefined;
  } catch {
    return undefined;
  }
}

/** Without a place to keep names, completion is only slower. */
function write(file: string, names: string[], now: Date): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const own = `${file}.${process.pid}`;
    writeFileSync(own, JSON.stringify({ at: now.getTime(), names }), { mode: 0o600 });
    renameSync(own, file);
  } catch {}
}
