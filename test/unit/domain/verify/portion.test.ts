import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isInPortion, type Portion, parsePortion, portionProblem } from '#domain/verify/portion.ts';

const NAMES = Array.from(
  { length: 20_000 },
  (_, index) => `images/2026/11/photo-${String(index).padStart(6, '0')}.jpg`,
);
const chosen = (portion: Portion, turn: number, salt: string) =>
  NAMES.filter((name) => isInPortion(portion, name, turn, salt));

describe('parsePortion', () => {
  it.each<[string, Portion]>([
    ['100%', { kind: 'percent', percent: 100 }],
    ['5%', { kind: 'percent', percent: 5 }],
    ['0.125%', { kind: 'percent', percent: 0.125 }],
    ['1/7', { kind: 'turn', of: 7 }],
    ['1/1', { kind: 'turn', of: 1 }],
    ['1/9999', { kind: 'turn', of: 9999 }],
  ])('reads %s', (text, portion) => {
    expect(parsePortion(text)).toEqual(portion);
    expect(portionProblem(text)).toBeUndefined();
  });

  it.each([
    '',
    '5',
    '%',
    '0%',
    '0.000%',
    '100.1%',
    '101%',
    '-5%',
    '5 %',
    '5%%',
    '5%, 1/7',
    '11/7',
    '.5%',
    '1e1%',
    '2/7',
    '1/0',
    '1/07',
    '1/10000',
    '1/7 ',
  ])('reads nothing into %j', (text) => {
    expect(parsePortion(text)).toBeUndefined();
    expect(portionProblem(text)).toBe(
      `${JSON.stringify(text)} is not a portion; use a percentage above 0 and up to 100, for example "5%", or one ` +
        'part of up to 9999, for example "1/7"',
    );
  });

  it('does not repeat a long text in full', () => {
    expect(portionProblem('x'.repeat(1000))).toContain(`"${'x'.repeat(40)}…" is not a portion`);
    expect(portionProblem('x'.repeat(40))).toContain(`"${'x'.repeat(40)}" is not a portion`);
  });
});

describe('a portion of one after another', () => {
  it('has every name once in so many turns, wherever they begin and whatever the salt', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 60 }), fc.integer(), (name, of, from) => {
        const turns = Array.from({ length: of }, (_, index) => from + index);
        const hits = turns.filter((turn) => isInPortion({ kind: 'turn', of }, name, turn, `run ${turn}`));
        expect(hits).toHaveLength(1);
      }),
    );
  });

  it('has parts of like size', () => {
    for (let turn = 0; turn < 7; turn++) {
      const size = chosen({ kind: 'turn', of: 7 }, turn, '').length;
      expect(Math.abs(size - NAMES.length / 7)).toBeLessThan(300);
    }
  });
});

describe('a portion by percent', () => {
  it.each([1, 5, 50])('of %d has about so many, others with each salt, and the same with the same', (percent) => {
    const portion: Portion = { kind: 'percent', percent };
    const [first, second] = [chosen(portion, 0, 'one'), chosen(portion, 0, 'two')];
    const expected = (NAMES.length * percent) / 100;
    for (const found of [first, second])
      expect(Math.abs(found.length - expected)).toBeLessThan(5 * Math.sqrt(expected));
    const both = new Set([...first, ...second]).size;
    const independent = NAMES.length * (1 - (1 - percent / 100) ** 2);
    expect(Math.abs(both - independent)).toBeLessThan(10 * Math.sqrt(expected));
    expect(chosen(portion, 1, 'one')).toEqual(first);
  });

  it('of 100 has all, and a larger portion has what a smaller one has', () => {
    expect(chosen({ kind: 'percent', percent: 100 }, 3, 'salt')).toEqual(NAMES);
    const large = new Set(chosen({ kind: 'percent', percent: 20 }, 0, 'salt'));
    expect(chosen({ kind: 'percent', percent: 10 }, 0, 'salt').every((name) => large.has(name))).toBe(true);
  });
});
