import { expect, test } from 'vitest';
import { match } from '../../../ui/app/route.ts';

test.each([
  ['/', '/', {}],
  ['/runs', '/runs', {}],
  ['/runs', '/runs/', {}],
  ['/runs/{id}', '/runs/nightly-1', { id: 'nightly-1' }],
  ['/runs/{id}', '/runs/a%2Fb%20c', { id: 'a/b c' }],
  // Not the encoding of anything: as it is.
  ['/runs/{id}', '/runs/%zz', { id: '%zz' }],
  ['/jobs/{job}/retention', '/jobs/nightly/retention', { job: 'nightly' }],
  ['/runs/{id}', '/runs', undefined],
  ['/runs', '/runs/a', undefined],
  ['/runs/{id}', '/jobs/a', undefined],
])('%s and %s', (pattern, path, params) => {
  expect(match(pattern, path)).toEqual(params);
});
