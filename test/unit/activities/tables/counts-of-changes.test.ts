import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { storedTimestamps } from '#activities/tables/stored-timestamps.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import { partEntries, reportOf } from '#domain/run/report.ts';
import type { RunSummary } from '#domain/run/run.ts';
import type { Segment } from '#domain/tables/segment.ts';
import type { EntityKey, KeyRange } from '#domain/tables/table-key.ts';
import { keyOfName, nameOfKey } from '#domain/tables/table-key.ts';
import { Random } from '../../../support/builders/random.ts';
import { TASK, TableBench } from '../../../support/builders/table-bench.ts';

const task = { container: TASK, destination: 'd' };
const FAILURE = { code: 'throttled' as ProblemCode, message: 'Busy' };

type Mode = 'full' | 'incremental';
/** The time of each entity, by name. */
type Content = Map<string, string>;

/** A table that is edited and backed up again and again, and what its restore points are known to hold. */
class Story {
  readonly bench = new TableBench();
  readonly random: Random;
  /** What the last restore point has; of key ranges that it lacks, what the one before had. */
  known: Content = new Map();
  last: string | undefined;
  /** Whether a key range has been lost, so that a run may have nothing to compare it with. */
  hasFailed = false;
  #runs = 0;
  #rows = 0;
  #pieces = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.bench.limits.sliceBlobs = this.random.pick([2, 5, 16, 64]);
    this.bench.tables.traits.page = (limit) => Math.min(limit, this.random.between(1, 8));
  }

  get live(): Content {
    const lives = [...this.bench.tables.tables.get('orders')!.values()];
    const texts = lives.flatMap(({ key, versions }) => {
      const { text } = versions.at(-1)!;
      return text === undefined ? [] : [[nameOfKey(key), JSON.parse(text).Timestamp] as const];
    });
    return new Map(texts);
  }

  edit(): void {
    const { random } = this;
    const { tables } = this.bench;
    const [gone, changed] = [random.pick([0, 0, 0.1, 0.5, 0.9, 1]), random.pick([0, 0.1, 0.5, 1])];
    for (const key of tables.keys('orders')) {
      if (random.chance(gone)) tables.remove('orders', key);
      else if (random.chance(changed)) tables.write('orders', key);
    }
    const partition = () => random.pick(['a', 'b', 'c']);
    const newKey = (): EntityKey => ({ partition: partition(), row: `${random.letters(2)}${this.#rows++}` });
    for (let more = random.pick([0, 0, 1, 5, 40]); more > 0; more--) tables.write('orders', newKey());
    const deleted = [...tables.tables.get('orders')!.values()].filter(({ versions }) => !versions.at(-1)!.text);
    for (const { key } of deleted) if (random.chance(0.1)) tables.write('orders', key);
    this.bench.time += random.pick([1_000, 400_000, 86_400_000]);
  }

  /** A run that works on the pieces in any order. With `failing`, some of them fail for good. */
  async backUp(mode: Mode, failing: boolean): Promise<RunSummary> {
    const { bench, random } = this;
    const id = `nightly-20260502T${String(this.#runs++).padStart(6, '0')}Z-aaaaaa`;
    const run = await bench.begin({ id, mode }, this.last === undefined ? {} : { last: this.last, point: this.last });
    const { planTable, readRange, updateSegments, splitRange } = bench.activities;
    const plan = await planTable({ run, ...task });
    const reading: { range: KeyRange; old?: { key: string; index: number }; first?: true }[] = [];
    for (const range of plan.ranges ?? []) reading.push({ range, first: true });
    const updating = (plan.chunks ?? []).map((chunk) => ({ chunk, from: 0 }));
    while (reading.length + updating.length > 0) {
      const failure = failing && random.chance(0.3) ? { failPermanently: FAILURE } : {};
      const about = { run, ...task, piece: this.#pieces++, ...failure };
      const [update] = random.take(updating, random.below(2));
      const [read] = update ? [] : random.take(reading, 1);
      if (update) {
        const { read: whole, next } = await updateSegments({ ...about, ...update });
        if (whole) reading.push(whole);
        if (next !== undefined) updating.push({ ...update, from: next });
      } else if (read) {
        const { rest } = await readRange({ ...about, ...read });
        const { first: _, ...same } = read;
        const { ranges = rest ? [rest] : [] } =
          rest && random.chance(0.5) ? await splitRange({ run, container: TASK, range: rest, pieces: 4 }) : {};
        for (const range of ranges) reading.push({ ...same, range });
      }
    }
    const parts = await bench.control.listParts(run);
    const now = new Date(bench.time);
    const report = reportOf(run, parts, { status: 'succeeded', now, finishedAt: now, problems: [], requests: {} });
    const summary: RunSummary = {
      ...{ format: 3, ...report, source: 'https://source.test', vault: '', destination: { container: '', prefix: '' } },
      ...{ restorePoint: true, parts: partEntries(parts), compared: [] },
    };
    await bench.control.writeSummary(summary);
    this.last = id;
    return summary;
  }

  async segmentsOf({ parts }: RunSummary): Promise<Segment[]> {
    const read = parts.map(({ path }) => this.bench.control.readPart<Segment, object>(path));
    return (await Promise.all(read)).flatMap(({ items }) => items);
  }

  isIn({ after, upTo }: KeyRange, name: string): boolean {
    const { tables } = this.bench;
    const key = keyOfName(name);
    return (!after || tables.isBehind(key, after)) && (!upTo || !tables.isBehind(key, upTo));
  }

  /** Compares the counts of a run with what its restore point holds. Returns whether it has deletions to count. */
  async judge(summary: RunSummary, failing: boolean, isFirst: boolean): Promise<boolean> {
    const { known, bench } = this;
    const segments = await this.segmentsOf(summary);
    const held: Content = new Map();
    const failed = segments.filter(({ status }) => status === 'failed').map(({ range }) => range);
    for (const segment of segments.filter(({ status }) => status !== 'failed')) {
      for (const [name, at] of await storedTimestamps(bench.control, segment)) held.set(name, at);
    }
    const isLacking = (name: string) => failed.some((range) => this.isIn(range, name));
    const [table] = summary.containers;
    const { copied, unchanged, added = 0, changed = 0, deleted } = table!.counts;
    expect(copied + unchanged).toBe(held.size);
    const looksForAll = summary.mode === 'full' || bench.deletions;
    if (looksForAll && failed.length === 0) expect(held).toEqual(this.live);
    const gone = [...known.keys()].filter((name) => !held.has(name) && !isLacking(name));
    const isCounted = !table!.problems.some(({ code }) => code === 'changes-not-counted');
    if (isFirst) expect([added, changed, deleted, table!.noLongerHeld]).toEqual([0, 0, undefined, undefined]);
    else if (isCounted) {
      const both = [...held].filter(([name]) => known.has(name));
      expect({ added, changed, deleted: deleted ?? 0 }).toEqual({
        added: held.size - both.length,
        changed: both.filter(([name, at]) => known.get(name) !== at).length,
        deleted: gone.length,
      });
      if (looksForAll && failed.length === 0) expect(table!.noLongerHeld?.deleted).toBe(gone.length);
    } else {
      // Nothing is named that has not happened.
      expect(this.hasFailed || failing).toBe(true);
      expect(deleted ?? 0).toBeLessThanOrEqual(gone.length);
    }
    this.known = new Map([...[...known].filter(([name]) => isLacking(name)), ...held]);
    this.hasFailed = failed.length > 0;
    return !isFirst && isCounted && gone.length > 0;
  }
}

describe('I10: what a run counts of the entities of a table', () => {
  it('is what has been added, changed and deleted, whatever is read as a whole, joined, split, and failed before', async () => {
    const met: Record<string, number> = {};
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const story = new Story(seed);
        const { random, bench } = story;
        for (let run = 0; run < 6; run++) {
          story.edit();
          const mode: Mode = random.pick(['full', 'incremental']);
          bench.deletions = random.chance(0.5);
          const failing = run > 0 && random.chance(0.2);
          const summary = await story.backUp(mode, failing);
          const after = story.hasFailed ? ' after a failure' : '';
          if (await story.judge(summary, failing, run === 0)) met[mode + after] = (met[mode + after] ?? 0) + 1;
        }
      }),
      { numRuns: 30 },
    );
    expect(Object.keys(met).sort()).toEqual([
      'full',
      'full after a failure',
      'incremental',
      'incremental after a failure',
    ]);
  });
});
