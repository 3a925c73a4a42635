// Writes the JSON Schema of strongroom.json, which editors use for completion and checks. --check only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { configurationSchema } from '#config/configuration.ts';

const FILE = new URL('../strongroom.schema.json', import.meta.url);

const { $schema, ...schema } = z.toJSONSchema(configurationSchema, { io: 'input' });
const text = `${JSON.stringify({ $schema, title: 'Strongroom configuration', ...schema }, null, 2)}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync(FILE, text);
} else if (committed() !== text) {
  console.error(
    'strongroom.schema.json is out of date with src/config/configuration.ts. Run npm run schema and commit the result.',
  );
  process.exit(1);
}

function committed(): string | undefined {
  try {
    // Git may have checked out the file with other line endings.
    return readFileSync(FILE, 'utf8').replaceAll('\r\n', '\n');
  } catch {
    return undefined;
  }
}
