import { describe, expect, it } from 'vitest';
import { CONTROL_CONTAINER } from '#domain/run/control-paths.ts';
import { monthOfTables, type Sabotage, type TableMonth } from '../../../../prove/tables/month.ts';

/** More of them, or others: TABLE_WEEKS=300 TABLE_WEEKS_FIRST=1000. */
const SEEDS = Number(process.env.TABLE_WEEKS ?? 20);
const FIRST = Number(process.env.TABLE_WEEKS_FIRST ?? 0);

describe('I7: weeks of backups, retries, deletions and prunes of tables', { tags: ['slow'] }, () => {
  const met: Record<string, number> = {};

  it('every restore point that stays is as it was when it was made', { timeout: SEEDS * 10_000 }, async () => {
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const { violations, trace, statistics } = await monthOfTables(seed);
      expect({ seed, violations }, trace.slice(-60).join('\n')).toEqual({ seed, violations: [] });
      for (const [what, count] of Object.entries(statistics)) met[what] = (met[what] ?? 0) + count;
    }
  });

  it.runIf(SEEDS >= 20)('the seeds meet every kind of event', () => {
    const all = ['deleted and still held', 'files removed', 'prunes', 'removed points refused', 'restores retried'];
    const more = ['points restored again', 'retries', 'runs without a restore point', 'stale plans', 'verifications'];
    expect(Object.keys(met).sort()).toEqual(['points', ...all, ...more].sort());
  });
});

describe('broken on purpose, the proof notices', { tags: ['slow'] }, () => {
  /** Plays seeds until one of them tells. */
  async function noticed(sabotage: Sabotage): Promise<string> {
    for (let seed = 0; seed < 20; seed++) {
      const { violations }: TableMonth = await monthOfTables(seed, sabotage);
      if (violations.length > 0) return violations.join('\n');
    }
    return '';
  }

  it('the proof notices that changes are not found', { timeout: 60_000 }, async () => {
    const source: Sabotage['source'] = (tables) => ({
      readEntities: async (table, query) => {
        const page = await tables.readEntities(table, query);
        return query.since === undefined ? page : { ...page, entities: page.entities.slice(1) };
      },
    });
    expect(await noticed({ source })).toMatch(/\(incremental\): \w+ has .* came back/);
  });

  it('the proof notices that a prune deletes a needed file', { timeout: 60_000 }, async () => {
    const activities: Sabotage['activities'] = (all, vault) => ({
      ...all,
      deleteChunk: async (input) => {
        const [file] = vault.listBlobs(CONTROL_CONTAINER, { prefix: 'jobs/nightly/tables/' }).blobs.toReversed();
        if (file) vault.remove(CONTROL_CONTAINER, file.name);
        return all.deleteChunk!(input);
      },
    });
    expect(await noticed({ activities })).toMatch(/damaged/);
  });

  it('the proof notices that a restore leaves out an entity', { timeout: 60_000 }, async () => {
    const activities: Sabotage['activities'] = (all) => ({
      ...all,
      writeEntities: async (input) => {
        const { chunk, ...rest } = input as { chunk: { items: number }; from: number };
        if (rest.from === 0 && chunk.items > 1) return all.writeEntities!({ ...rest, chunk, from: 1 });
        return all.writeEntities!(input);
      },
    });
    expect(await noticed({ activities })).toMatch(/inconsistent/);
  });
});
