import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { METRICS } from '#domain/metrics/metric.ts';

test('docs/metrics.md has each metric with its labels and its meaning, and no other', () => {
  const page = readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(strongroom_\w+)` \| (.*) \| (.*) \|$/gm)].map(([, ...cells]) => cells);
  expect(rows).toEqual(
    Object.entries(METRICS).map(([name, { help, labels }]) => [
      name,
      labels.map((label) => `\`${label}\``).join(', '),
      help,
    ]),
  );
});
