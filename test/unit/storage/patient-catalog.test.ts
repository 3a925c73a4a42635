import { expect, test } from 'vitest';
import type { CatalogRow } from '#storage/catalog.ts';
import { PatientCatalog } from '#storage/patient-catalog.ts';
import { StorageError, type StorageErrorKind } from '#storage/storage-error.ts';

const row = (id: string, status = 'running'): CatalogRow => ({
  ...{ id, status, job: 'nightly', mode: 'full', trigger: 'http', dryRun: false },
  startedAt: '2026-05-02T00:00:00.000Z',
});

/** A catalog that counts what it is asked, and fails while it is given a kind. */
function world() {
  const state = { fails: undefined as StorageErrorKind | undefined, asked: 0, now: 0, rows: new Map<string, string>() };
  const ask = async <T>(work: () => T): Promise<T> => {
    state.asked++;
    if (state.fails) throw new StorageError(state.fails, 'No', state.fails === 'unreachable' ? 0 : 403);
    return work();
  };
  const catalog = new PatientCatalog(
    {
      put: ({ id, status }) => ask(() => void state.rows.set(id, status)),
      empty: async () => {},
      markComplete: async () => {},
      list: () => ask(() => ({ rows: [] })),
    },
    () => new Date(state.now),
  );
  return { state, catalog };
}

test.each(['unreachable', 'access-denied'] as const)(
  'F82: a table service that is %s is asked once a minute, and then gets the rows that it missed',
  async (kind) => {
    const { state, catalog } = world();
    state.fails = kind;
    for (const each of [row('a'), row('b'), row('a', 'succeeded')]) {
      await expect(catalog.put(each)).rejects.toMatchObject({ kind });
    }
    await expect(catalog.list({ limit: 1 })).rejects.toMatchObject({ kind });
    expect(state.asked).toBe(1);
    state.fails = undefined;
    state.now = 60_000;
    await catalog.put(row('c'));
    expect([...state.rows]).toEqual([
      ['c', 'running'],
      ['b', 'running'],
      ['a', 'succeeded'],
    ]);
  },
);

test('a table service that is only busy is asked each time', async () => {
  const { state, catalog } = world();
  state.fails = 'throttled';
  for (let count = 1; count <= 3; count++) {
    await expect(catalog.list({ limit: 1 })).rejects.toMatchObject({ kind: 'throttled' });
    expect(state.asked).toBe(count);
  }
});
