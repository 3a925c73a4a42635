import type { Timer } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { expect, test } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import { purgeHistoriesHandler, type Slice, slicesBefore } from '#functions/purge-histories.ts';

const NOW = new Date('2026-11-30T03:17:00.000Z');
const DAY = 86_400_000;

/** `purge` answers for one slice. */
async function purged(purge: (slice: Slice) => Promise<number>, longest?: number) {
  const asked: (Slice & { runtimeStatus: string[] })[] = [];
  const said: object[] = [];
  const client = {
    purgeInstanceHistoryBy: async (filter: (typeof asked)[number]) => {
      asked.push(filter);
      return { instancesDeleted: await purge(filter) };
    },
  } as unknown as DurableClient;
  const telemetry = { warn: (name: string, about: object) => said.push({ name, ...about }) };
  const deps = { now: () => NOW, telemetry } as unknown as Dependencies;
  await purgeHistoriesHandler(deps, longest)({} as Timer, client);
  return { asked, said };
}

test('nothing that was created in the last thirty days is purged, and slices join without a gap', () => {
  const slices = slicesBefore(NOW);
  expect(slices[0]).toEqual({
    createdTimeFrom: new Date(NOW.getTime() - 31 * DAY),
    createdTimeTo: new Date(NOW.getTime() - 30 * DAY),
  });
  for (const [index, slice] of slices.slice(1).entries()) {
    expect(slice.createdTimeTo).toEqual(slices[index]!.createdTimeFrom);
  }
  expect(slices.at(-1)!.createdTimeFrom.getTime()).toBeLessThan(NOW.getTime() - 10 * 365 * DAY);
});

test('only orchestrations that have ended are purged, slice by slice', async () => {
  const { asked, said } = await purged(async () => 2);
  expect(asked.map(({ createdTimeTo }) => createdTimeTo)).toEqual(
    slicesBefore(NOW).map(({ createdTimeTo }) => createdTimeTo),
  );
  for (const { runtimeStatus } of asked) expect(runtimeStatus).toEqual(['Completed', 'Failed', 'Terminated']);
  expect(said).toEqual([{ name: 'histories-purged', orchestrations: String(2 * asked.length) }]);
});

test('a purge that takes too long ends in time, and the next slices wait for the next day', async () => {
  const { asked, said } = await purged(async (slice) => {
    return slice.createdTimeTo.getTime() > NOW.getTime() - 31 * DAY ? 3 : new Promise(() => {});
  }, 50);
  expect(asked.length).toBe(2);
  expect(said).toEqual([{ name: 'histories-purged', orchestrations: '3' }]);
});

test('a purge that fails fails the function, so that the host logs it', async () => {
  await expect(purged(() => Promise.reject(new Error('HTTP 500')))).rejects.toThrow('HTTP 500');
});
