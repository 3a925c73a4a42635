import { describe, expect, test } from 'vitest';
import { Fixture, until } from './fixture.ts';

describe('an orchestration', () => {
  test('fans out over a hundred activities and adds up what they return', async () => {
    const fixture = await Fixture.start();
    expect(await fixture.run('fanOut', { count: 100 })).toEqual({ sum: 328_350, count: 100 });
    expect(fixture.effects('square')).toHaveLength(100);
  });

  test('runs sub-orchestrations three deep', async () => {
    const fixture = await Fixture.start();
    expect(await fixture.run('tree', { depth: 3, width: 3 })).toEqual({ leaves: 27, parents: [true] });
    expect(await fixture.run('naming', {})).toEqual({ first: { sum: 0, count: 1 } });
    expect(await fixture.status('a-name-of-my-own')).toMatchObject({ runtimeStatus: 'Completed' });
  });

  test('continues as new with a new input and a custom status', async () => {
    const fixture = await Fixture.start();
    const id = await fixture.begin('countDown', { left: 5, sum: 0 });
    const status = await fixture.ended(id);
    expect(status).toMatchObject({ output: { sum: 55 }, customStatus: { left: 1 }, input: { left: 0, sum: 55 } });
    expect(fixture.effects('square')).toEqual(['square 5', 'square 4', 'square 3', 'square 2', 'square 1']);
  });

  test('sleeps until its timer fires, by its own clock', async () => {
    const fixture = await Fixture.start();
    const { slept } = (await fixture.run('nap', { ms: 300 })) as { slept: number };
    expect(slept).toBeGreaterThanOrEqual(300);
    expect(slept).toBeLessThan(3_000);
  });

  test('catches the failure of an activity and of a sub-orchestration', async () => {
    const fixture = await Fixture.start();
    expect(await fixture.run('catches', {})).toMatchObject({
      caught: true,
      squared: 25,
      message: expect.stringContaining('as expected'),
    });
    expect(await fixture.run('parentOfFailure', {})).toMatchObject({
      caught: true,
      message: expect.stringContaining('on purpose'),
    });
  });

  test('fails with its own message, and with a clear one for a feature that this host does not support', async () => {
    const fixture = await Fixture.start();
    expect(await fixture.run('fails', {})).toMatch(/^Failed: .*'fails' failed: on purpose$/);
    expect(await fixture.run('callsMissing', {})).toMatch(/^Failed: .*no activity of this name/);
    expect(await fixture.run('usesEntity', {})).toMatch(/^Failed: .*entities \(callEntity\).*not support/);
    expect(await fixture.run('waitsForEvent', {})).toMatch(/^Failed: .*external events .*not support/);
    await expect(fixture.begin('noSuchOrchestrator', {})).rejects.toThrow(/no orchestrator .*noSuchOrchestrator/);
  });

  test('retries as often as its options say, several tasks at once, and continues after that', async () => {
    const fixture = await Fixture.start();
    expect(await fixture.run('retries', { attempts: 3, keys: ['a', 'b', 'c'] })).toEqual({
      results: [{ tries: 3 }, { tries: 3 }, { tries: 3 }],
      squared: 9,
    });
    expect(fixture.effects('failTwice a')).toHaveLength(3);
    expect(await fixture.run('retries', { attempts: 2, keys: ['d'] })).toEqual({
      gaveUp: expect.stringContaining('try 2'),
    });
    expect(fixture.effects('failTwice d')).toHaveLength(2);
  });

  test('passes every kind of value', async () => {
    const fixture = await Fixture.start();
    expect(await fixture.run('inputs', { mine: [1, 'ü', null] })).toEqual({
      own: { mine: [1, 'ü', null] },
      object: { type: 'object', input: { a: [1, 'x', null] } },
      text: { type: 'string', input: 'some "text"' },
      number: { type: 'number', input: 7 },
      list: { type: 'object', input: ['a', 'b'] },
      none: { type: 'undefined' },
      textBack: '{"looks":"like JSON"}',
      nothingBack: null,
    });
  });

  test('runs at most as many activities at once as host.json allows', async () => {
    const fixture = await Fixture.start();
    expect(await fixture.run('crowd', {})).toEqual({ most: 8 });
  });

  test('answers the steps of a small run beside a big one before most of its activities', async () => {
    const fixture = await Fixture.start();
    const big = await fixture.begin('groups', { of: 'big', count: 100 });
    await until('the big run', () => (fixture.effects('step big').length > 0 ? true : undefined));
    await fixture.run('steps', { of: 'small', count: 5 });
    const steps = fixture.effects('step');
    expect(steps.lastIndexOf('step small')).toBeLessThan(300);
    await fixture.post(`/api/instances/${big}/terminate`);
  });
});

describe('the durable client', () => {
  test('refuses to start a running instance a second time, and starts an ended one again', async () => {
    const fixture = await Fixture.start();
    await fixture.begin('nap', { ms: 60_000 }, 'mine');
    await expect(fixture.begin('nap', { ms: 1 }, 'mine')).rejects.toThrow(/409.*already running/);
    await fixture.post('/api/instances/mine/terminate');
    await fixture.ended('mine');
    await fixture.begin('nap', { ms: 1 }, 'mine');
    expect(await fixture.ended('mine')).toMatchObject({ output: { slept: expect.any(Number) } });
  });

  test('terminates an instance: its running activities change nothing any more', async () => {
    const fixture = await Fixture.start();
    const id = await fixture.begin('fanOut', { count: 4, ms: 300 });
    await until('the fan-out', async () => ((await fixture.status(id)).runtimeStatus === 'Running' ? true : undefined));
    await fixture.post(`/api/instances/${id}/terminate`);
    expect(await fixture.status(id)).toMatchObject({ runtimeStatus: 'Terminated', output: 'for a reason' });
    await until('the activities', () => (fixture.effects('square').length === 4 ? true : undefined));
    expect(await fixture.status(id)).toMatchObject({ runtimeStatus: 'Terminated' });
    // To terminate an instance that has ended is not an error of the caller.
    expect((await fixture.post(`/api/instances/${id}/terminate`)).status).toBe(202);
    expect((await fixture.post('/api/instances/unknown/terminate')).status).toBe(500);
  });

  test('purges ended instances by time and state, and no others', async () => {
    const fixture = await Fixture.start();
    const before = Date.now();
    await fixture.ended(await fixture.begin('fanOut', { count: 1 }, 'done'));
    await fixture.begin('nap', { ms: 60_000 }, 'asleep');
    const purge = async (from: number, to: number, states: string[]) =>
      (await fixture.post('/api/purge', { from, to, states })).json();
    const now = Date.now() + 1;
    expect(await purge(before - 2_000, before - 1_000, ['Completed'])).toEqual({ instancesDeleted: 0 });
    expect(await purge(before - 2_000, now, ['Failed', 'Terminated'])).toEqual({ instancesDeleted: 0 });
    expect(await purge(before - 2_000, now, ['Completed', 'Running'])).toEqual({ instancesDeleted: 1 });
    expect(await fixture.status('done')).toHaveProperty('error');
    expect(await fixture.status('asleep')).toMatchObject({ runtimeStatus: 'Running' });
  });

  test('is not reachable through the port of the host', async () => {
    const fixture = await Fixture.start();
    const id = await fixture.begin('nap', { ms: 1 });
    for (const path of [`/runtime/webhooks/durabletask/instances/${id}`, `/durabletask/instances/${id}`]) {
      expect((await fixture.fetch(path)).status).toBe(404);
    }
  });
});
