import { expect, test } from 'vitest';
import { z } from 'zod';
import { HttpError, invalid } from '#functions/http/http-error.ts';
import { readBody, readQuery } from '#functions/http/read-request.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';

const body = z.strictObject({ mode: z.enum(['full', 'incremental']), include: z.array(z.string()).optional() });

test('a wrong body is answered with every problem and its place, as a wrong file is', async () => {
  const request = httpRequest({ body: { mode: 'full', mod: 'full', include: ['a', 1] } });
  await expect(readBody(request, body)).rejects.toMatchObject({
    status: 400,
    code: 'body-invalid',
    message:
      'body.include[1]: this must be a string in quotes; body.mod: this field does not exist; did you mean "mode"?',
    more: {
      errors: [
        { path: 'body.include[1]', message: 'this must be a string in quotes' },
        { path: 'body.mod', message: 'this field does not exist; did you mean "mode"?' },
      ],
    },
  });
});

test('a repeated parameter is a problem with a place', () => {
  const request = httpRequest({ url: 'http://127.0.0.1/api/runs?limit=1&limit=2' });
  expect(() => readQuery(request, z.strictObject({ limit: z.string() }))).toThrow(
    expect.objectContaining({
      code: 'query-invalid',
      more: { errors: [{ path: 'query.limit', message: 'this parameter is there more than once' }] },
    }),
  );
});

test('an error of a request does not compile without its problems', () => {
  // @ts-expect-error It has no `errors`.
  new HttpError(400, 'body-invalid', 'wrong');
  // @ts-expect-error They are empty.
  new HttpError(400, 'query-invalid', 'wrong', undefined, { errors: [] });
  expect(new HttpError(404, 'run-not-found', 'There is none').more).toEqual({});
  expect(invalid('body', [{ path: [], message: 'x' }]).more).toEqual({ errors: [{ path: 'body', message: 'x' }] });
});
