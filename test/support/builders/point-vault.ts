import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { expect } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import {
  chunkKey,
  laterKey,
  notesPath,
  type PartKind,
  partPath,
  sliceKey,
  summaryPath,
} from '#domain/run/control-paths.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { partEntries } from '#domain/run/report.ts';
import type { Notes } from '#domain/run/restore-point.ts';
import type { PartEntry, RunSummary } from '#domain/run/run.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import { countOutcome, emptyTally, type Tally } from '#domain/run/tally.ts';
import type { Handler } from '#functions/http/answering.ts';
import type { BlobAccount, BlobPage, PutObjectOptions, StoredObject } from '#storage/blob-account.ts';
import { type CatalogQuery, type CatalogRow, catalogRowOf, isChosenRow } from '#storage/catalog.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import { blobState } from './blob-state.ts';
import { held } from './held-run.ts';
import { httpRequest } from './http-request.ts';
import { storedObject } from './stored-object.ts';

/** The result of one slice of a container: outcomes of the scan, and the chunks of copies. */
export interface SliceOf {
  scan?: Outcome[];
  copies?: { now: Outcome[]; later?: Outcome[] }[];
}

export type Made = Record<string, SliceOf[]>;

/** A vault in memory with restore points, and the API for it. */
export class PointVault {
  readonly objects = new Map<string, StoredObject>();
  /** The paths of the objects that were read, in order. */
  readonly read: string[] = [];
  readonly rows: CatalogRow[] = [];
  readonly deps: Dependencies;
  readonly control: ControlStore;
  /** Whether to write parts without their range of names, as earlier versions did. */
  withoutNames = false;
  #writes = 0;

  constructor(jobs = ['nightly']) {
    const blobs = this.#account();
    this.control = new ControlStore(blobs);
    this.deps = {
      configuration: { archives: [], jobs: jobs.map((name) => ({ name, destination: { account: 'VAULT' } })) },
      blobs: () => blobs,
      limits: { sharedMs: 0 },
      catalog: () => ({ list: this.#list }),
      telemetry: { chainHead: () => {}, failure: (_name: string, error: unknown) => expect.unreachable(String(error)) },
      now: () => new Date('2026-11-22T12:00:00.000Z'),
    } as unknown as Dependencies;
  }

  /** Writes a restore point. A retry builds on `after`. */
  async publish(id: string, made: Made, more: Partial<RunSummary> & { after?: RunSummary } = {}): Promise<RunSummary> {
    const { after, ...rest } = more;
    const { job, startedAt } = parseRunId(id)!;
    const run = { job, id };
    let listed = 0;
    for (const [container, slices] of Object.entries(made)) {
      for (const [slice, { scan = [], copies = [] }] of slices.entries()) {
        listed += await this.#part(run, 'slice', container, sliceKey(slice), scan);
        for (const [chunk, { now, later }] of copies.entries()) {
          const key = chunkKey(slice, chunk, 0);
          listed += await this.#part(run, 'chunk', container, key, now);
          if (later) listed += await this.#part(run, 'chunk', container, laterKey(key), later);
        }
      }
    }
    const own = partEntries(await this.control.listParts(run)).map(({ names, ...part }): PartEntry => {
      return { ...part, ...(names && !this.withoutNames && { names }) };
    });
    const summary = {
      format: 3,
      ...run,
      mode: after ? 'retry' : 'full',
      trigger: 'http',
      dryRun: false,
      status: 'succeeded',
      startedAt: startedAt.toISOString(),
      finishedAt: startedAt.toISOString(),
      counts: { listed },
      bytes: { listed: listed * 10, copied: 0 },
      containers: [],
      problems: [],
      source: 'https://source.test',
      vault: 'https://vault.test',
      restorePoint: true,
      parts: [...(after?.parts ?? []), ...own],
      compared: [],
      ...rest,
    } as unknown as RunSummary;
    this.put(summaryPath(run), Buffer.from(JSON.stringify(summary)));
    this.rows.unshift(catalogRowOf(summary));
    return summary;
  }

  note(id: string, notes: Notes): void {
    const run = { job: parseRunId(id)!.job, id };
    this.put(notesPath(run), Buffer.from(JSON.stringify(notes)), { strongroom_notes: JSON.stringify(notes) });
  }

  put(path: string, body: Buffer, metadata: Record<string, string> = {}): void {
    this.#writes++;
    this.objects.set(path, storedObject(body, { metadata, etag: `0x${this.#writes}` }));
  }

  async ask(
    make: (deps: Dependencies) => Handler,
    { id = '', query = {}, body = '' }: { id?: string; query?: Record<string, string>; body?: unknown } = {},
  ) {
    const request = httpRequest({ params: { id }, query, body });
    const answer = await make(this.deps)(request, {} as DurableClient, { functionName: 'f' } as InvocationContext);
    return { status: answer.status, body: JSON.parse(answer.body as string) };
  }

  async #part(run: { job: string; id: string }, kind: PartKind, container: string, key: string, items: Outcome[]) {
    const tally: Tally = emptyTally(container, `${container}backup`);
    const part = new PartWriter<Outcome>();
    for (const item of items) {
      countOutcome(tally, item);
      part.add(item);
    }
    await this.control.writePart(held(run), kind, key, part, tally, { part: partPath(run, kind, container, key) });
    return items.length;
  }

  /** A page may have fewer rows than the limit, as the service has it where a query chooses some. */
  #list = async ({ limit, cursor = '0', ...choice }: CatalogQuery) => {
    if (!/^\d+$/.test(cursor)) throw new StorageError('invalid', 'Not a cursor');
    const end = Number(cursor) + limit;
    const rows = this.rows.slice(Number(cursor), end).filter((row) => isChosenRow(row, choice));
    return { rows, ...(end < this.rows.length && { next: String(end) }) };
  };

  #account(): BlobAccount {
    const account: Partial<BlobAccount> = {
      alias: 'VAULT',
      endpoint: 'https://vault.test',
      getObject: async (_container, path) => {
        this.read.push(path);
        return this.objects.get(path);
      },
      putObject: async (_container: string, path: string, body: Buffer, options: PutObjectOptions) => {
        const { expect: wanted } = options;
        const there = this.objects.get(path);
        if (wanted === 'absent' ? there : wanted && wanted.ifMatch !== there?.etag) {
          throw new StorageError('precondition', 'Something else is there');
        }
        this.put(path, body, options.metadata);
        return { etag: this.objects.get(path)!.etag };
      },
      getProperties: async (_container, path) => (this.objects.has(path) ? blobState({ name: path }) : undefined),
      listBlobs: async (_container, { prefix = '', delimiter }): Promise<BlobPage> => {
        const below = [...this.objects].filter(([path]) => path.startsWith(prefix)).sort();
        const ends = below.map(([path]) => (delimiter ? path.indexOf(delimiter, prefix.length) : -1));
        const folders = below.flatMap(([path], index) => (ends[index]! < 0 ? [] : path.slice(0, ends[index]! + 1)));
        return {
          blobs: below.flatMap(([name, { body, metadata, etag }], index) =>
            ends[index]! < 0 ? blobState({ name, size: body.length, metadata, etag }) : [],
          ),
          prefixes: [...new Set(folders)],
        } as BlobPage;
      },
    };
    return account as BlobAccount;
  }
}
