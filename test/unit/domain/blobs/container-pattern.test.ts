import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isLiteral,
  isValidContainerName,
  matches,
  patternProblem,
  patternsOverlap,
} from '#domain/blobs/container-pattern.ts';

/** The same rule by way of a regular expression. */
function byRegex(pattern: string, name: string): boolean {
  return new RegExp(`^${pattern.replaceAll('$', '\\$').replaceAll('*', '.*')}$`).test(name);
}

const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*'), minLength: 1, maxLength: 6 });
const starred = pattern.filter((text) => text.includes('*'));
const name = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 10 });

/** Every text of a, b and - of up to eight characters: long enough for any two patterns of at most three. */
const texts = (() => {
  const all = [''];
  for (let from = 0, length = 1; length <= 7; length++) {
    const to = all.length;
    for (; from < to; from++) for (const character of 'ab-') all.push(all[from] + character);
  }
  return all;
})();

describe('matches', () => {
  it.each([
    ['images', 'images', true],
    ['images', 'images2', false],
    ['tenant-*', 'tenant-7', true],
    ['tenant-*', 'tenant-', true],
    ['tenant-*', 'my-tenant-7', false],
    ['*-logs-*', 'a-logs-b', true],
    ['a*a', 'a', false],
    ['*', 'anything', true],
    ['*', '$web', false],
    ['*', '$root', false],
    ['*', 'strongroom', false],
    ['strong*', 'strongroom', false],
    ['strong*', 'strongroom2', true],
    ['$web', '$web', true],
    ['strongroom', 'strongroom', true],
    ['a.c', 'abc', false],
  ])('%s on %s is %s', (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected);
  });

  it('agrees with a regular expression', () => {
    fc.assert(
      fc.property(starred, name, (pattern, name) => {
        expect(matches(pattern, name)).toBe(byRegex(pattern, name));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes no time to speak of on patterns that make regular expressions slow', () => {
    const before = performance.now();
    expect(matches('*a*a*a*a*a*a*a*a*b', 'a'.repeat(5000))).toBe(false);
    expect(performance.now() - before).toBeLessThan(500);
  });
});

describe('patternsOverlap', () => {
  it.each([
    ['*', '*backup', true],
    ['images', '*backup', false],
    ['imagesbackup', '*backup', true],
    ['tenant-*', 'tenant-*backup', true],
    ['tenant-*', 'b-tenant-*', false],
    ['*-a', '*-b', false],
    ['*', '$web', false],
    ['*', 'strongroom', false],
    ['$web', '$web', true],
    ['abc', 'abd', false],
  ])('%s and %s: %s, both ways round', (a, b, expected) => {
    expect(patternsOverlap(a, b)).toBe(expected);
    expect(patternsOverlap(b, a)).toBe(expected);
  });

  it('is whether there is a name that both match, by trying them all', () => {
    const short = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(short, short, (a, b) => {
        expect(patternsOverlap(a, b)).toBe(texts.some((text) => matches(a, text) && matches(b, text)));
      }),
      { numRuns: 300 },
    );
  });

  it('holds wherever one name is matched by both', () => {
    fc.assert(
      fc.property(pattern, pattern, name, (a, b, name) => {
        if (matches(a, name) && matches(b, name)) expect(patternsOverlap(a, b)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('names and patterns', () => {
  it.each(['abc', 'a-b', '0a0', 'a'.repeat(63), '$web', '$root'])('%s is a container name', (name) => {
    expect(isValidContainerName(name)).toBe(true);
    expect(patternProblem(name)).toBeUndefined();
    expect(isLiteral(name)).toBe(true);
  });

  it.each(['', 'ab', 'a'.repeat(64), 'Abc', '-ab', 'ab-', 'a--b', 'a_b', '$logs', 'a/b', 'abc\n', '..'])(
    '%j is no container name',
    (name) => {
      expect(isValidContainerName(name)).toBe(false);
      expect(patternProblem(name)).toContain(JSON.stringify(name));
    },
  );

  it.each(['*', 'a*', '*-b', 'a*b*c'])('%s is a pattern', (pattern) => {
    expect(patternProblem(pattern)).toBeUndefined();
    expect(isLiteral(pattern)).toBe(false);
  });

  it.each(['$*', 'A*', 'a_*', '-*', '*-', 'a--*', 'a?*', `${'a'.repeat(64)}*`])('%s can match nothing', (pattern) => {
    expect(patternProblem(pattern)).toContain(JSON.stringify(pattern));
  });

  it('never complains of a pattern that matches a container', () => {
    const container = fc
      .string({ unit: fc.constantFrom('a', 'b', '-', '0'), maxLength: 8 })
      .filter(isValidContainerName);
    fc.assert(
      fc.property(pattern, container, (pattern, container) => {
        if (matches(pattern, container)) expect(patternProblem(pattern)).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });
});
