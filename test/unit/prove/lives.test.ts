import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { live, type Sabotage } from '../../../prove/lives/life.ts';

const run = promisify(execFile);

describe('lives of a vault', () => {
  it('end with every restore point that is kept as the source was, and nothing of it deleted', async () => {
    const totals: Record<string, number> = {};
    for (let seed = 1; seed <= 40; seed++) {
      const { violations, statistics } = await live(seed);
      for (const [what, count] of Object.entries(statistics)) totals[what] = (totals[what] ?? 0) + count;
      expect(violations, `node prove/lives/main.ts --seeds 1 --from ${seed}`).toEqual([]);
    }
    // Otherwise there would be little that could break.
    for (const event of [
      'crash',
      'leap back',
      'plan that removes',
      'snapshot deleted',
      'blob deleted',
      'problem: plan-stale',
      'restored whole',
      'brake engaged',
      'held',
      'damage: flip',
    ]) {
      expect(totals[event], event).toBeGreaterThan(0);
    }
  }, 180_000);

  it('are the same again for the same seed, also in another process', async () => {
    const [first, again] = [await live(7), await live(7)];
    expect(first.trace.length).toBeGreaterThan(100);
    expect(again.trace).toEqual(first.trace);
    const args = ['prove/lives/main.ts', '--seeds', '1', '--from', '7'];
    const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', ...args]);
    expect(stdout).toContain(first.digest.slice(0, 16));
  }, 30_000);
});

/** What the first seeds that notice say. */
async function noticed(sabotage: Sabotage, most = 40): Promise<string[] | undefined> {
  for (let seed = 1; seed <= most; seed++) {
    const { violations } = await live(seed, sabotage);
    if (violations.length > 0) return violations.map(({ promise }) => promise);
  }
  return undefined;
}

describe('broken on purpose, it is noticed', { timeout: 90_000 }, () => {
  it('that a snapshot is deleted whatever it is needed for', async () => {
    const found = await noticed({
      storage: ({ vault }) => {
        const list = vault.listBlobs.bind(vault);
        // As a prune lists them, snapshots look like versions that nobody has ever heard of.
        vault.listBlobs = (container, options) => {
          const page = list(container, options);
          const blobs = page.blobs.map((blob) =>
            blob.snapshotOrVersion && !options.contentHeaders
              ? { ...blob, metadata: { ...blob.metadata, strongroom_etag: 'other' } }
              : blob,
          );
          return { ...page, blobs };
        };
      },
    });
    expect(found).toContain('I5');
  });

  it('that the deletions of a prune are told and not made', async () => {
    const found = await noticed({
      storage: ({ vault }) => {
        vault.deleteBlob = () => {};
      },
    });
    expect(found).toContain('I3');
  });

  it('that a restore forgets the last of its chunks', async () => {
    const found = await noticed({
      activities: (activities) => ({
        ...activities,
        planRestore: async (input) => {
          const answer = (await activities.planRestore!(input)) as { chunks?: unknown[] };
          return { ...answer, chunks: answer.chunks?.slice(0, -1) };
        },
      }),
    });
    expect(found).toContain('restore');
  });
});
