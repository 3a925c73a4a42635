import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { archiveRuleSchema } from '#config/archives.ts';
import { loadConfiguration } from '#config/configuration.ts';
import { NOT_PRESERVED } from '#domain/run/not-preserved.ts';
import { ORCHESTRATION_VERSION } from '#domain/run/orchestration-version.ts';
import { PROBLEMS } from '#domain/run/problems.ts';

const page = readFileSync(new URL('../../docs/http-api.md', import.meta.url), 'utf8');

/** Other tables have states of the same names. */
const codes = page.slice(page.indexOf('## Codes of outcomes'));

test('every problem code is documented with its meaning and its hint', () => {
  for (const [code, { meaning, hint }] of Object.entries(PROBLEMS)) {
    const row = codes.split('\n').find((line) => line.startsWith(`| \`${code}\` `));
    expect(row, code).toBeDefined();
    expect(row).toContain(meaning);
    expect(row).toContain(hint);
  }
});

test('no code is documented that does not exist', () => {
  const rows = codes.matchAll(/^\| `([a-z-]+)` /gm);
  expect([...rows].map(([, code]) => code).sort()).toEqual(Object.keys(PROBLEMS).sort());
});

const options = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

test('every option of an archive rule is documented, and no other', () => {
  const namesOf = (schema: z.core.JSONSchema.JSONSchema, before = ''): string[] =>
    Object.entries(schema.properties ?? {}).flatMap(([name, of]) =>
      typeof of === 'object' && of.properties ? namesOf(of, `${before}${name}.`) : [`${before}${name}`],
    );
  const table = options.slice(options.indexOf('| in a rule '), options.indexOf('**Folders.**'));
  const rows = [...table.matchAll(/^\| `([A-Za-z.]+)` /gm)].map(([, name]) => name);
  expect(rows).toEqual(namesOf(z.toJSONSchema(archiveRuleSchema, { io: 'input' })));
});

test('the archive rule that is shown is one', () => {
  const [, shown] = /```json\n("archives": [^`]*)```/.exec(options) ?? [];
  const settings = {
    SOURCE__blobServiceUri: 'https://a.blob.core.windows.net',
    VAULT__blobServiceUri: 'https://b.blob.core.windows.net',
    AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  };
  expect(loadConfiguration({ text: `{${shown}}`, file: 'configuration.md', settings }).archives).toHaveLength(1);
});

test('every kind of what a backup does not hold is documented, and no other', () => {
  const section = page.slice(page.indexOf('### What a backup does not hold'));
  const rows = [...section.slice(0, section.indexOf('### GET')).matchAll(/^\| `([a-z-]+)` \| (.*) \| (.*) \|$/gm)];
  expect(rows.map(([, kind, what, met]) => [kind, what, met])).toEqual(
    Object.entries(NOT_PRESERVED).map(([kind, of]) => [kind, of.what, 'met' in of ? of.met : '(not looked for)']),
  );
});

test('the changelog and the health check name the version of the orchestrations', () => {
  const changelog = readFileSync(new URL('../../CHANGELOG.md', import.meta.url), 'utf8');
  const [newest] = /Version of the orchestrations: \d+/.exec(changelog) ?? [];
  expect(newest).toBe(`Version of the orchestrations: ${ORCHESTRATION_VERSION}`);
  expect(page).toContain(`"orchestrations": ${ORCHESTRATION_VERSION},`);
});
