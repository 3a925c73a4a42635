import { describe, expect, it, test } from 'vitest';
import { publishRun } from '#activities/run/publish-run.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { chunkKey, pendingKey, sliceKey } from '#domain/run/control-paths.ts';
import { lockPathOf } from '#domain/run/lock-place.ts';
import { PartWriter } from '#domain/run/part.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';
import { emptyTally, type Tally } from '#domain/run/tally.ts';
import type { BlobAccount, StoredObject } from '#storage/blob-account.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import { blobState } from '../../../support/builders/blob-state.ts';
import { held } from '../../../support/builders/held-run.ts';
import { RUN } from '../../../support/builders/run-ref.ts';
import { storedObject } from '../../../support/builders/stored-object.ts';

const NOW = new Date('2026-05-02T00:10:00.000Z');

/** A vault in which a run has left these parts; ends the run and tells what it came to. */
async function published(
  parts: [kind: 'slice' | 'chunk' | 'pending', container: string, key: string, tally: Partial<Tally>][],
  containers: number,
  problems: Problem[] = [],
  run: RunRef = RUN,
) {
  const objects = new Map<string, StoredObject>();
  const vault = {
    alias: 'VAULT',
    endpoint: 'https://vault',
    getObject: async (_container: string, name: string) => objects.get(name),
    appendObject: async () => {},
    putObject: async (
      _container: string,
      name: string,
      body: Uint8Array,
      options: Parameters<BlobAccount['putObject']>[3],
    ) => {
      if (options.expect === 'absent' && objects.has(name)) throw new StorageError('precondition', 'It is there');
      objects.set(name, storedObject(body, { metadata: options.metadata ?? {} }));
      return { etag: '0x1' };
    },
    listBlobs: async () => ({
      blobs: [...objects].map(([name, { metadata }]) => blobState({ name, metadata })),
      prefixes: [],
    }),
  } as unknown as BlobAccount;
  const control = new ControlStore(vault);
  await control.writeJson(
    lockPathOf(run),
    { job: 'nightly', epoch: 1, run, since: run.startedAt, cancel: false },
    'absent',
  );
  for (const [kind, container, key, tally] of parts) {
    await control.writePart(
      held(RUN),
      kind,
      key,
      new PartWriter(),
      { ...emptyTally(container, `${container}backup`), ...tally },
      {},
    );
  }
  const deps = {
    configuration: {
      archives: [],
      jobs: [
        {
          name: 'nightly',
          source: { account: 'SOURCE' },
          destination: { account: 'VAULT', container: '', prefix: '' },
        },
      ],
    },
    blobs: () => vault,
    catalog: () => ({ put: async () => {}, list: async () => ({ rows: [] }) }),
    limits: { silentMs: 600_000 },
    telemetry: { runFinished: () => {}, chainHead: () => {} },
    now: () => NOW,
  } as unknown as Dependencies;
  const { status } = await publishRun(deps, { run, containers, problems, cancelled: false, requests: {} });
  const summary = await control.readSummary(RUN);
  return {
    status,
    restorePoint: summary?.restorePoint,
    problems: summary?.problems.map(({ code }) => code),
    parts: summary?.parts,
    containers: summary?.containers,
  };
}

test('a retry of a restore does not fail because it selects nothing', async () => {
  const into = { point: 'p', account: 'SOURCE', container: '{container}', prefix: '', existing: 'fail' };
  const restore = { ...into, containers: ['a'], startsWith: 'x', include: [], exclude: [] };
  const found = { unmatched: { count: 3, example: 'b' } };
  for (const [retryOf, status] of [
    [undefined, 'failed'],
    ['nightly-20260501T000000Z-aaaaaa', 'succeeded'],
  ] as const) {
    const run = { ...RUN, mode: 'restore', restore, ...(retryOf && { retryOf }) } as unknown as RunRef;
    expect((await published([scan('a', found)], 1, [], run)).status).toBe(status);
  }
});

const scan = (container: string, tally: Partial<Tally>) =>
  ['slice', container, sliceKey(0), { last: true, ...tally }] as ['slice', string, string, Partial<Tally>];
const copy = (container: string, tally: Partial<Tally>) =>
  ['chunk', container, chunkKey(0, 0, 0), tally] as ['chunk', string, string, Partial<Tally>];

describe('F18: a run becomes a restore point', () => {
  it('a run is a restore point if each container left all of its parts', async () => {
    const parts = [scan('a', { listed: 3, unchanged: 1, planned: 2 }), copy('a', { copied: 2, planned: 2 })];
    expect(await published(parts, 1)).toMatchObject({ status: 'succeeded', restorePoint: true, problems: [] });
  });

  it('a failure that only a note of another execution has does not count', async () => {
    const note = pendingKey({ key: chunkKey(0, 0, 0), attempt: 'aaaaaa', round: 1 });
    const parts = [scan('a', { listed: 1, planned: 1 }), copy('a', { copied: 1, planned: 1 })];
    const result = await published([...parts, ['pending', 'a', note, { failed: 1, planned: 1 }]], 1);
    expect(result).toMatchObject({ status: 'succeeded', restorePoint: true, problems: [] });
  });

  it.each([
    ['a container left nothing', [scan('a', { listed: 1, unchanged: 1 })], 2],
    ['a planned item was not copied', [scan('a', { listed: 2, planned: 2 })], 1],
    ['a slice is not the last', [scan('a', { listed: 1, unchanged: 1, last: false })], 1],
    ['a listed blob has no outcome', [scan('a', { listed: 2, unchanged: 1 })], 1],
  ] as const)('a run is not a restore point if %s', async (_, parts, containers) => {
    expect(await published([...parts], containers)).toMatchObject({
      status: 'failed',
      restorePoint: false,
      problems: ['inconsistent'],
    });
  });

  it('a restore point lacks the containers with problems, and says so', async () => {
    const parts = [scan('a', { listed: 1, unchanged: 1 }), scan('b', { listed: 1, unchanged: 1 })];
    const result = await published(parts, 2, [problemOf('throttled', 0, 'b')]);
    expect(result).toMatchObject({ status: 'completed-with-failures', restorePoint: true, problems: ['throttled'] });
    expect(result.parts?.map(({ container }) => container)).toEqual(['a']);
  });

  it('a container whose name makes no backup container name is skipped by name, and fails nothing', async () => {
    const skipped = problemOf('container-skipped', 0, 'long');
    const sound = [scan('a', { listed: 1, unchanged: 1 })];
    expect(await published(sound, 2, [skipped])).toMatchObject({
      status: 'succeeded',
      restorePoint: true,
      problems: ['container-skipped'],
      containers: [
        { container: 'a', status: 'succeeded' },
        { container: 'long', status: 'skipped', problems: [{ code: 'container-skipped' }] },
      ],
    });
    // Beside real failures, and alone, it changes nothing.
    expect(await published(sound, 3, [skipped, problemOf('throttled', 0, 'b')])).toMatchObject({
      status: 'completed-with-failures',
    });
    expect(await published([], 1, [skipped])).toMatchObject({ status: 'failed', restorePoint: false });
  });

  it('however many containers have problems, the run ends at once', async () => {
    const count = 10_000;
    const problems = Array.from({ length: count }, (_, index) => problemOf('container-skipped', 0, `tenant-${index}`));
    const began = process.cpuUsage();
    const { containers } = await published([scan('a', { listed: 1, unchanged: 1 })], count + 1, problems);
    expect(containers).toHaveLength(count + 1);
    // Work that grows with the square would take seven seconds.
    expect(process.cpuUsage(began).user).toBeLessThan(5_000_000);
  });
});
