import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AccountRefusal, processItems } from '#activities/run/process-items.ts';
import type { RunContext } from '#activities/run/run-context.ts';
import { samplesAhead } from '#domain/run/samples-ahead.ts';

const DENIED: AccountRefusal = { code: 'access-denied-source', message: 'Not you' };
const GONE: AccountRefusal = { code: 'unreachable', message: 'No connection' };

interface Case {
  items: number;
  refuse(item: number): AccountRefusal | undefined;
  epoch?: number;
  atOnce?: number;
  /** Milliseconds that each attempt takes, of a budget of a minute. */
  takes?: number;
  /** The number of the attempt after which the run is cancelled. */
  cancelAfter?: number;
}

/** One execution over the items `from`, `from + 1` … */
async function execute({ items, refuse, epoch = 1, atOnce = 4, takes = 1, cancelAfter }: Case, from = 0) {
  let at = 0;
  const tried: number[] = [];
  const untried: number[] = [];
  const settled: number[] = [];
  const context = {
    run: { epoch },
    deps: { now: () => new Date(at), limits: { copyMs: 60_000 } },
    guard: { standing: async () => (tried.length > (cancelAfter ?? Number.POSITIVE_INFINITY) ? 'cancelled' : 'go') },
    noteProgress: async () => {},
  } as unknown as RunContext;
  const end = await processItems<number>(context, {
    async *items() {
      for (let item = from; item < items; item++) yield item;
    },
    async perform(item) {
      tried.push(item);
      at += takes;
      await undefined;
      return { finding: refuse(item) ?? 'served', settle: () => settled.push(item) };
    },
    failUntried: (item) => untried.push(item),
    stop: new AbortController(),
    atOnce,
  });
  return { ...end, tried, untried, settled };
}

const sorted = (numbers: number[]) => [...numbers].sort((a, b) => a - b);
const upTo = (count: number) => Array.from({ length: count }, (_, item) => item);

describe('many refusals in a row', () => {
  it('F18: of single items keep no other item from being tried', async () => {
    const { tried, untried, settled, covered } = await execute({
      items: 2_500,
      refuse: (item) => (item % 500 < 300 ? DENIED : undefined),
    });
    expect(untried).toEqual([]);
    expect(sorted(tried)).toEqual(upTo(2_500));
    expect(sorted(settled)).toEqual(upTo(2_500));
    expect(covered).toBe(2_500);
  });

  it('of an account that refuses everything end after few attempts', async () => {
    const { tried, untried, settled, covered } = await execute({ items: 2_500, refuse: () => DENIED });
    expect(tried.length).toBeLessThan(100);
    expect(sorted([...settled, ...untried])).toEqual(upTo(2_500));
    expect(sorted(settled)).toEqual(sorted(tried));
    expect(covered).toBe(2_500);
  });

  it.each([
    ...(['authentication-failed', 'key-not-permitted', 'https-required', 'account-disabled'] as const),
    ...(['sas-too-narrow', 'container-not-created', 'unreachable'] as const),
  ])('that concern every request end the attempts without a sample: %s', async (code) => {
    const { tried, covered } = await execute({ items: 2_500, refuse: () => ({ code, message: '' }) });
    expect(tried.length).toBeLessThan(16 + 4);
    expect(covered).toBe(2_500);
  });

  it('that say nothing of single items end the attempts at once', async () => {
    const { tried, covered } = await execute({ items: 2_500, refuse: () => GONE });
    expect(tried.length).toBeLessThan(16 + 4);
    expect(covered).toBe(2_500);
    const later = await execute({
      items: 2_500,
      refuse: (item) => (item < 100 ? DENIED : item > 1_000 ? GONE : undefined),
    });
    expect(later.tried.length).toBeLessThan(1_001 + 16 + 4 + 1);
  });

  it('leave no item untried in every run', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 20, max: 600 }), fc.nat(), async (items, seed) => {
        const only = 16 + (seed % (items - 16));
        const refuse = (item: number) => (item === only ? undefined : DENIED);
        const runs = await Promise.all(upTo(40).map((epoch) => execute({ items, refuse, epoch, atOnce: 1 })));
        expect(runs.some(({ tried }) => tried.includes(only))).toBe(true);
        // Once it is found, the refusals are of single items.
        for (const run of runs) if (run.tried.includes(only)) expect(run.untried).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });

  it('F28: count each item once over the executions that the time limit cuts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          items: fc.integer({ min: 1, max: 300 }),
          takes: fc.constantFrom(100, 700, 3_000),
          atOnce: fc.constantFrom(1, 8),
          epoch: fc.nat(50),
          modulus: fc.integer({ min: 1, max: 90 }),
        }),
        async ({ modulus, ...given }) => {
          const refuse = (item: number) => (item % modulus === 0 ? undefined : DENIED);
          const counted: number[] = [];
          let from = 0;
          while (from < given.items) {
            const { covered, settled, untried } = await execute({ ...given, refuse }, from);
            expect(covered).toBeGreaterThan(0);
            expect(sorted([...settled, ...untried])).toEqual(upTo(covered).map((item) => from + item));
            counted.push(...settled, ...untried);
            from += covered;
          }
          expect(sorted(counted)).toEqual(upTo(given.items));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('fail no untried item if the run is cancelled meanwhile, and count what was done', async () => {
    const end = await execute({ items: 2_500, refuse: () => DENIED, cancelAfter: 30 });
    expect(end).toMatchObject({ stopped: 'cancelled', untried: [] });
    expect(sorted(end.settled)).toEqual(sorted(end.tried));
  });
});

describe('the items to try ahead', () => {
  it('are few, and over the runs all of them', () => {
    const tried = new Set<number>();
    for (let epoch = 0; epoch < 80; epoch++) {
      const samples = upTo(2_500).filter(samplesAhead(epoch, 1));
      expect(samples.length).toBeLessThan(80);
      for (const sample of samples) tried.add(sample);
    }
    expect(tried.size).toBe(2_500);
  });

  it('are fewer still where each stands for many attempts', () => {
    expect(upTo(156).filter(samplesAhead(7, 16)).length).toBeLessThan(6);
  });
});
