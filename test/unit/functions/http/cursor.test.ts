import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCursor, writeCursor } from '#functions/http/cursor.ts';

const invalid = expect.objectContaining({ status: 400, code: 'cursor-invalid' });

describe('a cursor', () => {
  it('gives its position back, to the same query only', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string());
    const query = fc.array(fc.option(text, { nil: undefined }), { maxLength: 4 });
    fc.assert(
      fc.property(text, query, query, (position, asked, other) => {
        const cursor = writeCursor(position, asked);
        expect(cursor).toMatch(/^[\w-]{10,}$/);
        expect(readCursor(cursor, asked)).toBe(position);
        if (JSON.stringify(asked) === JSON.stringify(other)) return;
        expect(() => readCursor(cursor, other)).toThrow(invalid);
      }),
    );
  });

  it('that is made up, or changed in any character, is refused', () => {
    const cursor = writeCursor('{"VAULT":"x"}', ['runs']);
    const changed = [...cursor].map(
      (character, at) => cursor.slice(0, at) + (character === 'A' ? 'B' : 'A') + cursor.slice(at + 1),
    );
    const madeUp = [
      '',
      'x',
      '0.0',
      Buffer.from('{"VAULT":"x"}').toString('base64url'),
      `${cursor}=`,
      `${cursor} `,
      `${cursor}A`,
    ];
    for (const each of [...changed, ...madeUp, cursor.slice(0, -1)]) {
      expect(() => readCursor(each, ['runs']), each).toThrow(invalid);
    }
  });
});
