import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { type BlobItem, BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { azureVault } from '../../../tools/check-vault/azure-vault.mjs';
import { checkVault } from '../../../tools/check-vault/check-vault.mjs';
import { type JudgedLine, type JudgedPoint, judgeComparison } from './comparison.ts';

/**
 * Judges the content of a vault by the format that docs/vault-format.md describes, read with the plain SDK. It shares
 * no code with the app and sends it no request.
 */
export interface Violation {
  /**
   * `I1` no lost update, `I2` the last good copy survives, `I4` convergence, `I6` checked data, `I7` lossless, `I8`
   * containment.
   */
  invariant: string;
  message: string;
}

/** Connection strings, past any proxy. */
export interface Sides {
  source: string;
  vault: string;
}

export interface RememberedBlob {
  etag: string;
  size: number;
  /** Absent if the content cannot be read: it is archived, or its name cannot be addressed. */
  sha256?: string;
  type: string;
  headers: Record<string, string>;
  metadata: Record<string, string>;
  tags: Record<string, string>;
  /** Only if it was set on the blob itself. */
  tier?: string;
}

/** All blobs of the source at a moment, by container and name. */
export type Remembered = ReadonlyMap<string, ReadonlyMap<string, RememberedBlob>>;

interface Entry {
  name: string;
  status: string;
  etag: string;
  size: number;
  vaultEtag?: string;
  /** All metadata of the source, if the copy lacks some. */
  metadata?: Record<string, string>;
  code?: string;
  /** The part that has it, which names the place of its content. */
  part: PartEntry;
}

interface PartEntry {
  path: string;
  container: string;
  destination: string;
  copied: number;
  unchanged: number;
  skipped: number;
  failed: number;
  sha256: string;
}

type Counts = Record<'listed' | 'copied' | 'unchanged' | 'skipped' | 'failed', number>;

interface Summary {
  format: number;
  id: string;
  job: string;
  status: string;
  dryRun: boolean;
  restorePoint: boolean;
  finishedAt: string | null;
  counts: Counts;
  containers: { container: string; destination: string; status: string; counts: Counts }[];
  problems: { container?: string; count: number }[];
  destination: { container: string; prefix: string };
  parts: PartEntry[];
  comparedWith?: string;
  compared: { path: string; container: string; sha256: string }[];
  properties?: { path: string }[];
  noLongerHeld?: JudgedPoint['counts'];
}

const CONTROL = 'strongroom';
const STATUSES = ['copied', 'unchanged', 'skipped', 'failed'] as const;

/** All blobs of the source now, or of some of its containers. */
export async function remember(source: string, containers?: readonly string[]): Promise<Remembered> {
  const service = BlobServiceClient.fromConnectionString(source);
  const remembered = new Map<string, ReadonlyMap<string, RememberedBlob>>();
  for (const name of containers ?? (await containersOf(service))) {
    const vault = new Shelf(service.getContainerClient(name));
    remembered.set(
      name,
      new Map(await eachOf(await vault.blobs(), async (blob) => [blob.name, await vault.seen(blob)])),
    );
  }
  return remembered;
}

/** The blobs with the same version in both: those that did not change from one moment to the other. */
export function steadyBetween(before: Remembered, after: Remembered): Remembered {
  return new Map(
    [...before].map(([container, blobs]) => [
      container,
      new Map([...blobs].filter(([name, { etag }]) => after.get(container)?.get(name)?.etag === etag)),
    ]),
  );
}

/**
 * A whole restore point: its parts are what they say, its counts add up, every blob of `steady` has one entry, and
 * every entry leads to the bytes of its ETag.
 */
export async function judgeRestorePoint(
  sides: Sides,
  job: string,
  runId: string,
  steady: Remembered,
): Promise<Violation[]> {
  const vault = new Vault(sides.vault);
  const summary = await vault.summary(job, runId);
  if (summary === undefined) return [{ invariant: 'I1', message: `run ${runId} has no readable run.json` }];
  const found = await judgeSummary(vault, summary, [steady]);
  const entries = await vault.entries(summary, []);
  for (const [container, blobs] of steady) {
    const own = entries.get(container) ?? [];
    if (leftOut(summary, container)) {
      if (!summary.problems.some((problem) => problem.container === container)) {
        found.push({ invariant: 'I1', message: `container ${container} is left out of run ${runId} without a reason` });
      }
      continue;
    }
    for (const [name, blob] of blobs) {
      found.push(
        ...judgeSteady(
          summary,
          `${container}/${name}`,
          blob,
          name,
          own.filter((entry) => entry.name === name),
        ),
      );
    }
  }
  return found;
}

/** What the app keeps in the control container besides the runs. */
const KEPT =
  /^(?:locks\/|jobs\/[^/]+\/(?:restore-points|chain)\/[^/]+\.json$|watch\/(?:state|pauses|not-started|pings)\.json$)/;

/**
 * A whole vault, while only the runs in `alive` are running: every restore point of the job leads to blobs that were in
 * the source (`everSeen`: all its moments), the lock is free or theirs, and no blob lies outside.
 */
export async function judgeVault(
  sides: Sides,
  job: string,
  everSeen: readonly Remembered[],
  alive: readonly string[] = [],
): Promise<Violation[]> {
  const vault = new Vault(sides.vault);
  const found: Violation[] = [];
  const runs = new Set<string>();
  for (const { name } of await vault.control.blobs()) {
    const run = /^jobs\/([^/]+)\/runs\/([^/]+)\/./.exec(name);
    if (run?.[1] === job) runs.add(run[2]!);
    if (!run && !KEPT.test(name)) {
      found.push({ invariant: 'I8', message: `${CONTROL}/${name} is nothing that the app keeps there` });
    }
  }
  for (const id of runs) {
    const summary = await vault.summary(job, id);
    if (summary) found.push(...(await judgeSummary(vault, summary, everSeen)));
    else if (!alive.includes(id)) {
      found.push({ invariant: 'I4', message: `run ${id} is not running, and has no readable run.json` });
    }
  }
  found.push(...(await judgeLock(vault, job, alive)));
  found.push(...(await judgeContainers(vault)));
  found.push(...(await judgeChain(sides, job)));
  return found;
}

/** Also right after a crash, the program that knows only the format finds a vault in order. */
async function judgeChain({ vault }: Sides, job: string): Promise<Violation[]> {
  const { findings, records } = await checkVault(azureVault(vault), { job });
  const isNew = records === 0 && findings.length === 1;
  return isNew
    ? []
    : findings.map(({ what, where, how }) => ({ invariant: 'I6', message: `${what} ${where}: ${how}` }));
}

/**
 * A backup container against the source as it is now, after a run without faults: bytes, headers, metadata, tags and
 * tiers that were set. A blob that is only in the backup must have been in the source once (`everSeen`).
 */
export async function judgeBackup(
  sides: Sides,
  container: string,
  destination: string,
  everSeen: readonly Remembered[] = [],
): Promise<Violation[]> {
  const now = (await remember(sides.source, [container])).get(container)!;
  const service = BlobServiceClient.fromConnectionString(sides.vault);
  if (!(await service.getContainerClient(destination).exists())) {
    return now.size === 0 ? [] : [{ invariant: 'I1', message: `the backup container ${destination} does not exist` }];
  }
  const backup = (await remember(sides.vault, [destination])).get(destination)!;
  const found: Violation[] = [];
  for (const [name, blob] of now) {
    const copy = backup.get(name);
    const where = `${destination}/${name}`;
    if (copy === undefined) {
      if (excuseFor(name, blob) !== undefined) continue;
      found.push({ invariant: 'I1', message: `${where} is missing` });
      continue;
    }
    if (differ(blob, copy)) {
      found.push({
        invariant: 'I1',
        message: `${where} has other bytes than the source (${copy.size} of ${blob.size})`,
      });
    }
    found.push(...judgeProperties(where, blob, copy));
    if (!equal(blob.tags, copy.tags)) {
      found.push({ invariant: 'I7', message: `${where} has other tags: ${shown(copy.tags)} for ${shown(blob.tags)}` });
    }
    if (blob.tier !== undefined && blob.tier !== 'Archive' && blob.tier !== copy.tier) {
      found.push({ invariant: 'I7', message: `${where} is in the tier ${copy.tier}, the source in ${blob.tier}` });
    }
  }
  for (const name of backup.keys()) {
    if (now.has(name) || everSeen.some((moment) => moment.get(container)?.has(name))) continue;
    found.push({ invariant: 'I8', message: `${destination}/${name} was never in the source` });
  }
  return found;
}

/** The rules of every run.json, and of the restore point that it makes. */
async function judgeSummary(vault: Vault, summary: Summary, known: readonly Remembered[]): Promise<Violation[]> {
  const found: Violation[] = [];
  const say = (invariant: string, message: string) =>
    found.push({ invariant, message: `run ${summary.id}: ${message}` });
  const good = summary.status === 'succeeded' || summary.status === 'completed-with-failures';
  if (summary.format !== 3 || summary.finishedAt === null || summary.status === 'running') {
    say('I1', 'its run.json is not that of a run that has ended');
  }
  if (summary.restorePoint !== (good && !summary.dryRun)) {
    say('I1', `it is ${summary.status} and says restorePoint ${summary.restorePoint}`);
  }
  if (summary.status === 'succeeded' && (summary.counts.failed > 0 || summary.containers.some(isUnsound))) {
    say('I1', `it says "succeeded" in spite of failures: ${shown(summary.counts)}`);
  }
  if (!summary.restorePoint) return found;

  const entries = await vault.entries(summary, found);
  found.push(...judgeCounts(summary), ...(await unnamedParts(vault, summary)));
  found.push(...(await judgeCompared(vault, summary)));
  for (const [container, own] of entries) {
    const names = new Set<string>();
    for (const entry of own) {
      if (names.has(entry.name)) say('I1', `${container}/${entry.name} has more than one entry`);
      names.add(entry.name);
      if (entry.status !== 'copied' && entry.status !== 'unchanged') continue;
      found.push(...(await judgeContent(vault, summary, container, entry, known)));
    }
  }
  return found;
}

/** Counts of the run's own parts, of its containers, and of the whole. */
function judgeCounts(summary: Summary): Violation[] {
  const found: Violation[] = [];
  const say = (message: string) => found.push({ invariant: 'I1', message: `run ${summary.id}: ${message}` });
  const whole: Counts = { listed: 0, copied: 0, unchanged: 0, skipped: 0, failed: 0 };
  for (const { container, status, counts } of summary.containers) {
    for (const key of Object.keys(whole) as (keyof Counts)[]) whole[key] += counts[key];
    if (status === 'failed' || status === 'cancelled') continue;
    if (counts.listed !== counts.copied + counts.unchanged + counts.skipped + counts.failed) {
      say(`the outcomes of ${container} do not add up to what was listed: ${shown(counts)}`);
    }
    const own = summary.parts.filter((part) => part.container === container && part.path.includes(`/${summary.id}/`));
    for (const key of STATUSES) {
      const inParts = own.reduce((sum, part) => sum + part[key], 0);
      if (inParts !== counts[key]) say(`${container} counts ${counts[key]} ${key}, and its parts ${inParts}`);
    }
  }
  for (const key of Object.keys(whole) as (keyof Counts)[]) {
    if (whole[key] !== summary.counts[key]) {
      say(`it counts ${summary.counts[key]} ${key}, and its containers ${whole[key]}`);
    }
  }
  return found;
}

/** Parts of the run's manifest that its run.json does not name. */
async function unnamedParts(vault: Vault, summary: Summary): Promise<Violation[]> {
  const named = new Set([...summary.parts, ...summary.compared, ...(summary.properties ?? [])].map(({ path }) => path));
  const lying = (await vault.control.blobs()).map(({ name }) => name);
  const prefix = `jobs/${summary.job}/runs/${summary.id}/manifest/`;
  return lying
    .filter((path) => path.startsWith(prefix) && !named.has(path))
    .filter((path) => !leftOut(summary, path.slice(prefix.length).split('/')[0]!))
    .map((path) => ({ invariant: 'I1', message: `run ${summary.id}: its run.json does not name ${path}` }));
}

/** What a restore point says it no longer holds, against the one that it was compared with. */
async function judgeCompared(vault: Vault, summary: Summary): Promise<Violation[]> {
  const before =
    summary.comparedWith === undefined ? undefined : await vault.summary(summary.job, summary.comparedWith);
  // A prune may have removed it since.
  if (summary.comparedWith !== undefined && !before) return [];
  const damage: string[] = [];
  const one = before && (await vault.judged(before, []));
  const wrong = judgeComparison(one, await vault.judged(summary, damage));
  return [...damage, ...wrong].map((message) => ({ invariant: 'I10', message: `run ${summary.id}: ${message}` }));
}

function judgeSteady(summary: Summary, where: string, blob: RememberedBlob, name: string, own: Entry[]): Violation[] {
  const say = (message: string) => [{ invariant: 'I1', message: `run ${summary.id}: ${where} ${message}` }];
  const [entry] = own;
  if (entry === undefined) return say('was in the source all the time and has no entry');
  if (entry.status === 'copied' || entry.status === 'unchanged') {
    return entry.etag === blob.etag
      ? []
      : say(`has the ETag ${entry.etag} in the manifest, ${blob.etag} in the source`);
  }
  if (entry.code === undefined) return say(`is ${entry.status} without a reason`);
  if (entry.status === 'failed') return summary.status === 'succeeded' ? say('failed in a run that succeeded') : [];
  return entry.code === excuseFor(name, blob) ? [] : say(`was skipped as ${entry.code}, which it is not`);
}

/** One entry against its content in the vault. */
async function judgeContent(
  vault: Vault,
  summary: Summary,
  container: string,
  entry: Entry,
  known: readonly Remembered[],
): Promise<Violation[]> {
  const prefix = summary.destination.prefix.split('{container}').join(container);
  const where = `${entry.part.destination}/${prefix}${entry.name}`;
  const say = (invariant: string, message: string): Violation => ({
    invariant,
    message: `run ${summary.id}: ${where} ${message} (ETag ${entry.etag})`,
  });
  const recorded = await vault.holding(entry.part.destination, prefix + entry.name, entry);
  if (recorded.length === 0) return [say('I2', 'is in no blob and no snapshot any more')];
  // An aborted copy leaves its record on an empty blob: another blob has to hold the content then.
  const candidates = recorded.filter(({ size }) => size === entry.size);
  if (candidates.length === 0) return [say('I2', `has ${recorded[0]!.size} bytes instead of ${entry.size}`)];
  const expected = known
    .map((moment) => moment.get(container)?.get(entry.name))
    .filter((blob) => blob?.etag === entry.etag)
    .sort((a, b) => Number(b?.sha256 !== undefined) - Number(a?.sha256 !== undefined))[0];
  const found: Violation[] = [];
  for (const candidate of candidates) {
    if (expected !== undefined && differ(expected, candidate)) found.push(say('I2', 'has other bytes'));
    // What the copy cannot carry is in the entry.
    const copy = entry.metadata ? { ...candidate, metadata: unrecorded(entry.metadata) } : candidate;
    if (expected !== undefined) found.push(...judgeProperties(`run ${summary.id}: ${where}`, expected, copy));
  }
  return found;
}

/** The properties whose change gives a blob another ETag: every copy of one ETag must have the same ones. */
function judgeProperties(where: string, blob: RememberedBlob, copy: RememberedBlob): Violation[] {
  const found: Violation[] = [];
  for (const key of ['type', 'headers', 'metadata'] as const) {
    if (equal(blob[key], copy[key])) continue;
    found.push({ invariant: 'I7', message: `${where} has other ${key}: ${shown(copy[key])} for ${shown(blob[key])}` });
  }
  return found;
}

async function judgeLock(vault: Vault, job: string, alive: readonly string[]): Promise<Violation[]> {
  const lock = (await vault.json(`locks/${job}.json`)) as
    | { epoch?: unknown; run?: { id: string } | null; last?: string }
    | undefined;
  if (lock === undefined) return [];
  const found: Violation[] = [];
  if (!Number.isInteger(lock.epoch)) found.push({ invariant: 'I4', message: `the lock has the epoch ${lock.epoch}` });
  if (lock.run && !alive.includes(lock.run.id)) {
    found.push({ invariant: 'I4', message: `the lock is held by run ${lock.run.id}, which is not running` });
  }
  if (lock.last !== undefined && (await vault.summary(job, lock.last)) === undefined) {
    found.push({ invariant: 'I2', message: `the last run, ${lock.last}, has no readable run.json` });
  }
  return found;
}

/** Every container of the vault is the control container, or the place of some run's copies. */
async function judgeContainers(vault: Vault): Promise<Violation[]> {
  const own = new Set([CONTROL]);
  for (const { metadata } of await vault.control.blobs()) {
    const tally = JSON.parse(metadata?.strongroom_tally ?? '{}') as { destination?: string };
    if (tally.destination !== undefined) own.add(tally.destination);
  }
  const found: Violation[] = [];
  for (const name of await containersOf(vault.service)) {
    if (own.has(name) || (await vault.shelf(name).blobs()).length === 0) continue;
    found.push({ invariant: 'I8', message: `the container ${name} is the place of no run, and holds blobs` });
  }
  return found;
}

/** A vault at one moment: nothing is read twice. */
class Vault {
  readonly service: BlobServiceClient;
  readonly #shelves = new Map<string, Shelf>();

  constructor(connectionString: string) {
    this.service = BlobServiceClient.fromConnectionString(connectionString);
  }

  shelf(container: string): Shelf {
    const known = this.#shelves.get(container);
    if (known) return known;
    const shelf = new Shelf(this.service.getContainerClient(container));
    this.#shelves.set(container, shelf);
    return shelf;
  }

  get control(): Shelf {
    return this.shelf(CONTROL);
  }

  /** Undefined if it is missing or is not JSON. */
  async json(path: string): Promise<unknown> {
    const blob = (await this.control.blobs()).find(({ name }) => name === path);
    if (!blob) return undefined;
    try {
      return JSON.parse((await this.control.content(blob)).toString('utf8'));
    } catch {
      return undefined;
    }
  }

  async summary(job: string, id: string): Promise<Summary | undefined> {
    const summary = (await this.json(`jobs/${job}/runs/${id}/run.json`)) as Summary | undefined;
    return summary?.id === id && summary.job === job ? summary : undefined;
  }

  /** The entries of a restore point by container. Faults of its parts are added to `found`. */
  async entries(summary: Summary, found: Violation[]): Promise<Map<string, Entry[]>> {
    const entries = new Map<string, Entry[]>();
    for (const part of summary.parts) {
      const read = await this.#part(part);
      if ('damage' in read) {
        found.push({ invariant: 'I2', message: `run ${summary.id}: the part ${part.path} ${read.damage}` });
        continue;
      }
      const before = entries.get(part.container) ?? [];
      // The parts of a retry follow those of the run that it completes, and replace its failures.
      const own = runOf(part.path);
      const settled = new Set(read.entries.map(({ name }) => name));
      const standing = before.filter(
        (entry) => !(entry.status === 'failed' && runOf(entry.part.path) !== own && settled.has(entry.name)),
      );
      entries.set(part.container, [...standing, ...read.entries]);
    }
    return entries;
  }

  /** A restore point as `judgeComparison` takes it. Faults of what it says it no longer holds are added to `found`. */
  async judged(summary: Summary, found: string[]): Promise<JudgedPoint> {
    const lines = [...(await this.entries(summary, []))].flatMap(([container, own]) =>
      own.map((entry) => ({ ...entry, container })),
    );
    const said: JudgedLine[] = [];
    for (const { path, container, sha256 } of summary.compared) {
      const blob = (await this.control.blobs()).find(({ name }) => name === path);
      const body = blob && (await this.control.content(blob));
      if (!body || createHash('sha256').update(body).digest('hex') !== sha256) {
        found.push(`the part ${path} is not as it was written`);
        continue;
      }
      const items = gunzipSync(body)
        .toString('utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      const { end } = items.pop();
      if (end?.items !== items.length || end.part !== path) found.push(`the part ${path} is not whole`);
      said.push(...items.map((item) => ({ ...item, container, etag: bare(item.etag) })));
    }
    return { status: summary.status, lines, said, counts: summary.noLongerHeld };
  }

  async #part(part: PartEntry): Promise<{ entries: Entry[] } | { damage: string }> {
    const blob = (await this.control.blobs()).find(({ name }) => name === part.path);
    if (!blob) return { damage: 'is missing' };
    const body = await this.control.content(blob);
    if (createHash('sha256').update(body).digest('hex') !== part.sha256) return { damage: 'has another SHA-256' };
    const tally = JSON.parse(blob.metadata?.strongroom_tally ?? '{}') as Record<string, unknown>;
    const lines = gunzipSync(body).toString('utf8').split('\n');
    if (lines.pop() !== '') return { damage: 'is cut off' };
    const items = lines.map((line) => JSON.parse(line));
    const { end } = items.pop() ?? {};
    if (end?.items !== items.length) return { damage: `has ${items.length} items, and its end says ${end?.items}` };
    if (end.part !== part.path) return { damage: `says that it is ${end.part}` };
    if (tally.sha256 !== part.sha256) return { damage: 'has another SHA-256 in its metadata' };
    const odd = items.find(({ status, name, etag }) => !STATUSES.includes(status) || !name || !etag);
    if (odd !== undefined) return { damage: `has an item that is no outcome: ${shown(odd)}` };
    for (const key of STATUSES) {
      const count = items.filter(({ status }) => status === key).length;
      if (count !== part[key]) return { damage: `has ${count} ${key}, and run.json says ${part[key]}` };
      if (count !== tally[key]) return { damage: `has ${count} ${key}, and its metadata says ${tally[key]}` };
    }
    return { entries: items.map((item) => ({ ...item, etag: bare(item.etag), part })) };
  }

  /** The blobs that hold the content of an entry: by the record, or by the ETag in the vault if there is no record. */
  async holding(container: string, name: string, entry: Entry): Promise<RememberedBlob[]> {
    const shelf = this.shelf(container);
    const holding = (await shelf.named(name)).filter((blob) => {
      const status = blob.properties.copyStatus;
      // A pending or failed copy carries the record of its target state.
      if (status !== undefined && status !== 'success') return false;
      const recorded = recordedEtag(blob.metadata);
      if (recorded !== undefined) return bare(recorded) === entry.etag;
      return entry.vaultEtag !== undefined && bare(entry.vaultEtag) === bare(blob.properties.etag);
    });
    return eachOf(holding, (blob) => shelf.seen(blob));
  }
}

/** One container, listed once with its snapshots. */
class Shelf {
  readonly #client: ContainerClient;
  #listed: Promise<BlobItem[]> | undefined;
  #byName: Map<string, BlobItem[]> | undefined;
  readonly #seen = new Map<string, Promise<RememberedBlob>>();

  constructor(client: ContainerClient) {
    this.#client = client;
  }

  /** Without snapshots. */
  async blobs(): Promise<BlobItem[]> {
    return (await this.#all()).filter(({ snapshot }) => !snapshot);
  }

  /** A blob and its snapshots. */
  async named(name: string): Promise<BlobItem[]> {
    if (this.#byName === undefined) {
      const byName = new Map<string, BlobItem[]>();
      for (const item of await this.#all()) byName.set(item.name, [...(byName.get(item.name) ?? []), item]);
      this.#byName = byName;
    }
    return this.#byName.get(name) ?? [];
  }

  content(item: BlobItem): Promise<Buffer> {
    const client = this.#client.getBlobClient(item.name);
    return (item.snapshot ? client.withSnapshot(item.snapshot) : client).downloadToBuffer();
  }

  seen(item: BlobItem): Promise<RememberedBlob> {
    const key = `${item.snapshot ?? ''} ${item.name}`;
    const seen = this.#seen.get(key) ?? this.#see(item);
    this.#seen.set(key, seen);
    return seen;
  }

  async #see(item: BlobItem): Promise<RememberedBlob> {
    const content = this.#isReadable(item) ? await this.content(item) : undefined;
    const { properties, metadata = {}, tags = {} } = item;
    const { contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl } = properties;
    const headers = { contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl };
    return {
      etag: bare(properties.etag),
      size: content?.length ?? properties.contentLength ?? 0,
      ...(content !== undefined && { sha256: createHash('sha256').update(content).digest('hex') }),
      type: String(properties.blobType),
      headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value)) as Record<string, string>,
      metadata: unrecorded(metadata),
      tags,
      ...(properties.accessTier !== undefined &&
        !properties.accessTierInferred && { tier: String(properties.accessTier) }),
    };
  }

  /** Not of archived blobs, and not of names that the SDK rewrites: it would read another blob. */
  #isReadable({ name, properties }: BlobItem): boolean {
    if (properties.accessTier === 'Archive') return false;
    const { pathname } = new URL(this.#client.getBlobClient(name).url);
    return decodeURIComponent(pathname).endsWith(`/${this.#client.containerName}/${name}`);
  }

  #all(): Promise<BlobItem[]> {
    this.#listed ??= this.#list();
    return this.#listed;
  }

  /** Empty if the container does not exist. */
  async #list(): Promise<BlobItem[]> {
    if (!(await this.#client.exists())) return [];
    const include = { includeMetadata: true, includeTags: true, includeCopy: true, includeSnapshots: true };
    const pages = this.#client.listBlobsFlat(include).byPage({ maxPageSize: 5000 });
    const items: BlobItem[] = [];
    for await (const page of pages) {
      // The emulator loses entries between pages of a listing with snapshots: a judge must not guess.
      if (page.continuationToken) throw new Error(`${this.#client.containerName} is too large to be judged`);
      items.push(...page.segment.blobItems);
    }
    return items;
  }
}

async function containersOf(service: BlobServiceClient): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of service.listContainers()) names.push(name);
  return names;
}

/** In order, sixteen at a time. */
async function eachOf<T, R>(items: readonly T[], look: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += 16) {
    results.push(...(await Promise.all(items.slice(start, start + 16).map(look))));
  }
  return results;
}

function isUnsound({ status }: { status: string }): boolean {
  return status !== 'succeeded';
}

/** A container that could not be backed up as a whole; its problem says why. */
function leftOut(summary: Summary, container: string): boolean {
  return summary.containers.some((each) => each.container === container && each.status === 'failed');
}

/** Why this blob may be skipped; undefined if it must be copied. */
function excuseFor(name: string, { tier }: RememberedBlob): string | undefined {
  if (tier === 'Archive') return 'source-archived';
  const isPlain = !/\\|(?:^|\/)\.{1,2}(?:\/|$)|\.(?:\/|$)/.test(name) && encodeURIComponent(name).length <= 1500;
  return isPlain ? undefined : 'unsupported-name';
}

function differ(one: RememberedBlob, other: RememberedBlob): boolean {
  return one.sha256 !== undefined && other.sha256 !== undefined && one.sha256 !== other.sha256;
}

function unrecorded(metadata: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !key.toLowerCase().startsWith('strongroom_')));
}

function recordedEtag(metadata: Record<string, string> = {}): string | undefined {
  return Object.entries(metadata).find(([key]) => key.toLowerCase() === 'strongroom_etag')?.[1];
}

function runOf(path: string): string {
  return path.split('/')[3] ?? '';
}

function bare(etag: string): string {
  return etag.replaceAll('"', '');
}

function equal(one: unknown, other: unknown): boolean {
  return sorted(one) === sorted(other);
}

function sorted(value: unknown): string {
  if (typeof value !== 'object' || value === null) return shown(value);
  return shown(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function shown(value: unknown): string {
  return JSON.stringify(value);
}
