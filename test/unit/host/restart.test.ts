import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { HostDidNotStart } from '../../support/app/host-process.ts';
import { Fixture, until } from './fixture.ts';

const journalOf = (fixture: Fixture) => join(fixture.directory, 'data', 'durable.journal');

test('a fan-out that is killed several times still has the exact result', async () => {
  let fixture = await Fixture.start();
  const id = await fixture.begin('fanOut', { count: 60, ms: 30 });
  for (const progress of [5, 20, 40]) {
    await until(`${progress} activities`, () => (fixture.effects('square').length >= progress ? true : undefined));
    await fixture.host.kill('SIGKILL');
    fixture = await fixture.restart();
  }
  expect((await fixture.ended(id)).output).toEqual({ sum: 70_210, count: 60 });
  const effects = fixture.effects('square');
  expect(new Set(effects).size).toBe(60);
  // Each ran at least once. Only those that ran during a kill ran again: 8 at a time, three times.
  expect(effects.length).toBeLessThanOrEqual(60 + 3 * 8);
  expect(fixture.host.output()).toContain('Resuming 1 orchestration.');
});

test('a tree of sub-orchestrations that is killed still has the exact result', async () => {
  let fixture = await Fixture.start();
  const id = await fixture.begin('tree', { depth: 4, width: 3 });
  await sleep(60);
  await fixture.host.kill('SIGKILL');
  fixture = await fixture.restart();
  expect((await fixture.ended(id)).output).toEqual({ leaves: 81, parents: [true] });
});

test('an orchestration that is killed while it sleeps wakes at its time', async () => {
  let fixture = await Fixture.start();
  const past = await fixture.begin('nap', { ms: 400 });
  const future = await fixture.begin('nap', { ms: 3_000 });
  await until('both to sleep', async () =>
    readFileSync(journalOf(fixture), 'utf8').split('"FireAt"').length > 2 ? true : undefined,
  );
  await fixture.host.kill('SIGKILL');
  await sleep(500);
  fixture = await fixture.restart();
  expect(await fixture.ended(past)).toMatchObject({ runtimeStatus: 'Completed' });
  const { slept } = (await fixture.ended(future)).output as { slept: number };
  expect(slept).toBeGreaterThanOrEqual(3_000);
  expect(slept).toBeLessThan(6_000);
});

test('an accepted orchestration starts, even if the host is killed at once', async () => {
  let fixture = await Fixture.start();
  const ids = await Promise.all([1, 2, 3, 4, 5].map(() => fixture.begin('fanOut', { count: 3 })));
  await fixture.host.kill('SIGKILL');
  fixture = await fixture.restart();
  for (const id of ids) expect((await fixture.ended(id)).output).toEqual({ sum: 5, count: 3 });
});

test('a host that stops lets running activities end, and does not run them again', async () => {
  let fixture = await Fixture.start();
  const id = await fixture.begin('fanOut', { count: 24, ms: 200 });
  await until('the first', () => (fixture.effects('square').length >= 8 ? true : undefined));
  expect(await fixture.host.stop()).toBe(0);
  expect(fixture.effects().at(-1)).toBe('appTerminate');
  const before = fixture.effects('square').length;
  expect(before).toBeLessThan(24);
  fixture = await fixture.restart();
  expect((await fixture.ended(id)).output).toEqual({ sum: 4_324, count: 24 });
  expect(fixture.effects('square')).toHaveLength(24);
});

test('a host that stops does not wait for a long activity, and runs it again at the next start', async () => {
  let fixture = await Fixture.start();
  const id = await fixture.begin('fanOut', { count: 1, ms: 60_000 });
  await sleep(300);
  const stopping = fixture.host.stop();
  await sleep(300);
  const begin = Date.now();
  // A second signal: at once.
  await fixture.host.kill('SIGTERM');
  expect(await stopping).toBe(0);
  expect(Date.now() - begin).toBeLessThan(3_000);
  fixture = await fixture.restart();
  expect(await fixture.status(id)).toMatchObject({ runtimeStatus: 'Running' });
});

test('a torn last line loses no earlier record', async () => {
  let fixture = await Fixture.start();
  const id = await fixture.begin('nap', { ms: 2_000 });
  await until('its first turn', async () =>
    (await fixture.status(id)).runtimeStatus === 'Running' ? true : undefined,
  );
  await fixture.host.kill('SIGKILL');
  appendFileSync(journalOf(fixture), '{"crc":"12345678","record":{"type":"mess');
  fixture = await fixture.restart();
  // The orchestration sleeps by its first start: the torn line has cost neither that nor the timer.
  expect((await fixture.ended(id)).output).toEqual({ slept: expect.toSatisfy((slept: number) => slept >= 2_000) });
});

test.each([
  ['tree', { depth: 3, width: 2 }, { leaves: 8, parents: [true] }],
  ['catches', {}, { caught: true, squared: 25 }],
])(
  'the journal of %s may be cut anywhere: the rest is an earlier state, and the orchestration continues from there',
  async (name, input, output) => {
    const fixture = await Fixture.start();
    const id = await fixture.begin(name, input);
    await fixture.ended(id);
    await fixture.host.kill('SIGKILL');
    const journal = readFileSync(journalOf(fixture));
    const started = journal.indexOf('\n', journal.indexOf('"type":"start"')) + 1;
    for (const fraction of [0, 0.3, 0.6, 0.9]) {
      writeFileSync(
        journalOf(fixture),
        journal.subarray(0, started + Math.round(fraction * (journal.length - started))),
      );
      const again = await fixture.restart();
      expect((await again.ended(id)).output).toMatchObject(output);
      await again.host.kill('SIGKILL');
    }
  },
);

test.runIf(process.platform !== 'win32')('a host whose data directory is removed ends within seconds', async () => {
  const fixture = await Fixture.start();
  await fixture.ended(await fixture.begin('fanOut', { count: 5 }));
  rmSync(join(fixture.directory, 'data'), { recursive: true });
  expect(await fixture.host.printed(/is gone\. Something has removed or replaced it/, 10_000)).toBe(true);
  expect(await fixture.host.stop()).toBe(74);
});

test('a damaged line in the middle is reported, and nothing starts', async () => {
  const fixture = await Fixture.start();
  await fixture.ended(await fixture.begin('fanOut', { count: 5 }));
  await fixture.host.kill('SIGKILL');
  const file = journalOf(fixture);
  const lines = readFileSync(file, 'utf8').split('\n');
  lines[3] = lines[3]?.replace(/"at":"2/, '"at":"3') ?? '';
  writeFileSync(file, lines.join('\n'));
  const failure = await fixture.restart().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(HostDidNotStart);
  expect(failure).toMatchObject({
    exitCode: 65,
    output: expect.stringContaining(`${file}, line 4: this line is damaged`),
  });
  // The host leaves the file unchanged, for repair.
  expect(readFileSync(file, 'utf8')).toBe(lines.join('\n'));
});
