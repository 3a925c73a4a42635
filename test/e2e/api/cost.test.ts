import { expect, test } from 'vitest';
import type { RunReport } from '#domain/run/run.ts';
import type { RunCost } from '#functions/run/run-cost.ts';
import { useTestBed } from '../../support/app/test-bed.ts';

const bed = useTestBed();

type Lines = Pick<RunCost, 'parts'>;

/** The quantity of a part, 0 if there is none. */
function quantity({ parts }: Lines, what: string, tier?: string): number {
  return parts.find((part) => part.what === what && part.tier === tier)?.quantity ?? 0;
}

const costOf = (report: RunReport) => (report as RunReport & { cost: RunCost }).cost;

test('a dry run foretells what the run then costs, by tier, and the month has both', async () => {
  await bed.upload('hot', 'x'.repeat(1000));
  await bed.upload('cool', 'y'.repeat(500), 'data', { tier: 'Cool' });
  const app = await bed.start();
  const dry = costOf(await app.run({ dryRun: true }));
  const planned = dry.planned!;
  expect(quantity(dry, 'data retrieval', 'Cool')).toBe(0);
  expect(quantity(planned, 'data retrieval', 'Cool')).toBe(500);
  expect(quantity(planned, 'data retrieval', 'Hot')).toBe(1000);
  expect(quantity(planned, 'write operations', 'Cool')).toBe(1);

  const report = await app.run();
  const cost = costOf(report);
  for (const what of ['data retrieval', 'read operations', 'write operations']) {
    expect(quantity(cost, what, 'Cool'), what).toBe(quantity(planned, what, 'Cool'));
  }
  const { CopyBlobFromURL: copies, ListBlobs = 0, ListContainers = 0, CreateContainer = 0 } = report.requests;
  expect(copies).toBe(2);
  expect(quantity(cost, 'list and create container operations')).toBe(ListBlobs + ListContainers + CreateContainer);
  expect(cost.stored).toEqual(planned.stored);

  const again = costOf(await app.run({ mode: 'incremental' }));
  expect(quantity(again, 'data retrieval', 'Cool')).toBe(0);
  expect(again).not.toHaveProperty('stored');
  const { body } = await app.call('GET', '/api/cost');
  expect(body).toMatchObject({ isComplete: true, jobs: [{ job: 'nightly', runs: 3, unpriced: 0 }] });
  expect(body.total).toBeCloseTo(dry.total + cost.total + again.total, 8);
});

test('the dry run of a restore foretells the costs of a rehydration with both priorities', async () => {
  await bed.fill(2);
  const app = await bed.start();
  await app.run();
  await bed.backup().getBlobClient('blob-000').setAccessTier('Archive');
  const target = { container: '{container}-restored' };
  const without = costOf(await app.restore({ target, dryRun: true })).planned!;
  expect(without.unknown).toContainEqual(expect.objectContaining({ what: 'blobs in the archive tier', quantity: 1 }));
  const { rehydration, total } = costOf(await app.restore({ target, dryRun: true, rehydrate: 'standard' })).planned!;
  expect(rehydration).toMatchObject({ blobs: 1, standard: { total, hours: 15 }, high: { hours: 1 } });
  // One read of the archive tier costs 0.0005, and 0.005 with high priority.
  expect(rehydration!.high.total - total).toBeCloseTo(0.0045, 6);
});
