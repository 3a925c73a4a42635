/**
 * Names in the control container of the vault. Names of containers are safe path segments; names of blobs never appear.
 */

export { CONTROL_CONTAINER } from '../blobs/container-pattern.ts';

/** Start of the names of containers that drills restore to. */
export const DRILL_CONTAINER_PREFIX = 'strongroom-drill-';

/** What a check of rights writes once, to ask about it. */
export const CHECKS_OBJECT = 'checks.json';

export const LOCKS = 'locks/';

export function lockPath(job: string): string {
  return `${LOCKS}${job}.json`;
}

export function readersPrefix(job: string): string {
  return `jobs/${job}/readers/`;
}

/** The lock of a run that only reads a restore point. */
export function readerPath(run: { job: string; id: string }): string {
  return `${readersPrefix(run.job)}${run.id}.json`;
}

export function runsPrefix(job: string): string {
  return `jobs/${job}/runs/`;
}

export function runPrefix(run: { job: string; id: string }): string {
  return `${runsPrefix(run.job)}${run.id}/`;
}

export function summaryPath(run: { job: string; id: string }): string {
  return `${runPrefix(run)}run.json`;
}

/** The signs of life of a run, one line each. */
export function signsPath(run: { job: string; id: string }): string {
  return `${runPrefix(run)}signs`;
}

/** The plan of a prune. */
export function prunePlanPath(run: { job: string; id: string }): string {
  return `${runPrefix(run)}prune.json`;
}

export function notesPrefix(job: string): string {
  return `jobs/${job}/restore-points/`;
}

/** The notes on a restore point, which itself never changes. */
export function notesPath(run: { job: string; id: string }): string {
  return `${notesPrefix(run.job)}${run.id}.json`;
}

export function chainPrefix(job: string): string {
  return `jobs/${job}/chain/`;
}

/** A record of the chain. Numbers sort as they count. */
export function chainPath(job: string, number: number): string {
  return `${chainPrefix(job)}${pad(number, 10)}.json`;
}

/** The number of a listed record, or undefined for a name that is not one. */
export function chainNumber(job: string, path: string): number | undefined {
  const [, digits] = /^(\d{10})\.json$/.exec(path.slice(chainPrefix(job).length)) ?? [];
  return digits === undefined || !path.startsWith(chainPrefix(job)) ? undefined : Number(digits);
}

/** The prefix of all files of entities of a job. */
export function tablesPrefix(job: string): string {
  return `jobs/${job}/tables/`;
}

/** The folder of a table's files of entities. Restore points share the files that have not changed. */
export function entityFilesPrefix(job: string, table: string): string {
  return `${tablesPrefix(job)}${table}/`;
}

/** A file of entities, written by a piece of a run. `attempt` distinguishes executions of the piece. */
export function entityFilePath(run: { job: string; id: string }, table: string, key: string, attempt: string): string {
  return `${entityFilesPrefix(run.job, table)}${run.id}-${key}-${attempt}.ndjson.gz`;
}

/**
 * `range`: segments of a table's backup, for one key range. `compared`: what is no longer held. `properties`: of the
 * container or table itself.
 */
export type PartKind = 'slice' | 'chunk' | 'range' | 'compared' | 'properties' | 'plan' | 'pending' | 'progress';

const FOLDERS: Record<PartKind, string> = {
  slice: 'manifest',
  chunk: 'manifest',
  range: 'manifest',
  compared: 'manifest',
  properties: 'manifest',
  plan: 'plan',
  pending: 'pending',
  progress: 'progress',
};

/** `manifest/images/000003-chunk-02-000000.ndjson.gz`: kind and numbers make the name unique and sort it. */
export function partPath(run: { job: string; id: string }, kind: PartKind, container: string, key: string): string {
  const suffix = kind === 'progress' ? '' : '.ndjson.gz';
  return `${runPrefix(run)}${FOLDERS[kind]}/${container}/${key}${suffix}`;
}

/** The kind of a listed name below the prefix of a run, or undefined for a name that is not a part (run.json). */
export function kindOfPath(path: string): { kind: PartKind; container: string; key: string } | undefined {
  const match = /\/runs\/[^/]+\/(manifest|plan|pending|progress)\/([^/]+)\/([^/]+?)(?:\.ndjson\.gz)?$/.exec(path);
  if (!match) return undefined;
  const [, folder, container, key] = match;
  const kind = folder === 'manifest' ? inManifest(key!) : (folder as PartKind);
  return { kind, container: container!, key: key! };
}

function inManifest(key: string): PartKind {
  if (key.endsWith('-compared')) return 'compared';
  if (key.endsWith('-range')) return 'range';
  if (key === PROPERTIES_KEY) return 'properties';
  return key.includes('chunk') ? 'chunk' : 'slice';
}

/** The folder of a container's parts in the manifest of a run. */
export function manifestPrefix(run: { job: string; id: string }, container: string): string {
  return `${runPrefix(run)}manifest/${container}/`;
}

/** The part with the properties of the container or table itself. */
export const PROPERTIES_KEY = 'properties';
/** A piece of a table's backup, by the number that its orchestration gave it. */
export const rangeKey = (piece: number): string => `${pad(piece, 6)}-range`;
export const sliceKey = (slice: number): string => `${pad(slice, 6)}-slice`;
/** Part of a comparison. If the run holds nothing of the container (`gone`), another comparison does not count. */
export const comparedKey = (part: number, isGone: boolean): string =>
  `${pad(part, 6)}${isGone ? '-gone' : ''}-compared`;
export const isGoneKey = (comparedKey: string): boolean => comparedKey.endsWith('-gone-compared');
export const planKey = (slice: number, chunk: number, attempt: string): string =>
  `${pad(slice, 6)}-${pad(chunk, 2)}-${attempt}`;
export const chunkKey = (slice: number, chunk: number, from: number): string =>
  `${pad(slice, 6)}-chunk-${pad(chunk, 2)}-${pad(from, 6)}`;

/** The part with the outcomes of copies that were pending when the part of their piece was written. */
export const laterKey = (chunkKey: string): string => `${chunkKey}-later`;
/** The pending copies of a piece after this many rounds of checks. Attempts are other executions of the piece. */
export const pendingKey = ({ key, attempt, round }: { key: string; attempt: string; round: number }): string =>
  `${key}-${attempt}-r${pad(round, 3)}`;

/** The numbers in a key from `chunkKey`. */
export function parseChunkKey(key: string): { slice: number; chunk: number; from: number } | undefined {
  const match = /^(\d+)-chunk-(\d+)-(\d+)$/.exec(key);
  return match ? { slice: Number(match[1]), chunk: Number(match[2]), from: Number(match[3]) } : undefined;
}

/** The members of a key from `pendingKey`. */
export function parsePendingKey(key: string): { key: string; attempt: string; round: number } | undefined {
  const match = /^(\d+-chunk-\d+-\d+)-([a-z0-9]+)-r(\d+)$/.exec(key);
  return match ? { key: match[1]!, attempt: match[2]!, round: Number(match[3]) } : undefined;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
