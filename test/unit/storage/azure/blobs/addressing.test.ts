import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectBlobAccount } from '#storage/azure/connect.ts';

const account = connectBlobAccount({ alias: 'a', connectionString: 'AccountName=acct;AccountKey=eA==' });

const HOSTILE = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      '.',
      '..',
      '/',
      '\\',
      '%',
      '%2e',
      '%2F',
      '#',
      '?',
      '+',
      ' ',
      '&',
      '=',
      ':',
      '@',
      'é',
      '\u{1f600}',
      '\ud800',
      '\n',
      "'",
      '"',
      '~',
      '[',
      '|',
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((pieces) => pieces.join(''));

describe('canAddress', () => {
  it('canAddress accepts only names that survive a URL', async () => {
    const access = await account.readAccess('data', new Date(Date.now() + 60_000));
    let addressed = 0;
    fc.assert(
      fc.property(HOSTILE, (name) => {
        if (!account.canAddress('data', name)) return;
        addressed++;
        const url = new URL(access.urlOf(name));
        expect(decodeURIComponent(url.pathname)).toBe(`/data/${name}`);
        expect(url.hash).toBe('');
        expect(url.searchParams.get('sr')).toBe('b');
      }),
      { numRuns: 3000 },
    );
    expect(addressed).toBeGreaterThan(300);
  });

  it.each([
    'plain.txt',
    'a/b/c.d.e',
    '.hidden',
    'a/.hidden/b',
    '...x',
    'a b+c%20d%2Fe%25',
    'x#y?z=1&w',
    'é中\u{1f600}/ß',
    'it\'s "quoted" <tag>',
    'dir/',
    '/leading',
    'a//b',
    'http://host/path',
    '$root',
    'x'.repeat(1024),
  ])('canAddress accepts %j', (name) => {
    expect(account.canAddress('data', name)).toBe(true);
  });

  it.each([
    '',
    '.',
    '..',
    './x',
    '../other/x',
    'x/../y',
    'a/b/..',
    'a/./b',
    'a/.',
    'a\\b',
    'a\\..\\b',
    'ends.',
    'a/ends./b',
    'line\nbreak',
    'nul\u0000',
    'c1\u0085',
    '\ufffe',
    '\uffff',
    '\ud800',
    'x\udc00y',
    'x'.repeat(1025),
  ])('canAddress refuses %j', (name) => {
    expect(account.canAddress('data', name)).toBe(false);
  });

  it.each(['../x', 'a/b', 'UPPER', 'ab', 'a..b', '', 'x?y', '-ab', 'ab-', 'a--b'])(
    'canAddress refuses the container name %j',
    (container) => {
      expect(account.canAddress(container, 'name')).toBe(false);
    },
  );

  it.each(['data', '$root', '$web', 'a-b', 'a-b-c', 'abc', '123', 'x'.repeat(63)])(
    'canAddress accepts the container name %j',
    (container) => {
      expect(account.canAddress(container, 'name')).toBe(true);
    },
  );
});
