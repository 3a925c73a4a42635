// Writes what programs read of Strongroom: the JSON Schema of strongroom.json, which editors use for completion and
// checks, and the OpenAPI document of the HTTP API. --check only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { openApiDocument } from '#api/openapi.ts';
import { configurationSchema } from '#config/configuration.ts';

const { version } = JSON.parse(read('package.json')!) as { version: string };
const { $schema, ...schema } = z.toJSONSchema(configurationSchema, { io: 'input' });

const WRITTEN: [file: string, from: string, value: object][] = [
  ['strongroom.schema.json', 'src/config/configuration.ts', { $schema, title: 'Strongroom configuration', ...schema }],
  ['docs/openapi.json', 'src/api/', openApiDocument(version)],
];

for (const [file, from, value] of WRITTEN) {
  const text = `${JSON.stringify(value, null, 2)}\n`;
  if (!process.argv.includes('--check')) {
    writeFileSync(place(file), text);
  } else if (read(file) !== text) {
    console.error(`${file} is out of date with ${from}. Run npm run schema and commit the result.`);
    process.exitCode = 1;
  }
}

function place(file: string): URL {
  return new URL(`../${file}`, import.meta.url);
}

function read(file: string): string | undefined {
  try {
    // Git may have checked out the file with other line endings.
    return readFileSync(place(file), 'utf8').replaceAll('\r\n', '\n');
  } catch {
    return undefined;
  }
}
