import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadConfiguration } from '#config/configuration.ts';
import { costOf, storageCost } from '#domain/cost/cost.ts';
import { EXAMPLE_PRICES } from '#domain/cost/example-prices.ts';

const page = readFileSync(new URL('../../../../docs/cost.md', import.meta.url), 'utf8');
const example = page.slice(page.indexOf('## An example'), page.indexOf('## Prices'));

test('the documented prices are those that are used, and can be written into the configuration', () => {
  const [, shown] = /```json\n("prices": [^`]*)```/.exec(page) ?? [];
  const settings = {
    SOURCE__blobServiceUri: 'https://a.blob.core.windows.net',
    VAULT__blobServiceUri: 'https://b.blob.core.windows.net',
  };
  const job = {
    name: 'nightly',
    source: { account: 'SOURCE', containers: ['*'] },
    destination: { account: 'VAULT', container: '{container}backup' },
  };
  const text = `{"jobs": [${JSON.stringify(job)}], ${shown}}`;
  expect(loadConfiguration({ text, file: 'cost.md', settings }).prices).toEqual(EXAMPLE_PRICES);
});

test('the documented example is computed as documented', () => {
  const usage = JSON.parse(/```json\n([^`]*)```/.exec(example)![1]!);
  const rows = [...example.matchAll(/^\| (\w[^|]*?) +\| ([^|]*?) +\| ([\d.]+) +\|$/gm)].map(([, ...cells]) => cells);
  const cost = costOf(usage, EXAMPLE_PRICES);
  expect(cost.parts.map(({ what, tier, amount }) => [tier ? `${what}, ${tier}` : what, amount])).toEqual(
    rows.slice(0, -1).map(([part, , amount]) => [part, Number(amount)]),
  );
  for (const [part, formula, amount] of rows.slice(0, -1)) {
    const [quantity, price, per = 1] = formula!.replace(/,| GB/g, '').split(/[×/]/).map(Number);
    expect((quantity! * price!) / per, part).toBeCloseTo(Number(amount), 9);
  }
  expect(['total', '', String(cost.total)]).toEqual(rows.at(-1));
  const [transfer] = cost.unknown;
  expect(cost.unknown).toHaveLength(1);
  expect(example).toContain(`Data transfer of ${transfer!.quantity! / 2 ** 30} GB is unknown`);
  expect(example).toContain(`= ${storageCost(usage, EXAMPLE_PRICES).total} USD per month`);
});
