import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { expect, test } from 'vitest';
import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { loadConfiguration } from '#config/configuration.ts';
import { getJobHandler, listJobsHandler } from '#functions/run/list-jobs.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';

const SECRET = Buffer.alloc(64, 'a key that must never be seen').toString('base64');
const SETTINGS = {
  SOURCE: `DefaultEndpointsProtocol=https;AccountName=source1;AccountKey=${SECRET};EndpointSuffix=core.windows.net`,
  VAULT__blobServiceUri: 'https://vault1.blob.core.windows.net',
  HC_NIGHTLY: 'https://hc.example/a-secret-path',
};
/** Every option of a job. */
const FULL = {
  name: 'full',
  schedule: '0 30 23 * * *',
  timeZone: 'Europe/Berlin',
  mode: 'full',
  method: 'sync',
  source: {
    ...{ account: 'SOURCE', containers: ['*'], prefix: '2026/', include: ['**'], exclude: ['*.tmp'] },
    ...{ tables: ['orders'], tableDeletions: true },
  },
  destination: { account: 'VAULT', container: '{container}backup', prefix: '{container}/' },
  retention: {
    ...{ keepLast: 1, keepDaily: 2, keepWeekly: 3, keepMonthly: 4, keepYearly: 5, keepWithin: '30d' },
    ...{ schedule: '0 0 5 * * SUN', marginHours: 48, account: 'VAULT', ping: 'HC_NIGHTLY' },
    brake: { percent: 10, blobs: 20, days: 30 },
  },
  verify: {
    ...{ afterRun: 'quick', schedule: '0 0 4 * * 1-5', kind: 'deep', portion: '1/7', expect: '35d' },
    ping: 'HC_NIGHTLY',
  },
  expect: { grace: '2h' },
  ping: 'HC_NIGHTLY',
};
const LEAST = {
  name: 'least',
  source: { account: 'SOURCE', containers: ['data'] },
  destination: { account: 'VAULT', container: 'least' },
};

const deps = {
  configuration: loadConfiguration({
    text: JSON.stringify({ jobs: [FULL, LEAST] }),
    file: 'strongroom.json',
    settings: SETTINGS,
  }),
  now: () => new Date('2026-05-20T12:00:00Z'),
} as unknown as Dependencies;

async function ask(handler: typeof getJobHandler, job?: string) {
  const request = httpRequest({ params: job === undefined ? {} : { job } });
  const answer = await handler(deps)(request, {} as DurableClient, {} as InvocationContext);
  return { status: answer.status, text: String(answer.body), body: JSON.parse(String(answer.body)) };
}

test('a job is shown with every option, and without a secret', async () => {
  const { body, text } = await ask(getJobHandler, 'full');
  expect(OPERATIONS.getJob.answers[200].safeParse(body).error).toBeUndefined();
  const { schedule, retention, verify, ...same } = FULL;
  const { schedule: pruned, ...kept } = retention;
  const { schedule: verified, ...proved } = verify;
  expect(body).toEqual({
    ...same,
    ...{ retention: kept, verify: proved, expect: { grace: '2h', every: null } },
    schedules: [
      { kind: 'backup', schedule, words: 'every day at 23:30', next: expect.any(Array) },
      { kind: 'verify', schedule: verified, words: 'Monday to Friday at 04:00', next: expect.any(Array) },
      { kind: 'prune', schedule: pruned, words: 'Sunday at 05:00', next: expect.any(Array) },
    ],
  });
  expect(body.schedules[1].next).toEqual([
    ...['2026-05-21T02:00:00.000Z', '2026-05-22T02:00:00.000Z', '2026-05-25T02:00:00.000Z'],
    ...['2026-05-26T02:00:00.000Z', '2026-05-27T02:00:00.000Z'],
  ]);
  expect(text).not.toContain('secret');
  expect(text).not.toContain(SECRET.slice(0, 20));
});

test('a job is shown with the defaults that are in force', async () => {
  const { body } = await ask(listJobsHandler);
  expect(OPERATIONS.listJobs.answers[200].safeParse(body).error).toBeUndefined();
  expect(body.jobs).toMatchObject([
    { name: 'full' },
    {
      ...{ name: 'least', mode: 'incremental', method: 'auto', timeZone: 'UTC', schedules: [], retention: null },
      ...{ verify: null, source: { prefix: '', exclude: [], tables: [] }, ping: null },
    },
  ]);
  expect((await ask(getJobHandler, 'other')).body).toMatchObject({ code: 'job-not-found' });
});
