import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { live, type Sabotage } from '../../../prove/lives/life.ts';

const run = promisify(execFile);

describe('lives of a vault', () => {
  it('every life ends with each restore point as the source was, and nothing it needs deleted', async () => {
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

  it('a seed gives the same trace, also in another process', async () => {
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

describe('broken on purpose, the proof notices', { timeout: 90_000 }, () => {
  it('the judge notices that a needed snapshot is deleted', async () => {
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

  it('the judge notices that a prune reports deletions that it does not make', async () => {
    const found = await noticed({
      storage: ({ vault }) => {
        vault.deleteBlob = () => {};
      },
    });
    expect(found).toContain('I3');
  });

  it('the judge notices that a restore forgets its last chunk', async () => {
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
