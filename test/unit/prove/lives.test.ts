import { describe, expect, it } from 'vitest';
import { live, type Sabotage } from '../../../prove/lives/life.ts';
import { expectNoViolation, expectSameTrace, firstViolations } from './seeds.ts';

const COMMAND = 'prove/lives/main.ts';

describe('lives of a vault', () => {
  it('every life ends with each restore point as the source was, and nothing it needs deleted', async () => {
    await expectNoViolation(live, COMMAND, 20, [
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
    ]);
  }, 180_000);

  it('a seed gives the same trace, also in another process', async () => {
    await expectSameTrace(live, COMMAND, 7);
  }, 30_000);
});

/** The promises that the first seeds break. */
async function noticed(sabotage: Sabotage): Promise<string[]> {
  const violations = await firstViolations((seed) => live(seed, sabotage), 40);
  return violations.map(({ promise }) => promise);
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
