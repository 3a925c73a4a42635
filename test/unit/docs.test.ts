import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MEANINGS, PROBLEMS } from '../../src/domain/outcome.ts';

const page = readFileSync(new URL('../../docs/http-api.md', import.meta.url), 'utf8');

test('every problem code is documented with its meaning and its hint', () => {
  for (const [code, hint] of Object.entries(PROBLEMS)) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${code}\` `));
    expect(row, code).toBeDefined();
    expect(row).toContain(MEANINGS[code as keyof typeof PROBLEMS]);
    expect(row).toContain(hint);
  }
});

test('no code is documented that does not exist', () => {
  const rows = page.slice(page.indexOf('## Codes of outcomes')).matchAll(/^\| `([a-z-]+)` /gm);
  expect([...rows].map(([, code]) => code).sort()).toEqual(Object.keys(PROBLEMS).sort());
});
