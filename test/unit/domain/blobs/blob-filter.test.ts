import fc from 'fast-check';
import picomatch from 'picomatch';
import { describe, expect, it } from 'vitest';
import { blobFilter, globProblem } from '#domain/blobs/blob-filter.ts';

const matches = (glob: string, name: string) => blobFilter({ include: [glob] })(name);

describe('globs', () => {
  it.each([
    [
      '**/*.tmp',
      ['x.tmp', 'a/x.tmp', 'a/b/x.tmp', '.tmp', 'a/x.tmp/', 'a/.x.tmp', '/x.tmp', 'a//x.tmp', 'a\nb/x\n.tmp'],
      ['x.tmp.gz', 'xtmp', 'x.TMP'],
    ],
    ['*.tmp', ['x.tmp', 'a\\b.tmp', '.hidden.tmp'], ['a/x.tmp']],
    ['a/**', ['a/b', 'a/b/c', 'a/'], ['a', 'ab', 'b/a', 'a.b/c']],
    ['*/**', ['a/b', 'a/b/c', 'a/', '/b'], ['a']],
    ['**/a/**', ['a/b', 'x/a/b', 'x/y/a/b/c', 'x/a/', 'a/a'], ['a', 'x/a', 'xa/b']],
    ['a/**/**', ['a/b', 'a/b/c', 'a/'], ['a']],
    ['{a,b/**}', ['a', 'b/c', 'b/', 'a/'], ['b']],
    ['a', ['a', 'a/'], ['a/b']],
    ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['ab', 'a/xb']],
    ['**', ['a', 'a/b', '', '/', '..', 'a/../b', '\n', 'a/'], []],
    ['[😀é]x', ['😀x', 'éx'], ['ax']],
    ['a?c', ['abc', 'a.c', 'a😀c'], ['ac', 'a/c', 'abbc']],
    ['[a-c]x', ['ax', 'cx'], ['dx', 'Ax', 'x']],
    ['[!a-c]x', ['dx', '!x', '😀x'], ['ax', '/x']],
    ['[^a]x', ['bx'], ['ax']],
    ['[]a]x', [']x', 'ax'], ['[x']],
    ['*.{jpg,png}', ['x.jpg', 'x.png'], ['x.gif', 'x.{jpg,png}']],
    ['{a/**,b}/x', ['a/x', 'a/q/x', 'b/x'], ['c/x']],
    ['{a,{b,c}d}', ['a', 'bd', 'cd'], ['b', 'ad']],
    ['x{,.bak}', ['x', 'x.bak'], ['x.']],
    ['{guid}/*', ['{guid}/x'], ['guid/x']],
    ['[*]x[?]', ['*x?'], ['axb']],
    ['[{]a,b}', ['{a,b}'], ['a', 'b']],
    ['* (1).txt', ['file (1).txt'], ['file 1.txt']],
    ['a|b', ['a|b'], ['a', 'b']],
    ['a\\*', ['a\\', 'a\\b'], ['a*', 'ab']],
    ['+(a)@(b)', ['+(a)@(b)'], ['ab', 'aab']],
    ['$a.b^', ['$a.b^'], ['$axb^']],
    ['"q"*', ['"q"x'], ['qx']],
    ['ab*ba', ['abba', 'abxba'], ['aba']],
  ])('%s', (glob, taken, left) => {
    expect(globProblem(glob)).toBeUndefined();
    expect({ glob, taken: taken.filter((name) => !matches(glob, name)) }).toEqual({ glob, taken: [] });
    expect({ glob, left: left.filter((name) => matches(glob, name)) }).toEqual({ glob, left: [] });
  });

  it('match what picomatch matches, where both speak the same language', () => {
    const segment = fc.oneof(
      fc.constant('**'),
      fc.string({
        unit: fc.constantFrom('a', 'b', '*', '?', '.x', '[ab]', '[^a]', '{a,bb}'),
        minLength: 1,
        maxLength: 4,
      }),
    );
    const glob = fc
      .array(segment, { minLength: 1, maxLength: 4 })
      .map((segments) => segments.join('/'))
      .filter((text) => !/\*{2}[^/]|[^/]\*{2}|\*{3}|^\./.test(text));
    const name = fc
      .array(fc.string({ unit: fc.constantFrom('a', 'b', '.x', 'c'), minLength: 1, maxLength: 4 }), {
        minLength: 1,
        maxLength: 5,
      })
      .map((segments) => segments.join('/'));
    let both = 0;
    fc.assert(
      fc.property(glob, name, (glob, name) => {
        // picomatch is of two minds whether a last "**" may stand for nothing: "a/**" has "a", "*/**" has not.
        const inFolder = /^(?:\*\*\/)*\*\*$/.test(glob) ? glob : glob.replace(/(?:\/\*\*)+$/, '/**/*');
        const options = { dot: true, windows: false, noextglob: true, literalBrackets: false };
        const theirs = picomatch(inFolder, options)(name);
        if (theirs) both++;
        expect({ glob, name, matches: matches(glob, name) }).toEqual({ glob, name, matches: theirs });
      }),
      { numRuns: 5000 },
    );
    expect(both).toBeGreaterThan(100);
  });

  it.each([
    ['', 'empty'],
    ['!a', '"!a"'],
    ['/a/**', 'slash'],
    ['./a', 'slash'],
    ['logs/', '"logs/**"'],
    ['a[b', '[[]'],
    ['[]', '[[]'],
    ['{a,b', '[{]'],
    ['[z-a]', 'backwards'],
    ['{1..9}', 'range'],
    ['[[:alpha:]]', '[a-z]'],
    ['[a/b]', 'brackets'],
    ['x'.repeat(1025), '1025'],
    ['{a,b}'.repeat(30), '256'],
  ])('%s is a problem', (glob, words) => {
    expect(globProblem(glob)).toContain(words);
    expect(() => blobFilter({ exclude: [glob] })).toThrow(RangeError);
  });

  it('never end otherwise than with a filter or a problem, and the filter never throws', () => {
    const special = fc.string({ unit: fc.constantFrom(...'*?[]{},!^-/\\.()|+@:$a😀'), maxLength: 20 });
    fc.assert(
      fc.property(
        fc.oneof(special, fc.string({ unit: 'binary' })),
        fc.string({ unit: 'binary', maxLength: 40 }),
        (glob, name) => {
          if (globProblem(glob) === undefined) expect(matches(glob, name)).toBeTypeOf('boolean');
          else expect(() => blobFilter({ include: [glob] })).toThrow(RangeError);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('take a name without specials for itself and for nothing else', () => {
    const literal = fc.string({ unit: fc.constantFrom(...'ab.()|+@$^\\-"\' #%&~é/'), minLength: 1 });
    fc.assert(
      fc.property(literal, literal, (glob, name) => {
        fc.pre(globProblem(glob) === undefined);
        expect(matches(glob, glob)).toBe(true);
        if (name.replace(/\/$/, '') !== glob) expect(matches(glob, name)).toBe(false);
      }),
    );
  });
});

describe('blobFilter', () => {
  it('takes everything when nothing is asked for', () => {
    expect(blobFilter({})('any')).toBe(true);
    expect(blobFilter({ include: [], exclude: [] })('../any')).toBe(true);
  });

  it('lets exclude win over include', () => {
    const filter = blobFilter({ include: ['a/**', 'b/*'], exclude: ['**/*.tmp'] });
    expect(['a/x', 'b/x', 'a/x.tmp', 'c/x', 'b/c/x'].filter(filter)).toEqual(['a/x', 'b/x']);
  });

  it('is quick on names made to be slow, and on many names', () => {
    const hostile = ['**/*a*a*a*a*a*ab', '**/a/**/a/**/a/**/ab', '{*a,*a}{*a,*a}{*a,*a}b', '?*?*?*?*?*?*b'];
    const names = ['a'.repeat(1024), 'a/'.repeat(512), '/'.repeat(1024), 'a'.repeat(100_000)];
    const filter = blobFilter({ exclude: hostile });
    const slow = performance.now();
    expect(names.map(filter)).toEqual([true, true, true, true]);
    expect(performance.now() - slow).toBeLessThan(5000);

    const many = Array.from(
      { length: 100_000 },
      (_, n) => `tenants/t${n % 97}/2026/11/name-${n}.${n % 10 ? 'jpg' : 'tmp'}`,
    );
    const start = performance.now();
    expect(many.filter(blobFilter({ include: ['tenants/**'], exclude: ['**/*.tmp'] }))).toHaveLength(90_000);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
