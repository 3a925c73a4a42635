import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contentVerdict, type ReadContent } from '#domain/verify/content-verdict.ts';

/** From so few values that two of them are often equal. */
const content = fc.record({
  size: fc.constantFrom(10, 11),
  md5: fc.constantFrom('AAAA', 'BBBB'),
  sha256: fc.constantFrom('aa', 'bb'),
});
const entry = fc.record({ size: fc.constantFrom(10, 11), md5: fc.constantFrom('AAAA', 'BBBB', undefined) });
const source = fc.option(content, { nil: undefined });

const judged = ({ md5, ...rest }: { size: number; md5: string | undefined }, ...read: [ReadContent, ReadContent?]) =>
  contentVerdict({ ...rest, ...(md5 !== undefined && { md5 }) }, read[0], read[1]);

test('only the length or the bytes of the source show a mismatch, whatever the MD5 of the entry is', () => {
  fc.assert(
    fc.property(entry, content, source, (of, read, there) => {
      if (judged(of, read, there).is !== 'mismatch') return;
      const isOther = there !== undefined && (there.size !== read.size || there.sha256 !== read.sha256);
      expect(read.size !== of.size || isOther).toBe(true);
    }),
  );
});

test('content is sound only if it has the MD5 of the entry or the bytes of the source', () => {
  fc.assert(
    fc.property(entry, content, source, (of, read, there) => {
      if (judged(of, read, there).is !== 'sound') return;
      expect(read.size).toBe(of.size);
      expect(read.md5 === of.md5 || there?.sha256 === read.sha256).toBe(true);
    }),
  );
});

test('content that neither proves is unproved, and the message names the MD5 that the source had', () => {
  const read = { size: 10, md5: 'BBBB', sha256: 'bb' };
  expect(judged({ size: 10, md5: undefined }, read)).toMatchObject({
    is: 'unproved',
    message: expect.stringMatching(/had no Content-MD5$/),
  });
  expect(judged({ size: 10, md5: 'AAAA' }, read)).toMatchObject({
    is: 'unproved',
    message: expect.stringMatching(/another one: AAAA, .* BBBB$/),
  });
});
