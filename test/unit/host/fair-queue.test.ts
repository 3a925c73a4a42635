import { describe, expect, it } from 'vitest';
import { FairQueue } from '../../../host/durable/fair-queue.ts';

/** A queue whose tasks end when the test says so. */
function queueOf(limit: number) {
  const queue = new FairQueue(limit);
  const started: string[] = [];
  const running: { name: string; end: () => void }[] = [];
  const add = (owner: string, name = owner) =>
    queue.add(owner, () => {
      started.push(name);
      return new Promise<void>((end) => running.push({ name, end }));
    });
  const endOne = async (name?: string) => {
    const index = name === undefined ? 0 : running.findIndex((each) => each.name === name);
    running.splice(index, 1)[0]!.end();
    await new Promise(setImmediate);
  };
  return { queue, started, running, add, endOne };
}

const most = (names: string[], wanted: string) => names.filter((name) => name === wanted).length;

describe('a queue that several owners share', () => {
  it('gives a single owner all its places, in the order of the tasks', async () => {
    const { queue, started, running, add, endOne } = queueOf(3);
    queue.enter('a');
    for (const name of ['1', '2', '3', '4', '5']) add('a', name);
    expect(running).toHaveLength(3);
    while (running.length > 0) await endOne();
    expect(started).toEqual(['1', '2', '3', '4', '5']);
  });

  it('answers the first step of a small run after one activity of a big one, and the next ones at once', async () => {
    const { queue, started, running, add, endOne } = queueOf(8);
    queue.enter('big');
    for (let count = 0; count < 300; count++) add('big');
    queue.enter('small');
    add('small');
    expect(most(started, 'small')).toBe(0);
    await endOne('big');
    expect(started.slice(8)).toEqual(['small']);
    for (let step = 2; step < 10; step++) {
      // The place of the step before stays free.
      await endOne('small');
      expect(running).toHaveLength(7);
      add('small');
      expect(most(started, 'small')).toBe(step);
    }
    queue.leave('small');
    await endOne('small');
    expect(running).toHaveLength(8);
  });

  it('shares its places evenly among those that have tasks', async () => {
    const { queue, running, add, endOne } = queueOf(6);
    for (const owner of ['a', 'b', 'c']) {
      queue.enter(owner);
      for (let count = 0; count < 100; count++) add(owner);
    }
    for (let count = 0; count < 30; count++) await endOne();
    const names = running.map(({ name }) => name);
    expect(['a', 'b', 'c'].map((owner) => most(names, owner))).toEqual([2, 2, 2]);
  });

  it('with one place, takes turns', async () => {
    const { queue, started, running, add, endOne } = queueOf(1);
    for (const owner of ['a', 'a', 'a', 'b', 'b', 'c']) {
      queue.enter(owner);
      add(owner);
    }
    while (running.length > 0) await endOne();
    expect(started).toEqual(['a', 'b', 'c', 'a', 'b', 'a']);
  });

  it('starts nothing after it has stopped, and ends with what is running', async () => {
    const { queue, started, running, add, endOne } = queueOf(1);
    add('a');
    add('b');
    const stopped = queue.stop();
    await endOne();
    await stopped;
    expect([started, running.length]).toEqual([['a'], 0]);
  });
});
