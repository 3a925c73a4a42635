import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** What may import what, and what is banned where: each rule of biome.json meets a file that breaks it. */

const IMPORTS = 'lint/style/noRestrictedImports';
const GLOBALS = 'lint/style/noRestrictedGlobals';
const PLUGIN = 'plugin';

const uses = (specifier: string, name = 'thing') => `import { ${name} } from '${specifier}';\n\n${name}();\n`;
const knows = (specifier: string) =>
  `import type { Thing } from '${specifier}';\n\nexport type Mine = Thing | undefined;\n`;

const FORBIDDEN: [where: string, code: string, rule: string][] = [
  ...['host/host.ts', 'test/support/accounts.ts', 'demo/main.ts', 'bench/main.ts', 'tools/build.ts'].flatMap(
    (outside): [string, string, string][] => [
      ['src', uses(`../${outside}`), IMPORTS],
      ['src/config', uses(`../../${outside}`), IMPORTS],
      ['src/functions', uses(`../../${outside}`), IMPORTS],
      ['src/orchestrations', uses(`../../${outside}`), IMPORTS],
      ['src/activities', uses(`../../${outside}`), IMPORTS],
      ['src/domain', uses(`../../${outside}`), IMPORTS],
      ['src/storage', uses(`../../${outside}`), IMPORTS],
      ['src/storage/azure', uses(`../../../${outside}`), IMPORTS],
      ['src/telemetry', uses(`../../${outside}`), IMPORTS],
    ],
  ),
  ['src', uses('@azure/storage-blob'), IMPORTS],
  ...[
    'src',
    'src/config',
    'src/functions',
    'src/orchestrations',
    'src/activities',
    'src/storage',
    'src/storage/azure',
    'src/domain',
  ].map((folder): [string, string, string] => [folder, uses('applicationinsights'), IMPORTS]),
  ['src/config.ts', uses('./activities/index.ts'), IMPORTS],
  ['src/limits.ts', uses('./storage/azure/connect.ts'), IMPORTS],

  ['src/config', uses('../storage/azure/connect.ts'), IMPORTS],
  ['src/config', uses('../activities/index.ts'), IMPORTS],
  ['src/config', uses('@azure/identity'), IMPORTS],

  ['src/functions', uses('../storage/azure/connect.ts'), IMPORTS],
  ['src/functions', knows('../storage/azure/connect.ts'), IMPORTS],
  ['src/functions', uses('../index.ts'), IMPORTS],
  ['src/functions', uses('@azure/storage-blob'), IMPORTS],
  ['src/functions', uses('../telemetry/application-insights.ts'), IMPORTS],
  ['src/functions', uses('../activities/scan-slice.ts'), PLUGIN],
  ['src/functions', uses('../orchestrations/backup-run.ts'), PLUGIN],
  ['src/functions', uses('../config.ts'), PLUGIN],

  ['src/orchestrations', uses('../storage/blob-account.ts'), IMPORTS],
  ['src/orchestrations', knows('../storage/blob-account.ts'), IMPORTS],
  ['src/orchestrations', uses('../telemetry/telemetry.ts'), IMPORTS],
  ['src/orchestrations', uses('../functions/start-run.ts'), IMPORTS],
  ['src/orchestrations', uses('../config.ts'), IMPORTS],
  ['src/orchestrations', uses('node:fs'), IMPORTS],
  ['src/orchestrations', uses('node:timers/promises'), IMPORTS],
  ['src/orchestrations', uses('@azure/storage-blob'), IMPORTS],
  ['src/orchestrations', uses('../activities/scan-slice.ts'), PLUGIN],
  ['src/orchestrations', uses('../activities/dependencies.ts'), PLUGIN],
  [
    'src/orchestrations',
    "import {\n  type One,\n  two,\n} from '../activities/index.ts';\n\nexport const x: One = two();\n",
    PLUGIN,
  ],

  ['src/activities', uses('../storage/azure/connect.ts'), IMPORTS],
  ['src/activities', uses('../functions/start-run.ts'), IMPORTS],
  ['src/activities', uses('../orchestrations/backup-run.ts'), IMPORTS],
  ['src/activities', uses('durable-functions'), IMPORTS],
  ['src/activities', uses('@azure/storage-blob'), IMPORTS],
  ['src/activities', uses('../config.ts'), PLUGIN],
  ['src/activities', uses('../limits.ts'), PLUGIN],

  ['src/storage', uses('./azure/connect.ts'), IMPORTS],
  ['src/storage', uses('../activities/index.ts'), IMPORTS],
  ['src/storage', uses('../telemetry/telemetry.ts'), IMPORTS],
  ['src/storage', uses('@azure/storage-blob'), IMPORTS],
  ['src/storage/azure', uses('../../activities/index.ts'), IMPORTS],
  ['src/storage/azure', uses('../../telemetry/telemetry.ts'), IMPORTS],
  ['src/storage/azure', uses('durable-functions'), IMPORTS],

  ['src/telemetry', uses('../storage/blob-account.ts'), IMPORTS],

  ['src/domain', uses('../storage/blob-account.ts'), IMPORTS],
  ['src/domain', knows('../storage/blob-account.ts'), IMPORTS],
  ['src/domain', uses('../config.ts'), IMPORTS],
  ['src/domain', uses('node:fs'), IMPORTS],
  ['src/domain', uses('node:fs/promises'), IMPORTS],
  ['src/domain', uses('node:crypto', 'randomUUID'), IMPORTS],
  ['src/domain', uses('@azure/storage-blob'), IMPORTS],
  ['src/domain', uses('durable-functions'), IMPORTS],

  ...['src/domain', 'src/orchestrations'].flatMap((folder): [string, string, string][] => [
    [folder, 'export const x = Date.now();\n', PLUGIN],
    [folder, 'export const x = Date.now;\n', PLUGIN],
    [folder, 'export const x = new Date();\n', PLUGIN],
    [folder, 'export const x = new Date().toISOString();\n', PLUGIN],
    [folder, 'export const x = Date();\n', PLUGIN],
    [folder, 'export const x = Math.random();\n', PLUGIN],
    [folder, 'export const x = [1, 2].map(Math.random);\n', PLUGIN],
    [folder, 'export const x = crypto.randomUUID();\n', GLOBALS],
    [folder, 'export const x = process.env.HOME;\n', GLOBALS],
    [folder, 'export const x = performance.now();\n', GLOBALS],
    [folder, 'export const x = globalThis;\n', GLOBALS],
    [folder, "export const x = fetch('http://127.0.0.1');\n", GLOBALS],
    [folder, 'setTimeout(() => {}, 1);\n', GLOBALS],
    [folder, 'setInterval(() => {}, 1);\n', GLOBALS],
    [folder, 'setImmediate(() => {});\n', GLOBALS],
    [folder, 'queueMicrotask(() => {});\n', GLOBALS],
    [folder, "export const x = new WebSocket('ws://127.0.0.1');\n", GLOBALS],
    [folder, "console.log('x');\n", GLOBALS],
  ]),

  ['host', uses('../src/config.ts'), IMPORTS],
  ['host/worker', uses('../../src/config.ts'), IMPORTS],
];

const ALLOWED: [folder: string, code: string][] = [
  ['src', uses('./storage/azure/connect.ts')],
  ['src', uses('./activities/index.ts')],
  ['src/config', uses('../domain/blob-filter.ts')],
  ['src/functions', uses('../domain/run.ts')],
  ['src/functions', uses('../storage/control-store.ts')],
  ['src/functions', uses('../activities/dependencies.ts', 'workplaceOf')],
  ['src/functions', knows('../activities/scan-slice.ts')],
  ['src/functions', knows('../orchestrations/backup-run.ts')],
  ['src/functions', uses('durable-functions')],
  ['src/orchestrations', uses('../domain/run.ts')],
  ['src/orchestrations', knows('../activities/index.ts')],
  ['src/orchestrations', uses('./call.ts')],
  ['src/activities', uses('../storage/control-store.ts')],
  ['src/activities', knows('../config.ts')],
  ['src/activities', uses('./run-guard.ts')],
  ['src/storage', uses('../domain/part.ts')],
  ['src/storage/azure', uses('../storage-error.ts')],
  ['src/storage/azure', uses('../../domain/blob.ts')],
  ['src/storage/azure', uses('@azure/storage-blob')],
  ['src/telemetry', uses('applicationinsights')],
  ['src/domain', uses('node:crypto', 'createHash')],
  ['src/domain', uses('./run.ts')],
  ['src/domain', 'export const x = new Date(0).getTime();\n'],
  ['src/domain', "export const x = Date.parse('2026-01-01');\n"],
  ['src/domain', 'export const x = Math.max(1, 2);\n'],
  ['src/orchestrations', 'export const later = (now: Date) => new Date(now.getTime() + 1000);\n'],
];

const root = fileURLToPath(new URL('../..', import.meta.url));
const project = realpathSync(mkdtempSync(join(tmpdir(), 'strongroom-house-')));
const found = new Map<string, Set<string>>();

beforeAll(async () => {
  cpSync(join(root, 'biome.json'), join(project, 'biome.json'));
  cpSync(join(root, 'tools', 'lint'), join(project, 'tools', 'lint'), { recursive: true });
  for (const [index, [folder, code]] of FORBIDDEN.entries()) write(fileOf(folder, 'forbidden', index), code);
  for (const [index, [folder, code]] of ALLOWED.entries()) write(fileOf(folder, 'allowed', index), code);
  for (const { category, location } of await lint()) {
    const path = location.path.replaceAll('\\', '/');
    found.set(path, (found.get(path) ?? new Set()).add(category));
  }
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

describe('the rules of the house', () => {
  it.each(FORBIDDEN.map((rule, index) => [...rule, index] as const))('%s refuses %j (%s)', (folder, _, rule, index) => {
    expect([...(found.get(fileOf(folder, 'forbidden', index)) ?? [])]).toContain(rule);
  });

  it.each(ALLOWED.map((rule, index) => [...rule, index] as const))('%s accepts %j', (folder, _, index) => {
    expect([...(found.get(fileOf(folder, 'allowed', index)) ?? [])]).toEqual([]);
  });
});

/** A file of its own in the folder, or the very file that is named. */
function fileOf(folder: string, kind: string, index: number): string {
  return folder.endsWith('.ts') ? folder : `${folder}/${kind}-${index}.ts`;
}

function write(path: string, code: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), code);
}

interface Diagnostic {
  category: string;
  location: { path: string };
}

function lint(): Promise<Diagnostic[]> {
  const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome');
  const args = [biome, 'lint', '--reporter=json', '--max-diagnostics=none', '--vcs-enabled=false', 'src', 'host'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: project, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      try {
        resolve((JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics);
      } catch {
        reject(new Error(`Biome gave no report: ${error?.message ?? ''}\n${stderr}`));
      }
    });
  });
}
