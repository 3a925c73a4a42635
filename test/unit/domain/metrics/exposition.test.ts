import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expositionOf } from '#domain/metrics/exposition.ts';
import { METRICS, sample } from '#domain/metrics/metric.ts';
import { parseExposition } from '../../../support/app/exposition.ts';
import { HOSTILE_NAMES } from '../../../support/builders/hostile-names.ts';

/** Texts with what the format escapes, what ends a label, and anything else. */
const text = fc.oneof(
  fc.constantFrom(...HOSTILE_NAMES, '"', '\\', '\n', '\\n', '\\"', '",x="', '} 1\na 2', '\u2028'),
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.array(fc.constantFrom('\\', '"', '\n', 'n', ',', '}', '{', '='), { minLength: 1 }).map((all) => all.join('')),
);

test('any name and any number come back as they were', () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(fc.uniqueArray(text), number, (names, value) => {
      const parsed = parseExposition(
        expositionOf(names.map((account) => sample('strongroom_account_up', { account }, value))),
      );
      const { samples } = parsed.get('strongroom_account_up') ?? { samples: [] };
      expect(samples.map(({ labels }) => labels)).toEqual(names.map((account) => ({ account })));
      for (const each of samples) expect(each.value === value).toBe(true);
    }),
  );
});

test('each metric has its help and its type, and its samples stand together', () => {
  const up = (account: string) => sample('strongroom_account_up', { account }, true);
  const parsed = parseExposition(expositionOf([up('a'), sample('strongroom_info', { version: '1' }, 1), up('b')]));
  expect([...parsed.keys()]).toEqual(['strongroom_info', 'strongroom_account_up']);
  for (const [name, { help, type }] of parsed) {
    expect({ help, type }).toEqual({ help: METRICS[name as 'strongroom_info'].help, type: 'gauge' });
  }
});

test('a label that is empty is left out', () => {
  expect(expositionOf([sample('strongroom_account_up', { account: '' }, false)])).toMatch(/^strongroom_account_up 0$/m);
});

test('names follow the conventions of Prometheus', () => {
  for (const [name, { help, labels }] of Object.entries(METRICS)) {
    expect(name).toMatch(/^strongroom_[a-z]+(?:_[a-z]+)*$/);
    // These say what a gauge is not, or a unit that is no base unit.
    expect(name).not.toMatch(/_(?:total|count|sum|bucket|ms|milliseconds|minutes|hours|percent|kilobytes|megabytes)$/);
    if (/timestamp|duration/.test(name)) expect(name).toMatch(/_seconds$/);
    // Prometheus sets these itself, and renames those of an app.
    for (const label of labels) expect(label).toMatch(/^(?!job$|instance$|le$|quantile$|__)[a-z_]+$/);
    expect(help).toMatch(/\.$/);
  }
});
