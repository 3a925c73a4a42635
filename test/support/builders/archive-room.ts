import { expect } from 'vitest';
import type { TidyArchiveInput, TidyArchiveResult } from '#activities/archive/tidy-archive.ts';
import { makeActivities } from '#activities/index.ts';
import type { ChunkInput, ChunkResult } from '#activities/run/chunk.ts';
import type { SliceInput, SliceResult } from '#activities/run/slice.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { Limits } from '#config/limits.ts';
import type { Receipt } from '#domain/archive/receipt.ts';
import { byUtf16, type Comparator } from '#domain/blobs/name-order.ts';
import { lockPath } from '#domain/run/control-paths.ts';
import { acquire } from '#domain/run/lock.ts';
import type { RunRef, RunSummary } from '#domain/run/run.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { CONTROL, dependenciesOf, RULE, ruleWith, SOURCE } from '../../../prove/archive/stage.ts';
import { MemoryAccount, MemoryStorage } from '../../../prove/memory/memory-account.ts';
import type { Call } from '../../../prove/memory/memory-blobs.ts';
import { plainTraits } from './plain-traits.ts';

/** Reconciles of one rule on memory, one activity after another. */
export class ArchiveRoom {
  clock = Date.parse('2026-11-21T12:00:00.000Z');
  readonly source: MemoryAccount;
  readonly vault: MemoryAccount;
  readonly requests: Call[] = [];
  /** Sees every request before it is carried out, and may throw. */
  before: (call: Call) => unknown = () => {};
  readonly deps: Dependencies;
  #runs = 0;

  constructor({
    compare = byUtf16,
    page = (limit: number) => limit,
    limits = {},
    keepDays = undefined as number | undefined,
    quietMinutes = undefined as number | undefined,
  } = {}) {
    const storage = new MemoryStorage();
    const traits = (order: Comparator) => plainTraits({ compare: order, page, now: () => this.clock });
    this.source = new MemoryAccount(storage, 'SOURCE', traits(compare));
    this.vault = new MemoryAccount(storage, 'VAULT', traits(byUtf16));
    this.source.createContainer(SOURCE);
    const network = async <T>(call: Call, carryOut: () => T): Promise<T> => {
      await this.before(call);
      this.requests.push(call);
      return carryOut();
    };
    const rule = ruleWith({
      ...{ folders: 'none', method: 'auto' },
      ...(keepDays !== undefined && { keepDays }),
      ...(quietMinutes !== undefined && { quietMinutes }),
    });
    const deps = dependenciesOf({ rule, source: this.source, vault: this.vault, network, now: () => this.clock });
    this.deps = { ...deps, limits: { ...deps.limits, ...(limits as Partial<Limits>) } };
  }

  put(name: string, text = name): void {
    this.source.write(SOURCE, { name, body: Buffer.from(text) });
  }

  async reconcile(): Promise<RunSummary> {
    this.clock += 3_600_000;
    const id = `${RULE}-20261121T12${String(this.#runs++).padStart(2, '0')}00Z-abcdef`;
    const control = new ControlStore(this.deps.blobs('VAULT'));
    const lock = await control.readLock(RULE);
    const begun = { id, job: RULE, mode: 'reconcile', trigger: 'http', dryRun: false } as const;
    const { run, ...taken } = acquire(
      lock?.value,
      { ...begun, startedAt: new Date(this.clock).toISOString() },
      new Date(this.clock),
    );
    await control.writeJson(lockPath(RULE), { ...taken, run }, lock ? { ifMatch: lock.etag } : 'absent');
    const activities = makeActivities(this.deps) as unknown as Record<string, (input: object) => Promise<object>>;
    await this.#archive(activities, run);
    let tidied: TidyArchiveResult | undefined;
    do {
      const input: TidyArchiveInput = { run, ...(tidied?.next && { from: tidied.next }) };
      tidied = (await activities.tidyArchive!(input)) as TidyArchiveResult;
      if (tidied.problem) throw new Error(`${tidied.problem.code}: ${tidied.problem.message}`);
    } while (tidied.next);
    await activities.publishRun!({ run, containers: 1, problems: [], cancelled: false, requests: {} });
    return (await control.readSummary(run))!;
  }

  async #archive(activities: Record<string, (input: object) => Promise<object>>, run: RunRef): Promise<void> {
    const pair = { container: SOURCE, destination: `${SOURCE}archive` };
    for (let input: SliceInput | undefined = { run, ...pair, slice: 0 }; input; ) {
      const slice = (await activities.findUnarchived!(input)) as SliceResult;
      expect(slice.problem).toBeUndefined();
      for (const chunk of slice.chunks ?? []) {
        for (let from: number | undefined = 0; from !== undefined; ) {
          const piece: ChunkInput = { run, ...pair, chunk, from };
          from = ((await activities.copyChunk!(piece)) as ChunkResult).next;
        }
      }
      input = slice.next && { run, ...pair, slice: input.slice + 1, from: slice.next };
    }
  }

  /** Paths of the receipts there are. */
  receipts(): string[] {
    const { blobs } = this.vault.listBlobs(CONTROL, {});
    return blobs.map(({ name }) => name).filter((name) => name.startsWith(`archives/${RULE}/receipts/`));
  }

  receiptsOf(): Receipt[] {
    return this.receipts().map((path) => JSON.parse(String(this.vault.getObject(CONTROL, path)!.body)));
  }

  /** Of what was asked since it was asked last: how many requests of an operation, or all. */
  take(operation?: string): number {
    const taken = this.requests.splice(0).filter((call) => operation === undefined || call.operation === operation);
    return taken.length;
  }
}
