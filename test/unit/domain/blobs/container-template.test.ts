import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isValidContainerName, matches } from '#domain/blobs/container-pattern.ts';
import {
  backupTemplateProblem,
  containerTemplateProblem,
  destinationPattern,
  expand,
  isInjective,
  prefixTemplateProblem,
  sourceExpandingTo,
} from '#domain/blobs/container-template.ts';

const container = fc
  .string({ unit: fc.constantFrom('a', 'b', '-', 'c'), minLength: 3, maxLength: 6 })
  .filter(isValidContainerName);
/** Templates of up to four pieces, of which any may be the slot. */
const template = (...pieces: string[]) =>
  fc.array(fc.constantFrom('{container}', ...pieces), { maxLength: 4 }).map((parts) => parts.join(''));

describe('expand', () => {
  it('puts the name in every place of {container}', () => {
    expect(expand('{container}backup', 'images')).toBe('imagesbackup');
    expect(expand('all', 'images')).toBe('all');
    expect(expand('{container}/{container}', 'a-b')).toBe('a-b/a-b');
    expect(expand('{Container}{}', 'images')).toBe('{Container}{}');
  });

  it('takes a name as it is, also one that begins with $', () => {
    expect(expand('{container}', '$web')).toBe('$web');
    expect(expand('x{container}', "$&$'$`$$")).toBe("x$&$'$`$$");
  });
});

describe('isInjective', () => {
  it.each([
    ['{container}backup', '', true],
    ['all', '', false],
    ['all', '{container}/', true],
    ['all', '{container}', false],
    ['all', '{container}-', false],
    ['all', 'of-{container}-x/', true],
    ['all', '{container}/{container}', true],
    ['all', '/{container}', false],
    ['{container}', '{container}', true],
  ])('container %s with prefix %s: %s', (container, prefix, expected) => {
    expect(isInjective(container, prefix)).toBe(expected);
  });

  it('means that two containers never share a destination, whatever their blobs are called', () => {
    const blob = fc.string({ unit: fc.constantFrom('a', 'b', '-', 'c', '/'), minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        template('a', '-b'),
        template('a', '-', '/'),
        container,
        container,
        blob,
        blob,
        (c, p, x, y, m, n) => {
          fc.pre(x !== y && isInjective(c, p));
          const place = (source: string, name: string) => `${expand(c, source)}\n${expand(p, source)}${name}`;
          expect(place(x, m)).not.toBe(place(y, n));
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('template problems', () => {
  it.each(['{container}backup', 'b-{container}', '{container}', 'vault', '$web'])(
    '%s is a container template',
    (text) => {
      expect(containerTemplateProblem(text)).toBeUndefined();
    },
  );

  it.each([
    '',
    'Backup-{container}',
    '{container}-',
    '{container',
    'a_{container}',
    '{container}/x',
    `${'x'.repeat(61)}{container}`,
  ])('%s is none', (text) => expect(containerTemplateProblem(text)).toContain(JSON.stringify(text)));

  it.each(['', 'a/', '{container}/', 'a.b/', '...x/'])('%j is a prefix template', (text) => {
    expect(prefixTemplateProblem(text)).toBeUndefined();
  });

  it.each([
    '../',
    './',
    'a/../b',
    'a/.',
    'a\\b',
    'x'.repeat(513),
    'a\nb/',
    '\t',
    'a\u0085',
    '\ufffe/',
    '\ud800/',
    'v1./x',
    '{container}./',
  ])('%j is none', (text) => {
    expect(prefixTemplateProblem(text)).toBeTypeOf('string');
  });
});

describe('backupTemplateProblem', () => {
  it.each(['$web', '$root', '$logs'])('%s is no backup container', (template) => {
    expect(backupTemplateProblem(template)).toBeTypeOf('string');
  });

  it.each(['web', '{container}', '{container}backup'])('%s is one', (template) => {
    expect(backupTemplateProblem(template)).toBeUndefined();
  });
});

describe('what a template makes of a pattern', () => {
  it('is a pattern that matches every destination', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '*'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(template('a', '-b'), pattern, container, (template, pattern, container) => {
        fc.pre(matches(pattern, container));
        expect(matches(destinationPattern(template, pattern), expand(template, container))).toBe(true);
      }),
    );
  });

  it('finds the source container that would be copied to a given one', () => {
    expect(sourceExpandingTo('{container}room', '*', 'strongroom')).toBe('strong');
    expect(sourceExpandingTo('{container}room', 'strong', 'strongroom')).toBe('strong');
    expect(sourceExpandingTo('{container}room', 'weak*', 'strongroom')).toBeUndefined();
    expect(sourceExpandingTo('strongroom', '*', 'strongroom')).toBe('*');
    expect(sourceExpandingTo('{container}', 'strongroom', 'strongroom')).toBe('strongroom');
    // No star reaches the control container.
    expect(sourceExpandingTo('{container}', '*', 'strongroom')).toBeUndefined();
    expect(sourceExpandingTo('{container}backup', '*', 'strongroom')).toBeUndefined();
  });
});
