import { describe, expect, expectTypeOf, it } from 'vitest';
import { type Operation, operations, type ParamsOf, type Reply } from '#api/operation.ts';
import { OPERATIONS } from '#api/operations.ts';

describe('an operation', () => {
  it('does not compile without a permission', () => {
    // @ts-expect-error It has no `needs`.
    operations({ a: { method: 'GET', path: 'a', summary: 'A', answers: {}, errors: {} } });
    // @ts-expect-error There is no such permission.
    operations({ a: { method: 'GET', path: 'a', summary: 'A', needs: 'none', answers: {}, errors: {} } });
    expectTypeOf<Operation>().toHaveProperty('needs');
  });

  it('has the parameters of its path', () => {
    expectTypeOf<ParamsOf<'runs/{id}/x/{name}'>['id']>().toEqualTypeOf<string>();
    expectTypeOf<ParamsOf<'runs/{id}/x/{name}'>['name']>().toEqualTypeOf<string>();
  });

  it('has the answers of its statuses', () => {
    expectTypeOf<Reply<typeof OPERATIONS.cancelRun>['status']>().toEqualTypeOf<200 | 202>();
  });

  it('has a place of its own', () => {
    const places = Object.values(OPERATIONS).map(({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`);
    expect(new Set(places).size).toBe(places.length);
  });

  it('changes something only as a POST, and has no body otherwise', () => {
    for (const [id, operation] of Object.entries<Operation>(OPERATIONS)) {
      if (operation.method === 'GET') expect(operation.body, id).toBeUndefined();
    }
  });
});
