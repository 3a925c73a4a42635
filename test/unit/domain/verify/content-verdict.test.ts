import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ProvedContent } from '#domain/run/outcome.ts';
import { contentVerdict, type ReadContent } from '#domain/verify/content-verdict.ts';

/** From so few values that two of them are often equal. */
const content = fc.record({
  size: fc.constantFrom(10, 11),
  md5: fc.constantFrom('AAAA', 'BBBB'),
  sha256: fc.constantFrom('aa', 'bb'),
});
const entry = fc.record({ size: fc.constantFrom(10, 11), md5: fc.constantFrom('AAAA', 'BBBB', undefined) });
const source = fc.option(content, { nil: undefined });

const proved = fc.option(
  fc.record({ sha256: fc.constantFrom('aa', 'bb'), run: fc.constant('r'), at: fc.constant('') }),
  {
    nil: undefined,
  },
);

const judged = (
  { md5, ...rest }: { size: number; md5: string | undefined },
  read: ReadContent,
  there?: ReadContent,
  recorded?: ProvedContent,
) => contentVerdict({ ...rest, ...(md5 !== undefined && { md5 }) }, read, there, recorded);

test('only the length, the source or an earlier verification shows a mismatch, whatever the MD5 of the entry is', () => {
  fc.assert(
    fc.property(entry, content, source, proved, (of, read, there, recorded) => {
      if (judged(of, read, there, recorded).is !== 'mismatch') return;
      const isOther = there !== undefined && there.sha256 !== read.sha256;
      const wasOther = there === undefined && recorded !== undefined && recorded.sha256 !== read.sha256;
      expect(read.size !== of.size || isOther || wasOther).toBe(true);
    }),
  );
});

test('content is sound only if it has the SHA-256 on record, the bytes of the source or, without a record, the MD5', () => {
  fc.assert(
    fc.property(entry, content, source, proved, (of, read, there, recorded) => {
      if (judged(of, read, there, recorded).is !== 'sound') return;
      expect(read.size).toBe(of.size);
      const own = recorded === undefined ? read.md5 === of.md5 : read.sha256 === recorded.sha256;
      expect(own || there?.sha256 === read.sha256).toBe(true);
    }),
  );
});

test('content that an earlier verification read is never unproved', () => {
  fc.assert(
    fc.property(entry, content, source, proved, (of, read, there, recorded) => {
      if (recorded !== undefined) expect(judged(of, read, there, recorded).is).not.toBe('unproved');
    }),
  );
});

test('content that neither proves is unproved, and the message names the MD5 that the source had', () => {
  const read = { size: 10, md5: 'BBBB', sha256: 'bb' };
  expect(judged({ size: 10, md5: undefined }, read)).toMatchObject({
    is: 'unproved',
    message: expect.stringMatching(/^The source no longer has the version .*, and it had no Content-MD5$/),
  });
  expect(judged({ size: 10, md5: 'AAAA' }, read)).toMatchObject({
    is: 'unproved',
    message: expect.stringMatching(/another one: AAAA, .* BBBB$/),
  });
});

test.each<[string, ReturnType<typeof contentVerdict>, Parameters<typeof judged>]>([
  [
    'another length',
    { is: 'mismatch', message: 'It has 11 bytes and should have 10' },
    [
      { size: 10, md5: 'AAAA' },
      { size: 11, md5: 'AAAA', sha256: 'aa' },
    ],
  ],
  [
    'other bytes than those of the source',
    { is: 'mismatch', message: 'Its bytes are not those of the source' },
    [
      { size: 10, md5: 'AAAA' },
      { size: 10, md5: 'BBBB', sha256: 'bb' },
      { size: 10, md5: 'AAAA', sha256: 'aa' },
    ],
  ],
  [
    'other bytes than an earlier verification read',
    { is: 'mismatch', message: 'Its SHA-256 is bb; when verification v1 read it, it was aa' },
    [
      { size: 10, md5: 'BBBB' },
      { size: 10, md5: 'BBBB', sha256: 'bb' },
      undefined,
      { sha256: 'aa', run: 'v1', at: '' },
    ],
  ],
  [
    'the MD5 that the source had, though the source is gone',
    { is: 'sound' },
    [
      { size: 10, md5: 'AAAA' },
      { size: 10, md5: 'AAAA', sha256: 'aa' },
    ],
  ],
  [
    'the bytes that an earlier verification read, whatever MD5 the source had',
    { is: 'sound' },
    [
      { size: 10, md5: 'BBBB' },
      { size: 10, md5: 'AAAA', sha256: 'aa' },
      undefined,
      { sha256: 'aa', run: 'v1', at: '' },
    ],
  ],
  [
    'the bytes of the source, whatever an earlier verification read',
    { is: 'sound' },
    [
      { size: 10, md5: undefined },
      { size: 10, md5: 'BBBB', sha256: 'bb' },
      { size: 10, md5: 'BBBB', sha256: 'bb' },
      { sha256: 'aa', run: 'v1', at: '' },
    ],
  ],
])('I6: the verdict on %s', (_what, verdict, args) => {
  expect(judged(...args)).toEqual(verdict);
});
