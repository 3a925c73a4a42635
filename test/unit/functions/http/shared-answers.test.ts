import { beforeEach, describe, expect, it } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import { endSharedAnswers, SharedAnswers } from '#functions/http/shared-answers.ts';

let now = 0;
let asked = 0;
let deps: Dependencies;
let shared: SharedAnswers<number>;
const ask = async () => ++asked;

beforeEach(() => {
  now = 0;
  asked = 0;
  deps = { now: () => new Date(now), limits: { sharedMs: 2000 } } as unknown as Dependencies;
  shared = new SharedAnswers(deps);
});

describe('a shared answer', () => {
  it('is the same for all who ask while it is made, and for a while', async () => {
    expect(await Promise.all([shared.get(['a'], ask), shared.get(['a'], ask)])).toEqual([1, 1]);
    now = 1999;
    expect(await shared.get(['a'], ask)).toBe(1);
    now = 2000;
    expect(await shared.get(['a'], ask)).toBe(2);
  });

  it('belongs to a question', async () => {
    expect(await shared.get(['a', undefined], ask)).toBe(1);
    expect(await shared.get(['a', 'b'], ask)).toBe(2);
    expect(await shared.get(['a', 'b'], ask)).toBe(2);
  });

  it('ends with a change, also one that comes while it is made', async () => {
    await shared.get(['a'], ask);
    endSharedAnswers(deps);
    expect(await shared.get(['a'], ask)).toBe(2);
    const slow = shared.get(['b'], () => new Promise<number>((resolve) => setTimeout(() => resolve(-1), 20)));
    endSharedAnswers(deps);
    expect(await shared.get(['b'], ask)).toBe(3);
    expect(await slow).toBe(-1);
    expect(await shared.get(['b'], ask)).toBe(3);
  });

  it('is not kept if it failed', async () => {
    const fail = async () => {
      asked++;
      throw new Error('out of reach');
    };
    const both = [shared.get(['a'], fail), shared.get(['a'], fail)];
    for (const each of both) await expect(each).rejects.toThrow('out of reach');
    expect(await shared.get(['a'], ask)).toBe(2);
  });

  it('makes room for others', async () => {
    for (let question = 0; question < 65; question++) await shared.get([question], ask);
    expect(await shared.get([64], ask)).toBe(65);
    expect(await shared.get([0], ask)).toBe(66);
  });
});
