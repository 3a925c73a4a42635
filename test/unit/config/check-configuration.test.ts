import { expect, test } from 'vitest';
import { checkConfiguration } from '#config/check-configuration.ts';

const KEY = Buffer.alloc(64, 'a key that must never be seen').toString('base64');
const SETTINGS = {
  SOURCE: `DefaultEndpointsProtocol=https;AccountName=source1;AccountKey=${KEY};EndpointSuffix=core.windows.net`,
  VAULT__blobServiceUri: 'https://vault1.blob.core.windows.net',
  SECRET: 'abc',
};
const job = (more: object = {}, destination: object = {}) => ({
  name: 'nightly',
  source: { account: 'SOURCE', containers: ['*'] },
  destination: { account: 'VAULT', container: '{container}backup', ...destination },
  ...more,
});
const check = (value: object) => checkConfiguration(value, SETTINGS);

test('a configuration is checked as at the start, and every problem has its place', () => {
  expect(check({ jobs: [job()] })).toEqual({ problems: [], counts: { jobs: 1, archives: 0 } });
  const { problems, counts } = check({ jobs: [job({ schedule: '0 4 * * *', nmae: 'x' }, { account: 'ELSEWHERE' })] });
  expect(problems.map(({ place }) => place)).toEqual([
    ...['jobs[0].schedule', 'jobs[0].nmae', 'jobs[0].destination.account'],
  ]);
  expect(counts).toBeUndefined();
  expect(check({})).toMatchObject({ problems: [{ place: 'jobs' }] });
});

test('no answer depends on what an app setting holds', () => {
  // Two jobs with one container in the vault must not have prefixes of which one begins with the other.
  const guess = (prefix: string) => ({
    jobs: [
      job({ name: 'one' }, { container: 'all', prefix: `%SECRET%/{container}/` }),
      job({ name: 'two', source: { account: 'SOURCE', containers: ['data'] } }, { container: 'all', prefix }),
    ],
  });
  const [right, wrong] = [check(guess('abc/')), check(guess('xyz/'))];
  expect(right.problems).toEqual([
    { place: 'jobs[0].destination.prefix', message: expect.stringContaining('a check fills in none') },
  ]);
  expect(wrong).toEqual(right);
  expect(JSON.stringify(check({ jobs: [job({ timeZone: '%SOURCE%' })] }))).not.toContain(KEY.slice(0, 20));
});
