import { describe, expect, it } from 'vitest';
import { lasting, roughly, sizeOf } from '../../../cli/print/amounts.ts';
import { type Column, tableLines } from '../../../cli/print/table.ts';
import { durationOf, instantOf, shownTime } from '../../../cli/print/times.ts';
import { visible, visibleJson } from '../../../cli/print/visible.ts';
import { shortened, widthOf } from '../../../cli/print/width.ts';
import { HOSTILE_NAMES } from '../../support/builders/hostile-names.ts';

const plain = (text: string) => text;
const columns: Column<string>[] = [
  { name: 'id', value: () => 'nightly-1' },
  { name: 'name', value: (name) => name, shrinks: true },
  { name: 'size', value: () => '4.0 KiB', isNumber: true },
];
/** What a terminal acts on, or does not show. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

describe('a hostile name', () => {
  it.each(HOSTILE_NAMES.map((name) => [name]))('%j is one line that is shown as it is', (name) => {
    for (const width of [80, 200, undefined]) {
      const lines = tableLines(columns, [name], { width, paint: plain });
      expect(lines).toHaveLength(2);
      expect(lines.join('')).not.toMatch(HIDDEN);
      if (width) for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
      // Nothing of the name pushes the other columns away.
      expect(lines[1]).toMatch(/^nightly-1 .* 4\.0 KiB$/);
    }
  });

  it.each(HOSTILE_NAMES.map((name) => [name]))('%j is exact in a line of JSON', (name) => {
    const line = visibleJson({ name });
    expect(line).not.toMatch(HIDDEN);
    expect(JSON.parse(line)).toEqual({ name });
  });

  it('cannot look like another one by blanks, fillers or marks of direction', () => {
    expect(visible('a\u00a0b')).toBe('a\\u00a0b');
    expect(visible('\u3164')).toBe('\\u3164');
    expect(visible('\u202egnp.exe')).toBe('\\u202egnp.exe');
    expect(visible('\x1b[31m')).toBe('\\u001b[31m');
    expect(visible('\u{e0041}')).toBe('\\udb40\\udc41');
    expect(visible('日本語 é 😀')).toBe('日本語 é 😀');
  });
});

describe('the width of a text', () => {
  it.each([
    ['abc', 3],
    ['日本', 4],
    ['e\u0301', 1],
    ['😀', 2],
    ['🇩🇪', 2],
    ['👍🏽', 2],
    ['한국', 4],
    ['ａ', 2],
    ['עברית', 5],
    ['', 0],
  ])('%j is %d', (text, width) => expect(widthOf(text)).toBe(width));

  it('is kept when a text is cut off, without half a character', () => {
    expect(shortened('abcdef', 4)).toBe('abc…');
    expect(shortened('日本語', 4)).toBe('日…');
    expect(shortened('ae\u0301x', 2)).toBe('a…');
    expect(shortened('abc', 3)).toBe('abc');
  });
});

describe('a table', () => {
  it('is as wide as it needs to be in a pipe, and cuts off nothing there', () => {
    const lines = tableLines(columns, ['x'.repeat(300)], { width: undefined, paint: plain });
    expect(lines[1]).toBe(`nightly-1  ${'x'.repeat(300)}  4.0 KiB`);
  });

  it('cuts off what may be cut off, the widest column first', () => {
    const two: Column<[string, string]>[] = [
      { name: 'one', value: ([one]) => one, shrinks: true },
      { name: 'other', value: ([, other]) => other, shrinks: true },
    ];
    const lines = tableLines(two, [['a'.repeat(30), 'b'.repeat(100)]], { width: 80, paint: plain });
    expect(lines[1]).toBe(`${'a'.repeat(30)}  ${'b'.repeat(47)}…`);
    const [, both] = tableLines(two, [['a'.repeat(90), 'b'.repeat(100)]], { width: 41, paint: plain });
    expect(widthOf(both!)).toBe(41);
  });

  it('leaves out columns that a narrow terminal has no room for', () => {
    const wide: Column<string>[] = [...columns, { name: 'since', value: () => 'now', from: 100 }];
    const titles = (width: number | undefined) => tableLines(wide, [], { width, paint: plain })[0];
    expect([titles(80), titles(100), titles(undefined)]).toEqual([
      'ID  NAME  SIZE',
      'ID  NAME  SIZE  SINCE',
      'ID  NAME  SIZE  SINCE',
    ]);
  });
});

describe('amounts', () => {
  it('have units', () => {
    expect([0, 1023, 1024, 1536, 188252160, 2.1e12, 5e18].map(sizeOf)).toEqual([
      ...['0 B', '1023 B', '1.0 KiB', '1.5 KiB', '179.5 MiB', '1.9 TiB', '4440.9 PiB'],
    ]);
    expect([0, 59, 61, 3700, 90000].map(lasting)).toEqual(['0 s', '59 s', '1 min 1 s', '1 h 1 min', '1 d 1 h']);
    expect([5, 90, 7200, 172800].map(roughly)).toEqual(['5 s', '1 min', '2 h', '2 d']);
  });

  it('of time are shown in the style of the output', () => {
    expect(shownTime('2026-11-21T23:30:00.500Z', 'iso')).toBe('2026-11-21T23:30:00Z');
    expect(shownTime('2026-11-21T23:30:00.500Z', 'utc')).toBe('2026-11-21 23:30Z');
    expect(shownTime('2026-11-21T23:30:00.500Z', 'local')).toMatch(/^2026-11-2[12] \d{2}:\d{2}$/);
    expect([shownTime(null, 'iso'), shownTime('soon', 'iso')]).toEqual(['', 'soon']);
  });

  it('that are none are refused', () => {
    expect(['1', '1w', '-1h', '1.5h', ''].map(durationOf)).toEqual(Array(5).fill(undefined));
    expect(['2026-13-01', '2026-02-30', '20', '2026-11-20T25:00', ''].map((text) => instantOf(text, true))).toEqual(
      Array(5).fill(undefined),
    );
  });
});
