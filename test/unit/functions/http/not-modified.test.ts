import { describe, expect, it } from 'vitest';
import { etagOf, isNotModified } from '#functions/http/not-modified.ts';

const etag = etagOf('{"a":1}');

describe('the ETag of an answer', () => {
  it('is that of its text', () => {
    expect(etag).toMatch(/^"[\w-]{22}"$/);
    expect(etagOf('{"a":1}')).toBe(etag);
    expect(etagOf('{"a":2}')).not.toBe(etag);
  });

  it.each([
    [null, false],
    ['', false],
    [etag, true],
    [`W/${etag}`, true],
    [`"other", ${etag}`, true],
    ['*', true],
    ['"other"', false],
    [etag.slice(1, -1), false],
  ])('is named by %s: %s', (header, isNamed) => {
    expect(isNotModified(header, etag)).toBe(isNamed);
  });
});
