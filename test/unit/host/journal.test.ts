import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compact } from '../../../host/durable/compaction.ts';
import type { JournalRecord } from '../../../host/durable/instance.ts';
import { Journal } from '../../../host/durable/journal.ts';
import { encode, parse, readJournal, writeJournal } from '../../../host/durable/journal-file.ts';
import type { HostError } from '../../../host/host-error.ts';
import { temporaryDirectory } from './fixture.ts';

const HEADER = { journal: 'strongroom-durable', version: 2 };

const failed = (error: HostError) => {
  throw error;
};

async function written(records: unknown[]): Promise<{ file: string; applied: unknown[] }> {
  const file = join(temporaryDirectory(), 'test.journal');
  const crc = await writeJournal(file, []);
  const applied: unknown[] = [];
  const journal = await Journal.open<unknown>(file, crc, (record) => applied.push(record), failed);
  await Promise.all(records.map((record) => journal.append(record)));
  await journal.close();
  return { file, applied };
}

describe('the journal', () => {
  test('gives back what was appended, in order, and applies it in that order', async () => {
    const records = Array.from({ length: 50 }, (_, n) => ({ n, text: 'ü\n\u2028"\\' }));
    const { file, applied } = await written(records);
    expect(applied).toEqual(records);
    expect(await readJournal(file)).toEqual(records);
  });

  test('does not say that a record is written before it is in the file', async () => {
    const file = join(temporaryDirectory(), 'test.journal');
    const crc = await writeJournal(file, []);
    const journal = await Journal.open<unknown>(
      file,
      crc,
      () => expect(readFileSync(file, 'utf8')).toContain('precious'),
      failed,
    );
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
      expect(await readJournal(file)).toEqual(records.slice(0, Math.max(lines - 1, 0)));
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
    const file = join(temporaryDirectory(), 'test.journal');
    const crc = await writeJournal(file, []);
    const applied: unknown[] = [];
    let reason: HostError | undefined;
    const journal = await Journal.open<unknown>(
      file,
      crc,
      (record) => applied.push(record),
      (error) => {
        reason = error;
      },
    );
    await journal.close();
    const outcome = await Promise.race([
      journal.append('x').then(() => 'written'),
      new Promise((resolve) => setTimeout(resolve, 100, 'silent')),
    ]);
    expect(outcome).toBe('silent');
    expect(applied).toEqual([]);
    expect(reason?.message).toContain(`Cannot write ${file}`);
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

  test('keeps what runs and what ended within 30 days, and the same state comes out of it again', async () => {
    const file = join(temporaryDirectory(), 'test.journal');
    const old = '2026-01-01T00:00:00.000Z';
    const records = [start('running', old), start('recent'), finish('recent'), start('old', old), finish('old', old)];
    await writeJournal(file, records);
    const { instances: first } = await compact(file, new Date('2026-02-01T00:00:00.000Z'));
    expect([...first.keys()]).toEqual(['running', 'recent']);
    expect(first.get('recent')).toMatchObject({ status: 'Completed', output: '7' });
    expect((await readJournal(file)).length).toBe(2);
    expect((await compact(file, new Date('2026-02-01T00:00:00.000Z'))).instances).toEqual(first);
  });

  test('leaves a damaged journal as it is', async () => {
    const file = join(temporaryDirectory(), 'test.journal');
    const text = `${encode([HEADER]).text}damage\n${encode([start('a')]).text}`;
    writeFileSync(file, text);
    await expect(compact(file, new Date())).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining('line 2'),
    });
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(existsSync(`${file}.new`)).toBe(false);
  });
});
