/** Where things lie in the vault's control container. Container names are safe path segments; blob names never appear. */

export const CONTROL_CONTAINER = 'strongroom';

export const LOCKS = 'locks/';

export function lockPath(job: string): string {
  return `${LOCKS}${job}.json`;
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

/** What a prune is about. */
export function prunePlanPath(run: { job: string; id: string }): string {
  return `${runPrefix(run)}prune.json`;
}

export function notesPrefix(job: string): string {
  return `jobs/${job}/restore-points/`;
}

/** What has come to be known of a restore point since it was made; it never changes itself. */
export function notesPath(run: { job: string; id: string }): string {
  return `${notesPrefix(run.job)}${run.id}.json`;
}

/** In front of all files of entities of a job. */
export function tablesPrefix(job: string): string {
  return `jobs/${job}/tables/`;
}

/** Where the entities of a table lie: the files of several restore points, which share those that have not changed. */
export function entityFilesPrefix(job: string, table: string): string {
  return `${tablesPrefix(job)}${table}/`;
}

/** A file of entities, written by a piece of work of a run; `attempt` tells executions of the piece apart. */
export function entityFilePath(run: { job: string; id: string }, table: string, key: string, attempt: string): string {
  return `${entityFilesPrefix(run.job, table)}${run.id}-${key}-${attempt}.ndjson.gz`;
}

/** `range`: of a backup of a table, segments; what it has of a stretch of keys. */
export type PartKind = 'slice' | 'chunk' | 'range' | 'plan' | 'pending' | 'progress';

const FOLDERS: Record<PartKind, string> = {
  slice: 'manifest',
  chunk: 'manifest',
  range: 'manifest',
  plan: 'plan',
  pending: 'pending',
  progress: 'progress',
};

/** `manifest/images/000003-chunk-02-000000.ndjson.gz`: kind and numbers make the name unique and sort it. */
export function partPath(run: { job: string; id: string }, kind: PartKind, container: string, key: string): string {
  const suffix = kind === 'progress' ? '' : '.ndjson.gz';
  return `${runPrefix(run)}${FOLDERS[kind]}/${container}/${key}${suffix}`;
}

/** The kind of a listed name below a run's prefix, or undefined for what is no part (run.json). */
export function kindOfPath(path: string): { kind: PartKind; container: string; key: string } | undefined {
  const match = /\/runs\/[^/]+\/(manifest|plan|pending|progress)\/([^/]+)\/([^/]+?)(?:\.ndjson\.gz)?$/.exec(path);
  if (!match) return undefined;
  const [, folder, container, key] = match;
  const kind = folder === 'manifest' ? inManifest(key!) : (folder as PartKind);
  return { kind, container: container!, key: key! };
}

function inManifest(key: string): PartKind {
  if (key.endsWith('-range')) return 'range';
  return key.includes('chunk') ? 'chunk' : 'slice';
}

/** Of a backup of a table: a piece of work on its keys, by the number that its orchestration gave it. */
export const rangeKey = (piece: number): string => `${pad(piece, 6)}-range`;
export const sliceKey = (slice: number): string => `${pad(slice, 6)}-slice`;
export const planKey = (slice: number, chunk: number, attempt: string): string =>
  `${pad(slice, 6)}-${pad(chunk, 2)}-${attempt}`;
export const chunkKey = (slice: number, chunk: number, from: number): string =>
  `${pad(slice, 6)}-chunk-${pad(chunk, 2)}-${pad(from, 6)}`;

/** The part that tells what became of the copies that were pending when the piece's own part was written. */
export const laterKey = (chunkKey: string): string => `${chunkKey}-later`;
/** The copies of a piece that are pending after so many rounds of looking; attempts are other executions of the piece. */
export const pendingKey = ({ key, attempt, round }: { key: string; attempt: string; round: number }): string =>
  `${key}-${attempt}-r${pad(round, 3)}`;

/** What a key made by `chunkKey` was made of. */
export function parseChunkKey(key: string): { slice: number; chunk: number; from: number } | undefined {
  const match = /^(\d+)-chunk-(\d+)-(\d+)$/.exec(key);
  return match ? { slice: Number(match[1]), chunk: Number(match[2]), from: Number(match[3]) } : undefined;
}

/** What a key made by `pendingKey` was made of. */
export function parsePendingKey(key: string): { key: string; attempt: string; round: number } | undefined {
  const match = /^(\d+-chunk-\d+-\d+)-([a-z0-9]+)-r(\d+)$/.exec(key);
  return match ? { key: match[1]!, attempt: match[2]!, round: Number(match[3]) } : undefined;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
