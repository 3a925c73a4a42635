import { TableClient } from '@azure/data-tables';
import { expect, test } from 'vitest';
import { useTestBed } from '../../support/app/test-bed.ts';

const bed = useTestBed();

const jobOf = (name: string, source: object) => ({
  name,
  source: { account: 'SOURCE', ...source },
  destination: { account: 'VAULT', container: `{container}-${name}` },
});

test('F10: a page that is not the service’s is no list of containers: the run fails, and claims no deletion', async () => {
  await bed.upload('a', 'a');
  await bed.upload('b', 'b', 'x-1');
  const table = TableClient.fromConnectionString(bed.source.connectionString, 'things', {
    allowInsecureConnection: true,
  });
  await table.createTable();
  await table.createEntity({ partitionKey: 'p', rowKey: 'r' });
  const jobs = [jobOf('all', { containers: ['*'], tables: ['*'] }), jobOf('some', { containers: ['data', 'x*'] })];
  const app = await bed.start({ jobs, limits: { retryDelayMs: 5 } });
  const points = new Map<string, string>();
  for (const { name } of jobs) {
    const report = await app.run({}, name);
    expect(report.status, JSON.stringify(report.problems)).toBe('succeeded');
    points.set(name, report.id);
  }

  for (const body of ['<html><body><p>Sign in</p></body></html>', '']) {
    bed.proxy.rules.length = 0;
    bed.proxy.rules.push({
      match: ({ path, query }) => path.startsWith(`/${bed.source.name}`) && query.get('comp') === 'list',
      answer: () => ({ status: 200, headers: { 'content-type': 'text/html' }, body }),
    });
    for (const { name } of jobs) {
      const report = await app.run({ mode: 'incremental' }, name);
      expect(report, name).toMatchObject({ status: 'failed' });
      expect(report.counts.deleted ?? 0).toBe(0);
      expect(report.problems[0]?.message).toMatch(/list the containers of SOURCE: The service sent an incomplete/);
    }
  }

  bed.proxy.rules.length = 0;
  for (const { name } of jobs) {
    const { body } = await app.call('GET', `/api/restore-points?job=${name}`);
    expect((body.restorePoints as unknown as { id: string }[]).map(({ id }) => id)).toEqual([points.get(name)]);
    expect((await app.run({ mode: 'incremental' }, name)).status).toBe('succeeded');
  }
});
