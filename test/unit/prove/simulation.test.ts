import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { BlobState } from '#domain/blobs/blob.ts';
import { type Sabotage, simulate } from '../../../prove/simulation/simulate.ts';

const run = promisify(execFile);

describe('the simulation', () => {
  it('the simulation finds no broken promise, in all seeds', async () => {
    const totals: Record<string, number> = {};
    for (let seed = 1; seed <= 100; seed++) {
      const { violations, statistics } = await simulate(seed);
      for (const [what, count] of Object.entries(statistics)) totals[what] = (totals[what] ?? 0) + count;
      expect(violations, `node prove/simulation/main.ts --seeds 1 --from ${seed}`).toEqual([]);
    }
    // Otherwise there would be little that could break.
    for (const event of [
      'crash',
      'lock taken over',
      'activity executed twice',
      'copy hangs',
      'fault: lost',
      'snapshot',
    ]) {
      expect(totals[event], event).toBeGreaterThan(0);
    }
  }, 180_000);

  it('a seed gives the same trace, also in another process', async () => {
    const [first, again] = [await simulate(7), await simulate(7)];
    expect(first.trace.length).toBeGreaterThan(100);
    expect(again.trace).toEqual(first.trace);
    expect((await simulate(8)).digest).not.toBe(first.digest);
    const args = ['prove/simulation/main.ts', '--seeds', '1', '--from', '7'];
    const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', ...args]);
    expect(stdout).toContain(first.digest.slice(0, 16));
  });

  it('the simulation restores the real timers', async () => {
    const before = [setTimeout, setInterval, clearTimeout, clearInterval];
    await simulate(3);
    expect([setTimeout, setInterval, clearTimeout, clearInterval]).toEqual(before);
  });
});

/** The first seed that notices, and what it says. */
async function noticed(
  sabotage: Sabotage,
  from = 1,
  most = 120,
): Promise<{ seed: number; promises: string[] } | undefined> {
  for (let seed = from; seed < from + most; seed++) {
    const { violations } = await simulate(seed, sabotage);
    if (violations.length > 0) return { seed, promises: violations.map(({ promise }) => promise) };
  }
  return undefined;
}

describe('broken on purpose, the proof notices', { timeout: 90_000 }, () => {
  it('the witness notices a vault that ignores conditions on writes', async () => {
    const found = await noticed({
      storage: ({ vault }) => {
        const put = vault.putObject.bind(vault);
        vault.putObject = (container, name, body, { expect: _, ...options }) => put(container, name, body, options);
      },
    });
    expect(found?.promises).toContain('I3');
  });

  it('the witness notices copies that are not pinned to a source version', async () => {
    const found = await noticed(
      {
        storage: ({ source, vault }) => {
          const copy = vault.copySync.bind(vault);
          vault.copySync = (request) => {
            const [, container, name] = new URL(request.sourceUrl).pathname.split('/');
            const now = source.blob(container!, decodeURIComponent(name!));
            return copy({ ...request, sourceIfMatch: now?.etag ?? request.sourceIfMatch });
          };
        },
      },
      30,
    );
    expect(found?.promises).toContain('I3');
  });

  it('the witness notices a snapshot that keeps nothing', async () => {
    const found = await noticed({
      storage: ({ vault }) => {
        vault.snapshot = () => 'none';
      },
    });
    expect(found?.promises).toContain('I2');
  });

  it('the witness notices a failed or pending copy that looks successful', async () => {
    const found = await noticed({
      storage: ({ vault }) => {
        const look = vault.getProperties.bind(vault);
        vault.getProperties = (container, name) => {
          const state: BlobState | undefined = look(container, name);
          return state?.copy ? { ...state, copy: { ...state.copy, status: 'success' } } : state;
        };
      },
    });
    expect(found?.promises).toContain('I1');
  });

  it('the witness notices a listing that ends too early', async () => {
    const found = await noticed({
      storage: ({ source }) => {
        const list = source.listBlobs.bind(source);
        source.listBlobs = (container, options) => {
          const { next, ...page } = list(container, options);
          return options.marker === undefined && next !== undefined ? { ...page, next } : page;
        };
      },
    });
    expect(found?.promises).toContain('I1');
  });

  it('the witness notices an activity that swallows a problem', async () => {
    const found = await noticed({
      activities: (activities) => ({
        ...activities,
        scanSlice: async (input) => {
          const { problem, ...rest } = (await activities.scanSlice!(input)) as { problem?: unknown };
          return rest;
        },
      }),
    });
    expect(found?.promises).toContain('I1');
  });

  it('the witness notices a run that is published with pending copies', async () => {
    const found = await noticed({
      activities: (activities) => ({
        ...activities,
        copyChunk: async (input) => {
          const { pendingFile, ...rest } = (await activities.copyChunk!(input)) as { pendingFile?: unknown };
          return rest;
        },
      }),
    });
    expect(found?.promises).toContain('I1');
  });
});
