import { describe, expect, it } from 'vitest';
import { piecesOf, shownName, shownText } from '../../../ui/model/name.ts';
import { HOSTILE_NAMES } from '../../support/builders/hostile-names.ts';

describe('a text that quotes a name', () => {
  it('has its own blanks and breaks, and nothing else that cannot be seen', () => {
    expect(shownText('It has  two\n“\u202egnp.exe”')).toBe('It has  two\n“\\u202egnp.exe”');
    for (const name of HOSTILE_NAMES)
      expect(shownText(`“${name}”`)).not.toMatch(/(?!\n)[\p{C}\p{Zl}\p{Zp}]|\p{Bidi_Control}/u);
  });
});

describe('a name on the page', () => {
  it.each([
    ['2026/a.jpg', '2026/a.jpg'],
    ['<script>alert(1)</script>', '<script>alert(1)</script>'],
    ['\u202egnp.exe', '\\u202egnp.exe'],
    ['a\u200bb', 'a\\u200bb'],
    ['a\nb', 'a\\u000ab'],
    ['a\u00a0b', 'a\\u00a0b'],
    [' a', '␠a'],
    ['a  b ', 'a␠␠b␠'],
    ['a b', 'a b'],
    ['\u{e0041}', '\\u{e0041}'],
    ['\ud800', '\\ud800'],
    ['עברית', 'עברית'],
    ['', ''],
  ])('%j is shown as %j', (name, shown) => expect(shownName(name)).toBe(shown));

  it('shows what is an escape apart from what the name has itself', () => {
    expect(piecesOf('\\u202e')).toEqual([{ text: '\\u202e', isEscape: false }]);
    expect(piecesOf('a\u202eb')).toEqual([
      { text: 'a', isEscape: false },
      { text: '\\u202e', isEscape: true },
      { text: 'b', isEscape: false },
    ]);
  });

  it('has nothing invisible, and differs from that of every other hostile name', () => {
    const shown = HOSTILE_NAMES.map((name) => JSON.stringify(piecesOf(name)));
    expect(new Set(shown).size).toBe(new Set(HOSTILE_NAMES).size);
    for (const name of HOSTILE_NAMES) expect(shownName(name)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]|\p{Bidi_Control}/u);
  });
});
