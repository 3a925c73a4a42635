import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LokiCollection, removeFewQuickly } from '../../../host/azurite/quick-removal.ts';

interface Blob {
  accountName: string;
  name: string;
  snapshot: string;
}

interface Collection extends LokiCollection {
  insert(document: Blob): void;
  find(query: Partial<Blob>): Blob[];
  findAndRemove(query: Partial<Blob>): void;
  ensureAllIndexes(force: boolean): void;
  checkAllIndexes(options: object): string[];
}

const require = createRequire(import.meta.url);
const LokiJsCollection: new (name: string, options: object) => Collection = createRequire(
  require.resolve('azurite/package.json'),
)('lokijs').Collection;

/** A constructor of its own for each test: the prototype of the shared one is Azurite's. */
function collectionOf(quick: boolean): Collection {
  class Own extends LokiJsCollection {}
  if (quick) removeFewQuickly(Own.prototype);
  return new Own('blobs', { indices: ['accountName', 'name', 'snapshot'] });
}

const some = (...texts: string[]) => fc.constantFrom(...texts);
const blob = fc.record({ accountName: some('a', 'b', 'c'), name: some('x', 'y', 'z'), snapshot: some('', '1', '2') });
const query = fc.record(
  { accountName: some('a', 'b', 'c'), name: some('x', 'y', 'z'), snapshot: some('', '1', '2') },
  { requiredKeys: ['accountName'] },
);

/** In any order: that of equal values in an index is not defined. */
function textsOf(blobs: Blob[]): string {
  return blobs
    .map(({ accountName, name, snapshot }) => [accountName, name, snapshot].join('/'))
    .sort()
    .join(' ');
}

test('whatever Azurite removes, it then finds by every index what it finds without the quick removal', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          blob,
          query.map((removed) => ({ removed })),
        ),
        { size: '+1' },
      ),
      (steps) => {
        const [quick, plain] = [collectionOf(true), collectionOf(false)];
        for (const step of steps) {
          for (const each of [quick, plain]) {
            if ('removed' in step) each.findAndRemove(step.removed);
            else each.insert({ ...step });
          }
        }
        for (const by of [{ accountName: 'a' }, { name: 'x' }, { snapshot: '' }, { accountName: 'b', name: 'y' }]) {
          expect(textsOf(quick.find(by))).toBe(textsOf(plain.find(by)));
        }
        expect(quick.checkAllIndexes({ randomSampling: false, repair: false })).toEqual([]);
      },
    ),
  );
});

test('a removal of one blob sorts no index again, and a removal of hundreds sorts each once', () => {
  const blobs = collectionOf(true);
  for (let index = 0; index < 1000; index++) {
    blobs.insert({ accountName: index < 500 ? 'a' : 'b', name: `blob-${index}`, snapshot: '' });
  }
  let sorts = 0;
  const sort = blobs.ensureAllIndexes;
  blobs.ensureAllIndexes = function (force) {
    sorts++;
    sort.call(this, force);
  };
  blobs.findAndRemove({ accountName: 'b', name: 'blob-700' });
  expect(sorts).toBe(0);
  blobs.findAndRemove({ accountName: 'a' });
  expect(sorts).toBe(1);
  expect(blobs.data).toHaveLength(499);
});
