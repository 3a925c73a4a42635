import { expect, test } from 'vitest';
import { loadConfiguration } from '#config/configuration.ts';
import { ConfigurationError } from '#config/configuration-error.ts';

const settings = {
  SOURCE__blobServiceUri: 'https://a.blob.core.windows.net',
  VAULT__blobServiceUri: 'https://b.blob.core.windows.net',
};
const jobs = [
  {
    name: 'nightly',
    source: { account: 'SOURCE', containers: ['*'] },
    destination: { account: 'VAULT', container: '{container}backup' },
  },
];
const load = (prices: object) =>
  loadConfiguration({ text: JSON.stringify({ jobs, prices }), file: 'strongroom.json', settings }).prices;

const PRICES = { currency: 'EUR', asOf: '2026-10-01', region: 'West Europe, ZRS', source: 'our agreement', tiers: {} };

function problemsOf(prices: object): string[] {
  try {
    load(prices);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems.map(({ place, message }) => `${place}: ${message}`);
    throw error;
  }
  return [];
}

test('prices may lack any price', () => {
  expect(load(PRICES)).toEqual(PRICES);
  expect(load({ ...PRICES, tiers: { Cool: { read: 0.01 } }, transfer: 0 })).toMatchObject({ transfer: 0 });
});

test('every mistake in prices is a problem with its place', () => {
  const wrong = { ...PRICES, asOf: '1 October', tiers: { Warm: {}, Hot: { read: -1, writes: 1 } }, list: '0.05' };
  const places = problemsOf(wrong).map((problem) => problem.split(':')[0]);
  expect(places.sort()).toEqual([
    'prices.asOf',
    'prices.list',
    'prices.tiers.Hot.read',
    'prices.tiers.Hot.writes',
    'prices.tiers.Warm',
  ]);
  const { currency: _, ...nameless } = PRICES;
  expect(problemsOf(nameless)).toEqual([expect.stringContaining('prices.currency')]);
});
