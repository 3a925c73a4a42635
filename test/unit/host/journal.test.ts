import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { readInstances, snapshot } from '../../../host/durable/compaction.ts';
import type { Instances, JournalRecord } from '../../../host/durable/instance.ts';
import { Journal, type JournalState } from '../../../host/durable/journal.ts';
import { encode, JournalParser, readJournal, writeJournal } from '../../../host/durable/journal-file.ts';
import type { HostError } from '../../../host/host-error.ts';
import { temporaryDirectory } from './fixture.ts';

const HEADER = { journal: 'strongroom-durable', version: 2 };

const newFile = () => join(temporaryDirectory(), 'test.journal');

const parse = (text: string, file: string) => new JournalParser(file).push(Buffer.from(text));

async function recordsIn(file: string): Promise<unknown[]> {
  const records: unknown[] = [];
  for await (const some of readJournal(file)) records.push(...some);
  return records;
}

/** Keeps every record that was applied, and writes no snapshot of them. */
function state(more: Partial<JournalState<unknown>> = {}): JournalState<unknown> & { applied: unknown[] } {
  const applied: unknown[] = [];
  return {
    applied,
    apply: (record) => applied.push(record),
    snapshot: () => [],
    failed(error) {
      throw error;
    },
    ...more,
  };
}

async function written(records: unknown[]): Promise<{ file: string; applied: unknown[] }> {
  const file = newFile();
  const { applied, ...of } = state();
  const journal = await Journal.open(file, of);
  await Promise.all(records.map((record) => journal.append(record)));
  await journal.close();
  return { file, applied };
}

describe('the journal', () => {
  test('takes nothing after it is closed, and does not fail: a host that stops may be late', async () => {
    const file = newFile();
    const failed: string[] = [];
    const journal = await Journal.open(file, state({ failed: ({ message }) => failed.push(message) }));
    const last = journal.append({ n: 1 });
    const closed = journal.close();
    void journal.append({ n: 2 });
    await Promise.all([last, closed]);
    void journal.append({ n: 3 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(failed).toEqual([]);
    expect(await recordsIn(file)).toEqual([{ n: 1 }]);
  });

  test('gives back what was appended, in order, and applies it in that order', async () => {
    const records = Array.from({ length: 50 }, (_, n) => ({ n, text: 'ü\n\u2028"\\' }));
    const { file, applied } = await written(records);
    expect(applied).toEqual(records);
    expect(await recordsIn(file)).toEqual(records);
  });

  test('does not say that a record is written before it is in the file', async () => {
    const file = newFile();
    const apply = () => expect(readFileSync(file, 'utf8')).toContain('precious');
    const journal = await Journal.open(file, state({ apply }));
    await journal.append('precious');
    await journal.close();
  });

  test('cut at any byte, it gives back a beginning of what was appended, and every line that was whole', async () => {
    const records = [{ a: 1 }, { b: 'zwei' }, { c: [3] }];
    const { file } = await written(records);
    const whole = readFileSync(file);
    for (let length = 0; length <= whole.length; length++) {
      writeFileSync(file, whole.subarray(0, length));
      const lines = whole.subarray(0, length).toString().split('\n').length - 1;
      expect(await recordsIn(file)).toEqual(records.slice(0, Math.max(lines - 1, 0)));
    }
  });

  test('any single changed byte in a whole line is found, and its line named', async () => {
    const { text } = encode([HEADER, { a: 1 }, { b: 'two' }]);
    expect(parse(text, 'f')).toEqual([{ a: 1 }, { b: 'two' }]);
    fc.assert(
      fc.property(fc.nat(text.length - 2), fc.integer({ min: 32, max: 126 }), (at, code) => {
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        if (changed === text || text[at] === '\n') return;
        const line = text.slice(0, at).split('\n').length;
        expect(() => parse(changed, 'the.journal')).toThrow(`the.journal, line ${line}: this line is damaged`);
      }),
    );
  });

  test.each([
    ['lost', ([a, , c]: string[]) => [a, c]],
    ['doubled', ([a, b, c]: string[]) => [a, b, b, c]],
    ['moved', ([a, b, c]: string[]) => [a, c, b]],
  ])('a whole line that is %s is found', (_, damage) => {
    const { text } = encode([HEADER, { a: 1 }, { b: 2 }, { c: 3 }]);
    const [header, ...lines] = text.split('\n').slice(0, -1);
    const damaged = [header, ...damage(lines)].join('\n');
    expect(() => parse(`${damaged}\n`, 'the.journal')).toThrow(
      /the.journal, line [34]: this line is damaged or out of/,
    );
  });

  test('of another version, it is not touched', () => {
    const { text } = encode([{ journal: 'strongroom-durable', version: 1 }]);
    expect(() => parse(text, 'f')).toThrow(/line 1: .*"version":1/);
  });

  test('that cannot be written says so, and acknowledges nothing', async () => {
    const file = newFile();
    let reason: HostError | undefined;
    const { applied, ...of } = state({
      failed(error) {
        reason = error;
      },
    });
    const journal = await Journal.open(file, of);
    const handle = await open(file);
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    const writing = vi.spyOn(Object.getPrototypeOf(handle), 'appendFile').mockRejectedValue(full);
    const outcome = await Promise.race([
      journal.append('x').then(() => 'written'),
      new Promise((resolve) => setTimeout(resolve, 100, 'silent')),
    ]);
    writing.mockRestore();
    await Promise.all([handle.close(), journal.close()]);
    expect(outcome).toBe('silent');
    expect(applied).toEqual([]);
    expect(reason?.message).toContain(`Cannot write ${file}`);
    expect(reason?.exitCode).toBe(74);
  });

  test('is read in chunks of any size, a line that is too long for memory included', () => {
    const records = [{ a: 'ü\u{1f600}' }, { b: 'x'.repeat(300) }, { c: 3 }];
    const bytes = Buffer.from(encode([HEADER, ...records]).text);
    for (let chunk = 1; chunk < bytes.length; chunk += 1 + (chunk >> 3)) {
      const parser = new JournalParser('f');
      const found: unknown[] = [];
      for (let from = 0; from < bytes.length; from += chunk) {
        found.push(...parser.push(bytes.subarray(from, from + chunk)));
      }
      expect(found).toEqual(records);
    }
    const short = new JournalParser('the.journal', 200);
    expect(() => {
      for (let from = 0; from < bytes.length; from += 50) short.push(bytes.subarray(from, from + 50));
    }).toThrow('the.journal, line 3: this line is damaged');
  });

  test.runIf(existsSync('/dev/full'))(
    'has words for a full disk, where it cannot be replaced at the start',
    async () => {
      const file = newFile();
      await writeJournal(file, [{ a: 1 }]);
      symlinkSync('/dev/full', `${file}.new`);
      await expect(Journal.open(file, state())).rejects.toMatchObject({
        exitCode: 74,
        message: `Cannot write ${file}: the disk is full. Free space on this disk, then start the host again. Nothing that it has confirmed is lost, and runs continue where they were.`,
      });
      expect(await recordsIn(file)).toEqual([{ a: 1 }]);
      expect(existsSync(`${file}.new`)).toBe(false);
    },
  );
});

describe('a journal that grows', () => {
  /** Adds numbers, each under its name: the state is the last number of each. */
  function sums(more: Partial<JournalState<[string, number]>> = {}) {
    const last = new Map<string, number>();
    const of: JournalState<[string, number]> = {
      apply: ([name, number]) => last.set(name, number),
      snapshot: () => last,
      failed(error) {
        throw error;
      },
      ...more,
    };
    return { last, of };
  }

  test('is replaced by a snapshot again and again, and has the same state', async () => {
    const file = newFile();
    const { last, of } = sums();
    const journal = await Journal.open(file, of, 2_000);
    let largest = 0;
    for (let number = 0; number < 2_000; number += 10) {
      const some = Array.from({ length: 10 }, (_, index) => number + index);
      await Promise.all(some.map((each) => journal.append([`name-${each % 7}`, each])));
      largest = Math.max(largest, statSync(file).size);
    }
    await journal.close();
    expect(largest).toBeLessThan(3_000);
    const again = sums();
    for (const record of await recordsIn(file)) again.of.apply(record as [string, number]);
    expect(again.last).toEqual(last);
    expect(last.get(`name-${1999 % 7}`)).toBe(1999);
  });

  test('is not replaced at each record where the state itself is large', async () => {
    const file = newFile();
    let snapshots = 0;
    const { last, of } = sums();
    const counted = {
      ...of,
      snapshot: () => {
        snapshots++;
        return last;
      },
    };
    const journal = await Journal.open(file, counted, 100);
    for (let number = 0; number < 500; number++) await journal.append([`name-${number}`, number]);
    await journal.close();
    // Each has twice the size of the one before.
    expect(snapshots).toBeLessThan(12);
  });

  test.runIf(existsSync('/dev/full'))('continues in the old file while there is no room for a new one', async () => {
    const file = newFile();
    const { last, of } = sums();
    const journal = await Journal.open(file, of, 500);
    symlinkSync('/dev/full', `${file}.new`);
    for (let number = 0; number < 60; number++) {
      await journal.append(['a', number]);
      if (!existsSync(`${file}.new`)) break;
    }
    for (let number = 60; number < 100; number++) await journal.append(['a', number]);
    await journal.close();
    const again = sums();
    for (const record of await recordsIn(file)) again.of.apply(record as [string, number]);
    expect(again.last).toEqual(last);
    expect(again.last.get('a')).toBe(99);
    rmSync(`${file}.new`, { force: true });
  });

  test.runIf(process.platform !== 'win32').each([
    ['removed', (file: string) => rmSync(file), 'gone'],
    ['removed with its directory', (file: string) => rmSync(dirname(file), { recursive: true }), 'gone'],
    ['replaced', (file: string) => renameSync(`${file}.copy`, file), 'another file'],
  ])(
    'notices within seconds that its file is %s, written to or not, and confirms nothing more',
    async (_, lose, how) => {
      for (const isWriting of [true, false]) {
        const file = newFile();
        const failed = Promise.withResolvers<HostError>();
        const { applied, ...of } = state({ failed: failed.resolve });
        const journal = await Journal.open(file, of);
        await journal.append('before');
        copyFileSync(file, `${file}.copy`);
        lose(file);
        if (isWriting) void journal.append('after');
        expect(await failed.promise).toMatchObject({
          exitCode: 74,
          message: expect.stringContaining(`${file} is ${how}`),
        });
        expect(applied).toEqual(['before']);
      }
    },
  );

  test('loses no record that it confirmed when its process is killed at any moment', async () => {
    const file = newFile();
    const writer = fileURLToPath(new URL('../../support/app/journal-writer.ts', import.meta.url));
    let confirmed = 0;
    let snapshots = 0;
    for (let life = 0; life < 6; life++) {
      const child = spawn(process.execPath, [writer, file, String(confirmed + 1)], {
        env: { ...process.env, NODE_OPTIONS: '' },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.on('data', (chunk) => {
        output += chunk;
        // Each life ends at another moment of the rhythm of snapshots.
        if (output.split('\n').length > 40 + 5 * life) child.kill('SIGKILL');
      });
      await once(child, 'close');
      const lines = output.split('\n').slice(0, -1);
      snapshots += lines.filter((line) => line === 'snapshot').length;
      confirmed = Number(lines.findLast((line) => line !== 'snapshot') ?? confirmed);
      const numbers = (await recordsIn(file)) as number[];
      const held = Math.max(...numbers);
      expect(held).toBeGreaterThanOrEqual(confirmed);
      confirmed = held;
    }
    expect(snapshots).toBeGreaterThan(6);
  });
});

describe('compaction', () => {
  const at = '2026-01-31T00:00:00.000Z';
  const start = (id: string, when = at): JournalRecord => ({
    type: 'start',
    at: when,
    id,
    executionId: `${id}-1`,
    name: 'f',
    input: '{}',
  });
  const finish = (id: string, when = at): JournalRecord => ({
    type: 'turn',
    at: when,
    id,
    executionId: `${id}-1`,
    turn: {
      consumed: 1,
      decisions: [],
      customStatus: 'null',
      end: { status: 'Completed', output: '7' },
    },
  });

  /** The instances in the file once it is replaced by a snapshot at this time. */
  async function compacted(file: string, now: string): Promise<Instances> {
    const instances = await readInstances(file);
    await writeJournal(file, snapshot(instances, new Date(now)));
    return instances;
  }

  test('keeps what runs and what ended within 30 days, and the same state comes out of it again', async () => {
    const file = newFile();
    const old = '2026-01-01T00:00:00.000Z';
    const records = [start('running', old), start('recent'), finish('recent'), start('old', old), finish('old', old)];
    await writeJournal(file, records);
    const first = await compacted(file, '2026-02-01T00:00:00.000Z');
    expect([...first.keys()]).toEqual(['running', 'recent']);
    expect(first.get('recent')).toMatchObject({ status: 'Completed', output: '7' });
    expect((await recordsIn(file)).length).toBe(2);
    expect(await compacted(file, '2026-02-01T00:00:00.000Z')).toEqual(first);
  });

  test('drops an ended sub-orchestration at once, unless the app gave it an id of its own', async () => {
    const file = newFile();
    const parent = { id: 'run', executionId: 'run-1', taskId: 0 };
    const child = (id: string) => [{ ...start(id), parent } as JournalRecord, finish(id)];
    const open = { ...start('run-1:0002'), parent } as JournalRecord;
    await writeJournal(file, [start('run'), ...child('run-1:0000'), ...child('next'), open]);
    expect([...(await compacted(file, at)).keys()]).toEqual(['run', 'next', 'run-1:0002']);
  });

  test('leaves a damaged journal as it is', async () => {
    const file = newFile();
    const text = `${encode([HEADER]).text}damage\n${encode([start('a')]).text}`;
    writeFileSync(file, text);
    await expect(readInstances(file)).rejects.toMatchObject({
      exitCode: 65,
      message: expect.stringContaining('line 2'),
    });
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(existsSync(`${file}.new`)).toBe(false);
  });
});
