import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import type { SliceResult } from '#activities/run/slice.ts';
import { makeReadChunk } from '#activities/verify/read-chunk.ts';
import { verifySlice } from '#activities/verify/verify-slice.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { incompleteness } from '#domain/run/completeness.ts';
import { CONTROL_CONTAINER, sliceKey, summaryPath } from '#domain/run/control-paths.ts';
import { lockPathOf } from '#domain/run/lock-place.ts';
import type { ManifestPosition } from '#domain/run/manifest.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { partEntries } from '#domain/run/report.ts';
import type { RunRef } from '#domain/run/run.ts';
import { countOutcome, emptyTally } from '#domain/run/tally.ts';
import type { VerifyTask } from '#domain/run/tasks.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { countingRequests } from '#storage/requests.ts';
import { MemoryAccount, MemoryStorage, type Traits } from '../../../prove/memory/memory-account.ts';
import { MemoryBlobs } from '../../../prove/memory/memory-blobs.ts';
import { held } from './held-run.ts';
import { plainTraits } from './plain-traits.ts';
import { RUN } from './run-ref.ts';

/** A blob of the restore point. The MD5 property of the source follows from the body unless `md5` is given. */
export interface GivenBlob {
  body: Buffer;
  md5?: string | null;
  /**
   * Later content in the source and in the backup container, which has a snapshot of the content of the restore point.
   */
  newer?: Buffer;
  /** Whether the blob was deleted from the source after the backup. */
  gone?: boolean;
}

export const POINT = { job: RUN.job, id: 'nightly-20260501T000000Z-pppppp' };
const VERIFICATION = { ...RUN, id: 'nightly-20260502T000000Z-vvvvvv', mode: 'verify' as const };
export const BACKUP = 'databackup';

export const md5Of = (body: Buffer) => createHash('md5').update(body).digest('base64');

/** A restore point of one container in memory. The test plays the activities of its verification. */
export class HeldPoint {
  readonly source: MemoryAccount;
  readonly vault: MemoryAccount;
  readonly control: ControlStore;
  readonly deps: Dependencies;
  readonly entries: Outcome[] = [];
  /** The requests of the last verification, by operation. */
  requests: Record<string, number> = {};
  /** The runs whose parts it has, with the number of slices of each. */
  readonly #slices = new Map<string, number>();

  constructor(limits: object = {}, traits: Partial<Traits> = {}) {
    const storage = new MemoryStorage();
    const common = plainTraits({ now: () => Date.parse('2026-05-01T12:00:00.000Z') });
    this.source = new MemoryAccount(storage, 'SOURCE', common);
    this.vault = new MemoryAccount(storage, 'VAULT', { ...common, ...traits });
    for (const name of [BACKUP, CONTROL_CONTAINER]) this.vault.createContainer(name);
    this.source.createContainer('data');
    const accounts = { SOURCE: new MemoryBlobs(this.source), VAULT: new MemoryBlobs(this.vault) };
    this.control = new ControlStore(accounts.VAULT);
    const job = { name: RUN.job, source: { account: 'SOURCE' }, destination: { account: 'VAULT', prefix: '' } };
    let count = 0;
    this.deps = {
      configuration: { jobs: [job], archives: [] },
      limits: {
        ...{ sliceBlobs: 50_000, sliceChunks: 8, scanMs: 60_000, chunkBlobs: 2_500, chunkBytes: 2 ** 40 },
        ...{ copyMs: 60_000, copiesAtOnce: 32, copyDeadlineMs: 3_600_000, silentMs: 600_000 },
        ...limits,
      },
      copySlots: pLimit(32),
      blobs: (alias: 'SOURCE' | 'VAULT') => accounts[alias],
      catalog: () => undefined,
      now: () => new Date('2026-05-02T00:00:00.000Z'),
      random: () => String(count++).padStart(6, '0'),
    } as unknown as Dependencies;
  }

  /** Adds a slice with blobs to the restore point, by its own run or by one that completes it. */
  async hold(blobs: Record<string, GivenBlob>, run = POINT.id): Promise<void> {
    const tally = { ...emptyTally('data', BACKUP), last: true };
    const part = new PartWriter<Outcome>();
    for (const [name, { body, md5 = md5Of(body), newer, gone }] of Object.entries(blobs)) {
      const headers = md5 === null ? {} : { contentMd5: md5 };
      const { etag } = this.source.write('data', { name, body, headers });
      const record = (of: string) => ({
        Owner: 'x',
        strongroom_etag: of,
        strongroom_modified: '2026-05-01T00:00:00.000Z',
        strongroom_run: POINT.id,
      });
      // A buffer of its own: a change of one blob must not change the other.
      const kept = this.vault.write(BACKUP, { name, body: Buffer.from(body), headers, metadata: record(etag) });
      const entry: Outcome = {
        name,
        status: 'copied',
        etag,
        modified: '2026-05-01T00:00:00.000Z',
        size: body.length,
        ...(md5 !== null && { md5 }),
        vaultEtag: kept.etag,
      };
      if (newer) {
        this.vault.snapshot(BACKUP, name, kept.etag);
        const now = this.source.write('data', { name, body: newer, headers: { contentMd5: md5Of(newer) } });
        this.vault.write(BACKUP, { name, body: Buffer.from(newer), metadata: record(now.etag) });
      }
      if (gone) this.source.remove('data', name);
      tally.listed++;
      countOutcome(tally, entry);
      part.add(entry);
      this.entries.push(entry);
    }
    const slice = this.#slices.get(run) ?? 0;
    this.#slices.set(run, slice + 1);
    await this.control.writePart(held({ job: POINT.job, id: run }), 'slice', sliceKey(slice), part, tally, {});
  }

  /** Verifies it as an orchestration does, and returns the outcome of each blob. */
  async verify(task: Partial<VerifyTask> = {}, id = VERIFICATION.id): Promise<Outcome[]> {
    const verify = { point: POINT.id, kind: 'quick' as const, portion: '100%', turn: 0, sample: 20, ...task };
    const run = { ...VERIFICATION, id, verify };
    await this.begin(run);
    this.requests = {};
    await countingRequests(this.requests, () => this.#drive(run));
    const left = await this.control.listParts(run);
    const reason = incompleteness(left, false);
    if (reason !== undefined) throw new Error(reason);
    const outcomes: Outcome[] = [];
    for (const { path } of partEntries(left))
      outcomes.push(...(await this.control.readPart<Outcome, object>(path)).items);
    return outcomes;
  }

  /** Publishes the restore point as it is, and gives a run its lock. */
  async begin(run: RunRef): Promise<void> {
    const runs = [...this.#slices.keys()].map((each) => ({ job: POINT.job, id: each }));
    const parts = (await Promise.all(runs.map((each) => this.control.listParts(each)))).flatMap(partEntries);
    const summary = {
      ...{ format: 3, ...POINT, mode: 'full', status: 'succeeded', restorePoint: true, source: this.source.endpoint },
      ...{ counts: {}, bytes: {}, containers: [], problems: [], parts, compared: [] },
    };
    const put = (path: string, value: object) =>
      this.vault.putObject(CONTROL_CONTAINER, path, Buffer.from(JSON.stringify(value)), { contentType: 'text/plain' });
    put(summaryPath(POINT), summary);
    put(lockPathOf(run), { job: run.job, epoch: run.epoch, run, since: run.startedAt, cancel: false });
  }

  async #drive(run: typeof VERIFICATION & { verify: VerifyTask }): Promise<void> {
    const task = { run, container: 'data', destination: BACKUP, vaultLocation: { container: BACKUP, prefix: '' } };
    const readChunk = makeReadChunk();
    let manifest: ManifestPosition | undefined;
    for (let slice = 0; ; slice++) {
      const scan: SliceResult = await verifySlice(this.deps, {
        ...task,
        slice,
        ...(manifest && { manifest }),
      });
      for (const chunk of scan.chunks ?? []) {
        for (let from: number | undefined = 0; from !== undefined; ) {
          from = (await readChunk(this.deps, { ...task, chunk, from })).next;
        }
      }
      manifest = scan.nextManifest;
      if (manifest === undefined) return;
    }
  }
}
