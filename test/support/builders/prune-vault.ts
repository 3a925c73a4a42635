import pLimit from 'p-limit';
import { expect } from 'vitest';
import { makeActivities } from '#activities/index.ts';
import type { ChunkInput, ChunkResult } from '#activities/run/chunk.ts';
import type { ContainerPair } from '#activities/run/container-task.ts';
import type { SliceInput, SliceResult } from '#activities/run/slice.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { registerReader } from '#app/register-reader.ts';
import type { Job } from '#config/configuration.ts';
import type { ChainLink } from '#domain/run/chain-link.ts';
import type { ChainRecord } from '#domain/run/chain-record.ts';
import { CONTROL_CONTAINER, chainPrefix, lockPath } from '#domain/run/control-paths.ts';
import { acquire } from '#domain/run/lock.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import { isReaderRun, type UnlockedReader } from '#domain/run/reader-lock.ts';
import type { Notes } from '#domain/run/restore-point.ts';
import { carriesOutPlan, type RunRef, type RunSummary } from '#domain/run/run.ts';
import { newRunId } from '#domain/run/run-id.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import type { VerifyTask } from '#domain/run/tasks.ts';
import { goneBy, isCompared } from '#orchestrations/compare-container.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { MemoryAccount, MemoryStorage, type Traits } from '../../../prove/memory/memory-account.ts';
import { type Call, MemoryBlobs } from '../../../prove/memory/memory-blobs.ts';
import { MemoryCatalog } from '../../../prove/memory/memory-catalog.ts';
import { plainTraits } from './plain-traits.ts';
import { type RunFields, runRef } from './run-ref.ts';

const HOUR = 3_600_000;
export const BACKUP = 'databackup';

type Wanted = Pick<RunFields, 'mode' | 'by' | 'dryRun' | 'prune' | 'verify' | 'retryOf'>;
type Step = (input: object) => Promise<{ problem?: Problem }>;

/** Backups and prunes of one vault in memory. Activities run one after another, and the test sets the clocks. */
export class Vault {
  readonly source: MemoryAccount;
  readonly vault: MemoryAccount;
  readonly control: ControlStore;
  /** The clock of the app and that of the service, in milliseconds. */
  clock = { app: Date.parse('2026-05-01T12:00:00.000Z'), service: Date.parse('2026-05-01T12:00:00.000Z') };
  jobs: Job[] = [jobOf('nightly', {})];
  /** The ids of runs for which the app reported a safety brake. */
  readonly braked: string[] = [];
  readonly warned: string[] = [];
  /** The heads of chains that were reported. */
  readonly heads: ChainLink[] = [];
  readonly missedStarts = new Map();
  /** Called before each request, with the alias of its account; may throw. */
  before: (call: Call & { alias: string }) => unknown = () => {};
  readonly limits: Record<string, number>;
  #count = 0;

  constructor({
    page = (limit: number) => limit,
    ...limits
  }: { page?: Traits['page']; [limit: string]: unknown } = {}) {
    const storage = new MemoryStorage();
    const traits = plainTraits({ page, now: () => this.clock.service });
    this.source = new MemoryAccount(storage, 'SOURCE', traits);
    this.vault = new MemoryAccount(storage, 'VAULT', traits);
    this.source.createContainer('data');
    this.control = new ControlStore(new MemoryBlobs(this.vault));
    this.limits = {
      ...{ sliceBlobs: 50_000, sliceChunks: 8, scanMs: 60_000, chunkBlobs: 2_500, chunkBytes: 2 ** 40 },
      ...{ copyMs: 60_000, copiesAtOnce: 32, copyDeadlineMs: 3_600_000, silentMs: 600_000, outcomesMs: 90 * 24 * HOUR },
      ...(limits as Record<string, number>),
    };
  }

  put(name: string, text: string, container = 'data'): void {
    this.source.write(container, { name, body: Buffer.from(text) });
  }

  pass(hours: number): void {
    this.clock.app += hours * HOUR;
    this.clock.service += hours * HOUR;
  }

  async backup(mode: 'full' | 'incremental' = 'incremental', job = 'nightly'): Promise<RunSummary> {
    const summary = await this.run({ mode }, job);
    expect(summary.restorePoint, JSON.stringify(summary.problems)).toBe(true);
    return summary;
  }

  plan(job = 'nightly'): Promise<RunSummary> {
    return this.run({ mode: 'prune', dryRun: true, prune: {} }, job);
  }

  carryOut({ id, job, plan }: RunSummary, hash = plan!.hash): Promise<RunSummary> {
    return this.run({ mode: 'prune', prune: { plan: { run: id, hash } } }, job);
  }

  /** Plans a prune, and carries out the plan. */
  async prune(job = 'nightly'): Promise<RunSummary> {
    const plan = await this.plan(job);
    expect(plan.status, JSON.stringify(plan.problems)).toBe('succeeded');
    return this.carryOut(plan);
  }

  verify(point: string, kind: VerifyTask['kind'] = 'deep', portion = '100%', job = 'nightly'): Promise<RunSummary> {
    return this.run({ mode: 'verify', verify: { point, kind, portion, turn: 0, sample: 0 } }, job);
  }

  /** The chain of a job. */
  chain(job = 'nightly'): ChainRecord[] {
    const { blobs } = this.vault.listBlobs(CONTROL_CONTAINER, { prefix: chainPrefix(job) });
    return blobs.map(({ name }) => JSON.parse(String(this.vault.blob(CONTROL_CONTAINER, name)!.body)));
  }

  /** Takes the lock, or registers a reader; time passes with every run. */
  async begin(wanted: Wanted, job = 'nightly'): Promise<RunRef> {
    this.pass(1);
    const now = new Date(this.clock.app);
    const id = newRunId(job, now, this.#next());
    const run = runRef({ id, job, startedAt: now.toISOString(), ...wanted });
    if (isReaderRun(run)) return this.#register(run, now);
    const lock = await this.control.readLock(job);
    const taken = acquire(lock?.value, run, now);
    await this.control.writeJson(lockPath(job), taken, lock ? { ifMatch: lock.etag } : 'absent');
    return taken.run;
  }

  async #register(run: UnlockedReader, now: Date): Promise<RunRef> {
    const registered = await registerReader(this.control, run, now);
    if (!registered || 'refused' in registered) throw new Error(`${run.id} cannot read: ${JSON.stringify(registered)}`);
    return registered.lock.run;
  }

  async run(wanted: Wanted, job = 'nightly'): Promise<RunSummary> {
    return this.work(await this.begin(wanted, job));
  }

  async work(run: RunRef): Promise<RunSummary> {
    const activities = makeActivities(this.deps()) as unknown as Record<string, Step>;
    const problems: Problem[] = [];
    const found = (await activities.listContainers!({ run })) as { problem?: Problem } & Partial<{
      containers: ContainerPair[];
      problems: Problem[];
    }>;
    problems.push(...(found.problems ?? []), ...(found.problem ? [found.problem] : []));
    const all = found.containers ?? [];
    const containers = all.filter(({ gone }) => !gone);
    const named = problems.filter(({ container }) => container !== undefined).length;
    for (const pair of all) {
      const problem = pair.gone ? undefined : await this.#container(activities, run, pair);
      if (problem) problems.push(problem);
      if (!isCompared(run)) continue;
      const failed = await this.#compare(activities, run, problem ? { ...pair, gone: goneBy(problem) } : pair);
      if (failed) problems.push(problemOf(failed.code, 0, undefined, failed.message));
    }
    if (carriesOutPlan(run) && problems.length === 0) {
      let removed: { problem?: Problem; next?: true };
      do removed = (await activities.removePoints!({ run })) as typeof removed;
      while (removed.next);
      const failed = removed.problem ?? (await this.#clear(activities, run));
      if (failed) problems.push(failed);
    }
    const count = containers.length + named;
    await activities.publishRun!({ run, containers: count, problems, cancelled: false, requests: {} });
    return (await this.control.readSummary(run))!;
  }

  async #container(activities: Record<string, Step>, run: RunRef, pair: ContainerPair): Promise<Problem | undefined> {
    const isTable = tableOfTask(pair.container) !== undefined;
    const [scan, work] =
      run.mode === 'prune'
        ? [carriesOutPlan(run) ? 'takePlan' : isTable ? 'planTablePrune' : 'planPrune', 'deleteChunk']
        : run.mode === 'verify'
          ? ['verifySlice', 'readChunk']
          : [run.mode === 'retry' && !pair.scan ? 'planRetry' : 'scanSlice', 'copyChunk'];
    let input: SliceInput | undefined = { run, ...pair, slice: 0 };
    while (input) {
      const slice = (await activities[scan]!(input)) as SliceResult & { problem?: Problem };
      if (slice.problem) return slice.problem;
      for (const chunk of run.dryRun ? [] : (slice.chunks ?? [])) {
        for (let from: number | undefined = 0; from !== undefined; ) {
          const piece: ChunkInput = { run, ...pair, chunk, from };
          const answer = (await activities[work]!(piece)) as ChunkResult & { problem?: Problem };
          if (answer.problem) return answer.problem;
          from = answer.next;
        }
      }
      const { next, nextManifest: manifest } = slice;
      const more: boolean = next !== undefined || manifest !== undefined;
      input = more
        ? { run, ...pair, slice: input.slice + 1, ...(next && { from: next }), ...(manifest && { manifest }) }
        : undefined;
    }
    return undefined;
  }

  async #clear(activities: Record<string, Step>, run: RunRef): Promise<Problem | undefined> {
    for (let from: number | undefined = 0; from !== undefined; ) {
      const answer = (await activities.clearOldRuns!({ run, from })) as { next?: number; problem?: Problem };
      if (answer.problem) return answer.problem;
      from = answer.next;
    }
    return undefined;
  }

  async #compare(activities: Record<string, Step>, run: RunRef, pair: ContainerPair): Promise<Problem | undefined> {
    for (let part = 0, page: number | undefined = 0; page !== undefined; part++) {
      const answer = (await activities.compareContainer!({ run, ...pair, part, page })) as {
        next?: number;
        problem?: Problem;
      };
      if (answer.problem) return answer.problem;
      page = answer.next;
    }
    return undefined;
  }

  deps(): Dependencies {
    const network =
      (alias: string) =>
      async <T>(call: Call, carryOut: () => T): Promise<T> => {
        await this.before({ ...call, alias });
        return carryOut();
      };
    const blobs = (alias: string) => new MemoryBlobs(alias === 'SOURCE' ? this.source : this.vault, network(alias));
    const rows = new Map();
    return {
      configuration: {
        jobs: this.jobs,
        archives: [],
        accounts: new Map([
          ['SOURCE', {}],
          ['VAULT', {}],
        ]),
      },
      limits: this.limits,
      copySlots: pLimit(8),
      blobs,
      catalog: (alias: string) => new MemoryCatalog(alias, rows),
      telemetry: {
        failure: () => {},
        warn: (name: string) => this.warned.push(name),
        runStarted: () => {},
        runFinished: () => {},
        chainHead: (_job: string, head: ChainLink) => this.heads.push(head),
        brakeEngaged: ({ id }: RunSummary) => this.braked.push(id),
      },
      missedStarts: this.missedStarts,
      now: () => new Date(this.clock.app),
      random: () => this.#next(),
    } as unknown as Dependencies;
  }

  notes(id: string, job = 'nightly'): Promise<Notes> {
    return this.control.readNotes({ job, id });
  }

  note(id: string, change: (notes: Notes) => Notes, job = 'nightly'): Promise<Notes> {
    return this.control.changeNotes({ job, id }, change);
  }

  /** Releases the safety brake of a restore point, as an operator does. */
  async release(id: string, job = 'nightly'): Promise<void> {
    const released = new Date(this.clock.app).toISOString();
    const brake = { ...(await this.notes(id, job)).brake!, released };
    await this.control.chain.append(
      job,
      { kind: 'release', point: id, reason: brake.reason, released },
      new Date(released),
    );
    await this.note(id, (notes) => ({ ...notes, brake }), job);
  }

  /** The entries of a restore point whose content the vault no longer has, by the records of copies. */
  async lost(point: RunSummary): Promise<string[]> {
    const missing: string[] = [];
    for (const { path, destination, container } of point.parts) {
      const { items } = await this.control.readPart<Outcome, object>(path);
      const prefix = point.destination.prefix.replaceAll('{container}', container);
      for (const { name, vaultName = name, status, etag, size } of items) {
        if (status !== 'copied' && status !== 'unchanged') continue;
        const kept = this.vault.all(destination, prefix + vaultName);
        if (!kept.some((blob) => blob.metadata.strongroom_etag === etag && blob.size === size)) missing.push(name);
      }
    }
    return missing;
  }

  /** The contents of a backup container by name, snapshots included. */
  contents(container = BACKUP): Record<string, string[]> {
    const found: Record<string, string[]> = {};
    const names = this.vault.listBlobs(container, { snapshotsAndVersions: true }).blobs.map(({ name }) => name);
    for (const name of names) found[name] = this.vault.all(container, name).map(({ body }) => String(body));
    return found;
  }

  /** The paths in the control container that name a run. */
  left(id: string): string[] {
    const { blobs } = this.vault.listBlobs(CONTROL_CONTAINER, {});
    return blobs.map(({ name }) => name).filter((name) => name.includes(id));
  }

  alter(path: string, change: (body: Buffer) => Buffer): void {
    const { body, metadata, etag, headers } = this.vault.blob(CONTROL_CONTAINER, path)!;
    expect(etag).toBeDefined();
    this.vault.write(CONTROL_CONTAINER, { name: path, body: change(body), metadata, headers });
  }

  #next(): string {
    return String(this.#count++).padStart(6, '0');
  }
}

export function jobOf(name: string, more: Partial<Job>): Job {
  return {
    name,
    timeZone: 'UTC',
    mode: 'incremental',
    method: 'auto',
    source: {
      account: 'SOURCE',
      containers: ['data'],
      prefix: '',
      include: [],
      exclude: [],
      tables: [],
      tableDeletions: false,
    },
    destination: { account: 'VAULT', container: '{container}backup', prefix: '' },
    retention: { keepLast: 1, marginHours: 0, brake: { percent: 50, blobs: 100, days: 30 } },
    ...more,
  };
}
