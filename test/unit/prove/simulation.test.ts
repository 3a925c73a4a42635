import { describe, expect, it } from 'vitest';
import type { BlobState } from '#domain/blobs/blob.ts';
import { type Sabotage, simulate } from '../../../prove/simulation/simulate.ts';
import { expectNoViolation, expectSameTrace, firstViolations } from './seeds.ts';

const COMMAND = 'prove/simulation/main.ts';

describe('the simulation', () => {
  it('the simulation finds no broken promise, in all seeds', async () => {
    await expectNoViolation(simulate, COMMAND, 100, [
      'crash',
      'activity ended from outside',
      'activity ended by the death of its process',
      'orchestration failed',
      'lock taken over',
      'activity executed twice',
      'copy hangs',
      'fault: lost',
      'snapshot',
    ]);
  }, 180_000);

  it('a seed gives the same trace, also in another process', async () => {
    const first = await expectSameTrace(simulate, COMMAND, 7);
    expect((await simulate(8)).digest).not.toBe(first.digest);
  });

  it('the simulation restores the real timers', async () => {
    const before = [setTimeout, setInterval, clearTimeout, clearInterval];
    await simulate(3);
    expect([setTimeout, setInterval, clearTimeout, clearInterval]).toEqual(before);
  });
});

/** The input of an activity as if its run did not know what it began with. */
function withoutSetup(input: unknown): unknown {
  const { run } = input as { run: object };
  return { ...(input as object), run: { ...run, setup: undefined } };
}

/** The promises that the first seeds break. */
async function noticed(sabotage: Sabotage, from = 1): Promise<string[]> {
  const violations = await firstViolations((seed) => simulate(seed, sabotage), 120, from);
  return violations.map(({ promise }) => promise);
}

describe('broken on purpose, the proof notices', { timeout: 90_000 }, () => {
  it('the witness notices a run that goes on with another setup', async () => {
    const found = await noticed(
      {
        activities: (activities) =>
          Object.fromEntries(
            Object.entries(activities).map(([name, activity]) => [name, (input) => activity(withoutSetup(input))]),
          ),
      },
      43,
    );
    expect(found).toContain('I2');
  });

  it('the witness notices a vault that ignores conditions on writes', async () => {
    const found = await noticed({
      storage: ({ vault }) => {
        const put = vault.putObject.bind(vault);
        vault.putObject = (container, name, body, { expect: _, ...options }) => put(container, name, body, options);
      },
    });
    expect(found).toContain('I3');
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
    expect(found).toContain('I3');
  });

  it('the witness notices a snapshot that keeps nothing', async () => {
    const found = await noticed({
      storage: ({ vault }) => {
        vault.snapshot = () => 'none';
      },
    });
    expect(found).toContain('I2');
  });

  it('the witness notices a failed or pending copy that looks successful', async () => {
    const found = await noticed(
      {
        storage: ({ vault }) => {
          const getProperties = vault.getProperties.bind(vault);
          vault.getProperties = (container, name) => {
            const state: BlobState | undefined = getProperties(container, name);
            return state?.copy ? { ...state, copy: { ...state.copy, status: 'success' } } : state;
          };
        },
      },
      15,
    );
    expect(found).toContain('I1');
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
    expect(found).toContain('I1');
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
    expect(found).toContain('I1');
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
    expect(found).toContain('I1');
  });
});
