import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RunGuard, watchStanding } from '#activities/run/run-guard.ts';
import { givingSigns } from '#activities/run/signs-of-life.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { RunRef } from '#domain/run/run.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { noteProgress } from '#storage/requests.ts';
import { runRef } from '../../../support/builders/run-ref.ts';

const MINUTE = 60_000;
const RUN = runRef({ job: 'nightly', id: 'nightly-1' });

/** A vault that notes in which minute it was given a sign of each run. */
function benchOf(write: () => Promise<void> = async () => {}) {
  const begun = Date.now();
  const signs: number[] = [];
  const of: string[] = [];
  const warnings: string[] = [];
  const vault = { signs, of, warnings, isGone: false, isDown: false };
  const deps = {
    now: () => new Date(Date.now()),
    limits: { silentMs: 10 * MINUTE },
    telemetry: { warn: (name: string) => warnings.push(name) },
  } as unknown as Dependencies;
  const control = {
    signOfLife: async ({ id }: { id: string }) => {
      // Its own requests are no progress of the work.
      noteProgress();
      await write();
      signs.push((Date.now() - begun) / MINUTE);
      of.push(id);
    },
    readLockOf: async (run: RunRef) => {
      noteProgress();
      if (vault.isDown) throw new Error('no lock');
      return { value: { epoch: run.epoch, run: vault.isGone ? null : run, cancel: false } };
    },
  } as unknown as ControlStore;
  return { deps, control, vault, ...vault };
}

/** Work that does something each minute, for so many minutes. */
async function works(minutes: number, each: () => unknown = noteProgress): Promise<string> {
  for (let minute = 0; minute < minutes; minute++) {
    await new Promise((resolve) => setTimeout(resolve, MINUTE));
    await each();
  }
  return 'done';
}

const upTo = (last: number) => Array.from({ length: last + 1 }, (_, minute) => minute);

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Lets this time pass, and returns what the work ended with. */
async function within<T>(minutes: number, work: Promise<T>): Promise<T> {
  await vi.advanceTimersByTimeAsync(minutes * MINUTE);
  return work;
}

describe('F6: an activity', () => {
  it('gives a sign when it begins and then each minute, until it ends', async () => {
    const { deps, control, signs } = benchOf();
    expect(
      await within(
        60,
        givingSigns(deps, control, RUN, () => works(5)),
      ),
    ).toBe('done');
    expect(signs.filter((minute) => minute < 5)).toEqual(upTo(4));
    expect(signs.at(-1)).toBeLessThanOrEqual(5);
  });

  it('falls silent half an hour after its last progress, and gives signs again once it makes progress', async () => {
    const { deps, control, signs } = benchOf();
    const work = async () => {
      await works(2);
      await works(60, () => {});
      return works(3);
    };
    await within(100, givingSigns(deps, control, RUN, work));
    expect(signs.filter((minute) => minute < 62)).toEqual(upTo(32));
    expect(signs.some((minute) => minute > 62)).toBe(true);
  });

  it('that does nothing but watch its run falls silent', async () => {
    const { deps, control, signs } = benchOf();
    const work = async () => {
      const watch = watchStanding(new RunGuard(control, RUN, deps.now), () => {});
      await works(90, () => {});
      watch.end();
    };
    await within(100, givingSigns(deps, control, RUN, work));
    expect(signs).toEqual(upTo(30));
  });

  it('gives one sign for all activities of its run in a process, and one for each run', async () => {
    const { deps, control, of } = benchOf();
    const other = { ...RUN, id: 'nightly-2' };
    await within(
      2,
      Promise.all([RUN, RUN, other].map((run) => givingSigns(deps, control, run, async () => noteProgress()))),
    );
    expect(of).toEqual(['nightly-1', 'nightly-2']);
  });

  it('gives no sign after its work has ended, whatever the work ended with', async () => {
    const { deps, control, signs } = benchOf();
    const fails = givingSigns(deps, control, RUN, async () => {
      await works(3);
      throw new Error('the work');
    });
    const failed = expect(fails).rejects.toThrow('the work');
    await within(60, failed);
    expect(signs.at(-1)).toBeLessThanOrEqual(3);
  });

  it('ends only after a sign that is being written', async () => {
    const ended: string[] = [];
    const { deps, control } = benchOf(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1.5 * MINUTE));
      ended.push('sign');
    });
    await within(
      60,
      givingSigns(deps, control, RUN, () => works(1)).then(() => ended.push('work')),
    );
    expect(ended.at(-1)).toBe('work');
  });

  it('gives no more signs of a run that has ended elsewhere', async () => {
    const { deps, control, vault, signs } = benchOf();
    const work = async () => {
      await works(3);
      vault.isGone = true;
      return works(10);
    };
    await within(60, givingSigns(deps, control, RUN, work));
    expect(signs.every((minute) => minute <= 3)).toBe(true);
  });

  it.each(['the sign', 'the lock'])('does its work even if %s cannot be reached', async (what) => {
    const { deps, control, vault, warnings } = benchOf(async () => {
      if (what === 'the sign') throw new Error('no vault');
    });
    vault.isDown = what === 'the lock';
    const work = givingSigns(deps, control, RUN, () => works(2));
    expect(await within(10, work)).toBe('done');
    expect(new Set(warnings)).toEqual(new Set(['sign-not-written']));
  });

  it('gives signs although the clock of its machine was set back by a day', async () => {
    const { deps, control, signs } = benchOf();
    await within(
      1,
      givingSigns(deps, control, RUN, async () => noteProgress()),
    );
    vi.setSystemTime(Date.now() - 24 * 60 * MINUTE);
    await within(
      1,
      givingSigns(deps, control, RUN, async () => noteProgress()),
    );
    expect(signs.length).toBe(2);
  });
});
