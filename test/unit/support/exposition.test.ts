import { expect, it, test } from 'vitest';
import { parseExposition } from '../../support/app/exposition.ts';

const HEAD = '# HELP a_b What it is\n# TYPE a_b gauge\n';

test('a page of metrics is read', () => {
  const text = `# HELP a_b Back\\\\slash\\nline\n# TYPE a_b gauge\na_b 1\na_b{c="d\\"\\\\\\n}, e",f=""} -2.5e-3\na_b{c="x"} +Inf\n`;
  expect([...parseExposition(text)]).toEqual([
    [
      'a_b',
      {
        ...{ help: 'Back\\slash\nline', type: 'gauge' },
        samples: [
          { labels: {}, value: 1 },
          { labels: { c: 'd"\\\n}, e', f: '' }, value: -0.0025 },
          { labels: { c: 'x' }, value: Number.POSITIVE_INFINITY },
        ],
      },
    ],
  ]);
  expect(parseExposition('').size).toBe(0);
});

it.each([
  ['an end without a line feed', `${HEAD}a_b 1`],
  ['carriage returns', `${HEAD}a_b 1\r\n`],
  ['a blank line', `${HEAD}\na_b 1\n`],
  ['a sample without its type', '# HELP a_b What\na_b 1\n'],
  ['a sample without its help', 'a_b 1\n'],
  ['a type before its help', '# TYPE a_b gauge\n# HELP a_b What\na_b 1\n'],
  ['a type of another metric', '# HELP a_b What\n# TYPE a gauge\na_b 1\n'],
  ['an unknown type', '# HELP a_b What\n# TYPE a_b number\na_b 1\n'],
  ['a metric in two places', `${HEAD}a_b 1\n# HELP c What\n# TYPE c gauge\nc 1\na_b{d="e"} 1\n`],
  ['a metric that comes twice', `${HEAD}a_b 1\n${HEAD}`],
  ['a sample that comes twice', `${HEAD}a_b{c="d",e="f"} 1\na_b{e="f",c="d"} 1\n`],
  ['a label that comes twice', `${HEAD}a_b{c="d",c="e"} 1\n`],
  ['a label without quotes', `${HEAD}a_b{c=d} 1\n`],
  ['a quote that is not escaped', `${HEAD}a_b{c="d"e"} 1\n`],
  ['another escape', `${HEAD}a_b{c="d\\t"} 1\n`],
  ['a reserved label', `${HEAD}a_b{__c="d"} 1\n`],
  ['a hyphen in a name', '# HELP a-b What\n# TYPE a-b gauge\na-b 1\n'],
  ['a comma after the last label', `${HEAD}a_b{c="d",} 1\n`],
  ['no value', `${HEAD}a_b\n`],
  ['a value that is no number', `${HEAD}a_b undefined\n`],
  ['a hexadecimal value', `${HEAD}a_b 0x1\n`],
  ['a space too many', `${HEAD}a_b  1\n`],
])('%s is refused', (_what, text) => {
  expect(() => parseExposition(text)).toThrow();
});
