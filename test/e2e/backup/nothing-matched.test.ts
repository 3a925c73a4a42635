import { expect, test } from 'vitest';
import { useTestBed } from '../../support/app/test-bed.ts';
import { makeContainer } from '../../support/builders/collection.ts';

const bed = useTestBed();

const jobOf = (name: string, source: object) => ({
  name,
  source: { account: 'SOURCE', containers: ['data'], ...source },
  destination: { account: 'VAULT', container: `{container}-${name}` },
});

test('F18: a backup or restore that selects nothing of what is there fails, and names an example', async () => {
  for (const name of ['photos/1.jpg', 'photos/2.jpg']) await bed.upload(name, name);
  await makeContainer(bed.source.connectionString, 'empty');
  const app = await bed.start({
    jobs: [
      jobOf('flat', { include: ['*.jpg'] }),
      jobOf('capital', { prefix: 'Photos/' }),
      jobOf('some', { containers: ['*'], exclude: ['**/2.jpg'] }),
      jobOf('empty', { containers: ['empty'] }),
    ],
  });
  for (const job of ['flat', 'capital']) {
    const report = await app.run({}, job);
    expect(report, job).toMatchObject({ status: 'failed', counts: { listed: 0 } });
    expect(report.problems).toContainEqual(expect.objectContaining({ code: 'nothing-matched', container: 'data' }));
    expect(report.problems.find(({ container }) => container === 'data')?.message).toContain('"photos/1.jpg"');
  }
  expect(await app.run({}, 'empty')).toMatchObject({ status: 'succeeded', problems: [] });
  const point = await app.run({}, 'some');
  expect(point).toMatchObject({ status: 'succeeded', counts: { copied: 1 }, problems: [] });

  const restore = (body: object) => app.restore({ job: 'some', existing: 'overwrite', ...body });
  for (const body of [{ prefix: 'Photos/' }, { include: ['*.jpg'] }, { exclude: ['photos/**'] }]) {
    for (const dryRun of [true, false]) {
      const report = await restore({ ...body, dryRun });
      expect(report.status, JSON.stringify(body)).toBe('failed');
      const named = report.problems.filter(({ code }) => code === 'nothing-matched');
      expect(named.map(({ container }) => container)).toEqual([undefined, 'data']);
      expect(named[1]!.message).toContain('"photos/1.jpg"');
    }
  }
  expect(await restore({ prefix: 'photos/' })).toMatchObject({ status: 'succeeded', counts: { listed: 1 } });
  const { status, body } = await app.call('POST', '/api/restores', { job: 'some', prefix: '/photos/' });
  expect([status, body.detail]).toEqual([400, expect.stringContaining('"photos/"')]);
});

test('patterns and globs that match nothing beside others that do are named, and change no status', async () => {
  for (const name of ['photos/1.jpg', 'photos/2.jpg', 'notes.txt']) await bed.upload(name, name);
  await makeContainer(bed.source.connectionString, 'empty');
  const app = await bed.start({
    jobs: [
      jobOf('some', { containers: ['data', 'emp*', 'typo-*'], include: ['photos/**', 'Notes.txt', 'x/*'] }),
      jobOf('all', { containers: ['*'], include: ['**/*.jpg', '*.txt'] }),
    ],
  });
  const remarks = ({ problems }: { problems: { code: string; message: string }[] }) =>
    problems.filter(({ code }) => code === 'pattern-unmatched').map(({ message }) => message);
  const named = [
    'No container matches "typo-*"; there is "data"',
    '"include" selects no blob by "Notes.txt" or "x/*"; there is "notes.txt"',
  ];
  for (const dryRun of [true, false]) {
    const report = await app.run({ dryRun }, 'some');
    expect(report.status).toBe('succeeded');
    expect(remarks(report)).toEqual(named);
  }
  expect(await app.run({}, 'all')).toMatchObject({ status: 'succeeded', problems: [] });

  const restore = { job: 'all', existing: 'overwrite', containers: ['data', 'x*'], include: ['*.txt', '*.jpg'] };
  for (const dryRun of [true, false]) {
    const report = await app.restore({ ...restore, dryRun });
    expect(report.status).toBe('succeeded');
    expect(remarks(report)).toEqual([
      'No container matches "x*"; there is "empty"',
      '"include" selects no blob by "*.jpg"; there is "photos/1.jpg"',
    ]);
  }
});
