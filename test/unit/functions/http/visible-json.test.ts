import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HttpError, problemResponse } from '#functions/http/http-error.ts';
import { visibleJson } from '#functions/http/visible-json.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('a\u009b31m', '\u202e', '\u061c', '\u2028', '\ufeff', '\u{e0041}', '\ud800', '\\', '"'),
);

describe('JSON in answers', () => {
  it('says the same as any other, and holds no character that is not visible', () => {
    fc.assert(
      fc.property(fc.dictionary(text, fc.array(text)), (value) => {
        const json = visibleJson(value);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(json).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

describe('a problem', () => {
  it('repeats no text of the request at any length', () => {
    const long = 'x'.repeat(100_000);
    const errors = [{ path: long, message: long }] as const;
    const { body } = problemResponse(new HttpError(400, 'body-invalid', long, long, { errors }));
    expect((body as string).length).toBeLessThan(20_000);
  });

  const secret = 'c2lnbmF0dXJlLXRoYXQtaXMtc2VjcmV0';

  it('repeats no secret of the request, in none of its parts', () => {
    const pasted = `https://a.blob.core.windows.net/?sv=2026-01-01&sig=${secret}`;
    const hint = `AccountKey=${secret}==;`;
    const errors = [{ path: `body.${pasted}`, message: hint }] as const;
    const { body } = problemResponse(new HttpError(400, 'body-invalid', pasted, hint, { errors }));
    expect(body).not.toContain(secret);
    expect(JSON.parse(body as string)).toMatchObject({
      code: 'body-invalid',
      errors: [{ path: expect.stringContaining('sv=2026') }],
    });
  });

  it('stays JSON, whatever it repeats', () => {
    const piece = fc.oneof(
      text,
      fc.constantFrom(
        'sig=',
        'AccountKey=',
        'Bearer ',
        'Authorization: Basic ',
        '?code=',
        '&',
        secret,
        "'",
        '%3D',
        '{',
      ),
    );
    const any = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(any, any, fc.dictionary(any, any), (message, hint, more) => {
        const { body } = problemResponse(new HttpError(400, 'odd', message, hint, { errors: [more] }));
        expect(JSON.parse(body as string)).toMatchObject({ status: 400, code: 'odd', detail: expect.any(String) });
      }),
      { numRuns: 500 },
    );
  });
});
