import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode, JournalParser } from '../../../host/durable/journal-file.ts';
import { HostError } from '../../../host/host-error.ts';

const HEADER = { journal: 'strongroom-durable', version: 2 };

const anyRecords = fc.array(
  fc.record({ type: fc.constantFrom('start', 'turn', 'event'), id: fc.string(), input: fc.jsonValue() }),
  { minLength: 1, maxLength: 12 },
);

/** One thing that can happen to a file on disk. Bytes, not characters: a disk knows no characters. */
type Damage =
  | { kind: 'cut'; at: number }
  | { kind: 'set'; at: number; byte: number }
  | { kind: 'zero'; at: number; length: number }
  | { kind: 'remove'; at: number; length: number }
  | { kind: 'insert'; at: number; bytes: Uint8Array }
  | { kind: 'repeat'; at: number; length: number }
  | { kind: 'swap'; at: number; to: number; length: number };

const at = fc.nat(1_000_000);
const length = fc.integer({ min: 1, max: 200 });
const anyDamage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at }),
  fc.record({ kind: fc.constant('set' as const), at, byte: fc.nat(255) }),
  fc.record({ kind: fc.constant('zero' as const), at, length }),
  fc.record({ kind: fc.constant('remove' as const), at, length }),
  fc.record({ kind: fc.constant('insert' as const), at, bytes: fc.uint8Array({ minLength: 1, maxLength: 60 }) }),
  fc.record({ kind: fc.constant('repeat' as const), at, length }),
  fc.record({ kind: fc.constant('swap' as const), at, to: at, length }),
);

function damaged(whole: Buffer, damage: Damage): Buffer {
  const from = damage.at % whole.length;
  const head = whole.subarray(0, from);
  switch (damage.kind) {
    case 'cut':
      return head;
    case 'set':
      return Buffer.concat([head, Buffer.from([damage.byte]), whole.subarray(from + 1)]);
    case 'zero': {
      const end = Math.min(from + damage.length, whole.length);
      return Buffer.concat([head, Buffer.alloc(end - from), whole.subarray(end)]);
    }
    case 'remove':
      return Buffer.concat([head, whole.subarray(from + damage.length)]);
    case 'insert':
      return Buffer.concat([head, damage.bytes, whole.subarray(from)]);
    case 'repeat':
      return Buffer.concat([whole.subarray(0, from + damage.length), whole.subarray(from)]);
    case 'swap': {
      const copy = Buffer.from(whole);
      const to = damage.to % whole.length;
      whole.copy(copy, from, to, Math.min(to + damage.length, whole.length));
      whole.copy(copy, to, from, Math.min(from + damage.length, whole.length));
      return copy;
    }
  }
}

/**
 * How it ended: refused as it should be, or how many records were given back, which are the first of those written. The
 * file is read in chunks of this many bytes.
 */
function read(records: unknown[], bytes: Buffer, chunk = 64): 'refused' | number {
  const found: unknown[] = [];
  const parser = new JournalParser('the.journal');
  try {
    for (let from = 0; from < bytes.length; from += chunk)
      found.push(...parser.push(bytes.subarray(from, from + chunk)));
  } catch (error) {
    expect(error).toBeInstanceOf(HostError);
    expect((error as HostError).exitCode).toBe(65);
    expect((error as HostError).message).toMatch(/^the\.journal, line \d+: /);
    return 'refused';
  }
  expect(found).toEqual((JSON.parse(JSON.stringify(records)) as unknown[]).slice(0, found.length));
  return found.length;
}

describe('a journal damaged by chance', () => {
  it('is refused with exit code 65 and the line, or gives the first of its records, never ones with a gap', () => {
    const seen = { refused: 0, cutShort: 0 };
    fc.assert(
      fc.property(anyRecords, anyDamage, fc.integer({ min: 1, max: 300 }), (records, damage, chunk) => {
        const whole = Buffer.from(encode([HEADER, ...records]).text);
        const bytes = damaged(whole, damage);
        const given = read(records, bytes, chunk);
        if (given === 'refused') {
          seen.refused++;
          // A write that was cut off by a crash is no damage.
          expect(damage.kind).not.toBe('cut');
          return;
        }
        if (given < records.length) seen.cutShort++;
        // Whatever was flushed and acted upon before the place of the damage is there.
        expect(given).toBeGreaterThanOrEqual(untouched(whole, bytes));
      }),
      { numRuns: 2_000, seed: 11 },
    );
    expect(seen.refused).toBeGreaterThan(800);
    expect(seen.cutShort).toBeGreaterThan(100);
  });

  it('is refused where whole lines are gone, doubled or exchanged', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(), { minLength: 3, maxLength: 12 }),
        fc.constantFrom('gone', 'doubled', 'exchanged'),
        fc.nat(),
        (records, what, at) => {
          const lines = encode([HEADER, ...records]).text.match(/.*\n/g)!;
          // Not the last: that one is gone when a crash cuts it off.
          const index = 1 + (at % (records.length - 1));
          const [line, next] = [lines[index]!, lines[index + 1]!];
          lines.splice(index, 2, ...{ gone: [next], doubled: [line, line, next], exchanged: [next, line] }[what]);
          expect(read(records, Buffer.from(lines.join('')))).toBe('refused');
        },
      ),
      { seed: 12 },
    );
  });
});

function linesIn(bytes: Buffer): number {
  return bytes.toString('latin1').split('\n').length - 1;
}

/** How many records lie whole before the first byte that differs. */
function untouched(whole: Buffer, bytes: Buffer): number {
  let same = 0;
  while (same < bytes.length && bytes[same] === whole[same]) same++;
  return Math.max(linesIn(whole.subarray(0, same)) - 1, 0);
}
