// Writes what is made from the code: the JSON Schema of strongroom.json, which editors use for completion and checks,
// the OpenAPI document of the HTTP API, and the reference of commands. --check only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { openApiDocument } from '#api/openapi.ts';
import { configurationJsonSchema } from '#config/json-schema.ts';
import { referenceText } from '../cli/command/reference.ts';
import { COMMANDS } from '../cli/commands/index.ts';

const { version } = JSON.parse(read('package.json')!) as { version: string };

const WRITTEN: [file: string, from: string, text: string][] = [
  ['strongroom.schema.json', 'src/config/configuration.ts', jsonText(configurationJsonSchema())],
  ['docs/openapi.json', 'src/api/', jsonText(openApiDocument(version))],
  ['docs/command-line.md', 'cli/commands/', withReference(read('docs/command-line.md') ?? '')],
];

for (const [file, from, text] of WRITTEN) {
  if (!process.argv.includes('--check')) {
    writeFileSync(place(file), text);
  } else if (read(file) !== text) {
    console.error(`${file} is out of date with ${from}. Run npm run schema and commit the result.`);
    process.exitCode = 1;
  }
}

function jsonText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** The page with everything between its two marks made again. */
function withReference(page: string): string {
  const [begin, end] = ['<!-- reference -->', '<!-- end of the reference -->'];
  const [before, rest = ''] = page.split(begin);
  return `${before}${begin}\n\n${referenceText(COMMANDS)}\n\n${end}${rest.slice(rest.indexOf(end) + end.length)}`;
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
