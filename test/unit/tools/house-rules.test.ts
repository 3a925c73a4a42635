import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';

/** What may import what, and what is banned where: each rule of biome.json meets a file that breaks it. */

const IMPORTS = 'lint/style/noRestrictedImports';
const GLOBALS = 'lint/style/noRestrictedGlobals';
const CYCLES = 'lint/suspicious/noImportCycles';
const PLUGIN = 'plugin';
const INNER_HTML = 'lint/security/noDangerouslySetInnerHtml';

const uses = (specifier: string, name = 'thing') => `import { ${name} } from '${specifier}';\n\n${name}();\n`;
const knows = (specifier: string) =>
  `import type { Thing } from '${specifier}';\n\nexport type Mine = Thing | undefined;\n`;

/** Every other form that takes something from a module. */
const FORMS: ((specifier: string) => string)[] = [
  (specifier) => `export { thing } from '${specifier}';\n`,
  (specifier) => `export * from '${specifier}';\n`,
  (specifier) => `export const thing = await import('${specifier}');\n`,
  (specifier) => `import '${specifier}';\n`,
];
const inline = (specifier: string) => `export type Thing = typeof import('${specifier}');\n`;

const FORBIDDEN: [where: string, code: string, rule: string][] = [
  ...['host/host.ts', 'test/support/azurite/accounts.ts', 'demo/main.ts', 'bench/main.ts', 'tools/build.ts'].flatMap(
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
      ['src/app', uses(`../../${outside}`), IMPORTS],
      ['src/api', uses(`../../${outside}`), IMPORTS],
      ['src/activities/copying', uses(`../../../${outside}`), IMPORTS],
      ['src/domain/run', uses(`../../../${outside}`), IMPORTS],
      ['src/functions/run', uses(`../../../${outside}`), IMPORTS],
      ['src/storage/azure/blobs', uses(`../../../../${outside}`), IMPORTS],
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
  ...['src', 'src/app', 'src/functions', 'src/activities', 'src/orchestrations', 'src/storage/azure', 'src/domain'].map(
    (folder): [string, string, string] => [folder, uses('@opentelemetry/api'), PLUGIN],
  ),
  ['src/telemetry/telemetry.ts', knows('@opentelemetry/sdk-trace-base'), PLUGIN],
  ['host', uses('@opentelemetry/api'), PLUGIN],
  ['src/functions', uses('#telemetry/otlp.ts'), IMPORTS],
  ['src/config/configuration.ts', uses('../activities/index.ts'), IMPORTS],
  ['src/config/limits.ts', uses('../storage/azure/connect.ts'), IMPORTS],

  ['src/api', uses('#app/dependencies.ts'), IMPORTS],
  ['src/api', uses('#functions/health.ts'), IMPORTS],
  ['src/api', knows('#config/configuration.ts'), IMPORTS],
  ['src/api', uses('../domain/redact.ts'), IMPORTS],
  ['src/api', uses('node:fs'), IMPORTS],
  ['src/api', uses('@azure/functions'), IMPORTS],
  ['src/app', uses('#api/operations.ts'), IMPORTS],
  ['src/domain', knows('#api/operations.ts'), IMPORTS],
  ['src/notify', uses('#storage/catalog.ts'), IMPORTS],
  ['src/notify', uses('#functions/health.ts'), IMPORTS],
  ['src/notify', uses('../app/job-context.ts'), IMPORTS],
  ['src/notify', uses('@azure/identity'), IMPORTS],
  ['src/notify', uses('#config/notify.ts'), PLUGIN],

  ['src/app', uses('#storage/azure/connect.ts'), IMPORTS],
  ['src/app', uses('#activities/index.ts'), IMPORTS],
  ['src/app', uses('#functions/health.ts'), IMPORTS],
  ['src/app', uses('../activities/index.ts'), IMPORTS],
  ['src/app', uses('@azure/storage-blob'), IMPORTS],
  ['src/app', uses('#config/limits.ts'), PLUGIN],

  // Between layers there is one way to write an import, so that the rules cannot be walked around.
  ['src/activities', uses('../storage/blob-account.ts'), IMPORTS],
  ['src/activities/run', uses('../../storage/blob-account.ts'), IMPORTS],
  ['src/functions/run', uses('../../activities/index.ts'), IMPORTS],
  ['src/domain/run', uses('../../storage/blob-account.ts'), IMPORTS],

  ['src/config', uses('#storage/azure/connect.ts'), IMPORTS],
  ['src/config', uses('#activities/index.ts'), IMPORTS],
  ['src/config', uses('@azure/identity'), IMPORTS],

  ['src/functions', uses('#storage/azure/connect.ts'), IMPORTS],
  ['src/functions', knows('#storage/azure/connect.ts'), IMPORTS],
  ['src/functions', uses('../index.ts'), IMPORTS],
  ['src/functions', uses('@azure/storage-blob'), IMPORTS],
  ['src/functions', uses('#telemetry/application-insights.ts'), IMPORTS],
  ['src/functions', uses('#activities/backup/scan-slice.ts'), PLUGIN],
  ['src/functions', uses('#orchestrations/run-job.ts'), PLUGIN],
  ['src/functions', uses('#config/configuration.ts'), PLUGIN],

  ['src/orchestrations', uses('#storage/blob-account.ts'), IMPORTS],
  ['src/orchestrations', knows('#storage/blob-account.ts'), IMPORTS],
  ['src/orchestrations', uses('#telemetry/telemetry.ts'), IMPORTS],
  ['src/orchestrations', uses('#functions/run/start-run.ts'), IMPORTS],
  ['src/orchestrations', uses('#config/configuration.ts'), IMPORTS],
  ['src/orchestrations', uses('node:fs'), IMPORTS],
  ['src/orchestrations', uses('node:timers/promises'), IMPORTS],
  ['src/orchestrations', uses('@azure/storage-blob'), IMPORTS],
  ['src/orchestrations', uses('#activities/backup/scan-slice.ts'), PLUGIN],
  ['src/orchestrations', uses('#app/dependencies.ts'), IMPORTS],
  [
    'src/orchestrations',
    "import {\n  type One,\n  two,\n} from '#activities/index.ts';\n\nexport const x: One = two();\n",
    PLUGIN,
  ],

  ['src/activities', uses('#storage/azure/connect.ts'), IMPORTS],
  ['src/activities', uses('#functions/run/start-run.ts'), IMPORTS],
  ['src/activities', uses('#orchestrations/run-job.ts'), IMPORTS],
  ['src/activities', uses('durable-functions'), IMPORTS],
  ['src/activities', uses('@azure/storage-blob'), IMPORTS],
  ['src/activities', uses('#config/configuration.ts'), PLUGIN],
  ['src/activities', uses('#config/limits.ts'), PLUGIN],

  ['src/storage', uses('./azure/connect.ts'), IMPORTS],
  ['src/storage', uses('#activities/index.ts'), IMPORTS],
  ['src/storage', uses('#telemetry/telemetry.ts'), IMPORTS],
  ['src/storage', uses('@azure/storage-blob'), IMPORTS],
  ['src/storage/azure', uses('#activities/index.ts'), IMPORTS],
  ['src/storage/azure', uses('#telemetry/telemetry.ts'), IMPORTS],
  ['src/storage/azure', uses('durable-functions'), IMPORTS],

  ['src/telemetry', uses('#storage/blob-account.ts'), IMPORTS],

  ['src/domain', uses('#storage/blob-account.ts'), IMPORTS],
  ['src/domain', knows('#storage/blob-account.ts'), IMPORTS],
  ['src/domain', uses('#config/configuration.ts'), IMPORTS],
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

  ['ui/app', uses('#api/operations.ts'), PLUGIN],
  ['ui/app', inline('#api/operations.ts'), PLUGIN],
  ['ui/model', uses('#domain/access/role.ts'), PLUGIN],
  ['ui/model', uses('preact'), IMPORTS],
  ['ui/model', uses('../app/router.ts'), IMPORTS],
  ['ui/model', knows('#functions/triggers.ts'), IMPORTS],
  ['ui/screens', knows('#functions/triggers.ts'), IMPORTS],
  ['ui/screens', uses('../../src/domain/redact.ts'), IMPORTS],
  ['ui/screens', uses('zod'), IMPORTS],
  ['ui/screens', uses('node:fs'), IMPORTS],
  ['ui/parts/inner.tsx', "export const x = <p dangerouslySetInnerHTML={{ __html: 'x' }} />;\n", INNER_HTML],

  ['host', uses('../src/config/configuration.ts'), IMPORTS],
  ['host', uses('../cli/run.ts'), IMPORTS],
  ['src/api', uses('../../cli/run.ts'), IMPORTS],
  ['cli', uses('../src/config/configuration.ts'), IMPORTS],
  ['cli', uses('../host/log.ts'), IMPORTS],
  ['cli/commands', uses('#config/configuration.ts'), IMPORTS],
  ['cli/commands', knows('#app/dependencies.ts'), IMPORTS],
  ['cli/commands', uses('@azure/identity'), IMPORTS],
  ['cli/commands', uses('#api/operations.ts'), PLUGIN],
  ['cli/print', uses('#domain/redact.ts'), PLUGIN],
  ['cli/connect', uses('zod'), PLUGIN],
  ['cli/offline', uses('#app/dependencies.ts'), IMPORTS],
  ['cli/offline', uses('../print/output.ts'), IMPORTS],
  ['cli/connect', inline('#api/operations.ts'), PLUGIN],
  ['host/worker', uses('../../src/config/configuration.ts'), IMPORTS],
  ['host', uses('#config/configuration.ts'), IMPORTS],

  // Capabilities have an order, and types count as well.
  ...(
    [
      ['domain/blobs', 'run'],
      ['domain/run', 'copying'],
      ['domain/run', 'tables'],
      ['domain/copying', 'restore'],
      ['domain/tables', 'copying'],
      ['domain/archive', 'copying'],
      ['domain/restore', 'prune'],
      ['domain/verify', 'restore'],
      ['domain/prune', 'restore'],
      ['activities/run', 'copying'],
      ['activities/copying', 'backup'],
      ['activities/copying', 'restore'],
      ['activities/backup', 'restore'],
      ['activities/restore', 'backup'],
      ['activities/prune', 'restore'],
      ['activities/archive', 'modes'],
      ['activities/archive', 'verify'],
      ['activities/tables', 'verify'],
      ['activities/verify', 'tables'],
      ['activities/verify', 'modes'],
      ['functions/http', 'run'],
      ['functions/run', 'restore-points'],
      ['functions/restore-points', 'restore'],
      ['functions/archive', 'restore-points'],
      ['functions/prune', 'verify'],
      ['activities/unlisted', 'run'],
    ] as const
  ).flatMap(([folder, other]): [string, string, string][] => [
    [`src/${folder}`, uses(`../${other}/thing.ts`), PLUGIN],
    [`src/${folder}`, knows(`../${other}/thing.ts`), PLUGIN],
  ]),

  ...FORMS.flatMap((code): [string, string, string][] => [
    ['src/domain/run', code('../copying/thing.ts'), PLUGIN],
    ['src/domain', code('./run/thing.ts'), PLUGIN],
    ['src/domain', code('#storage/blob-account.ts'), IMPORTS],
    ['src/activities/copying', code('../restore/thing.ts'), PLUGIN],
    ['src/activities', code('./run/thing.ts'), PLUGIN],
    ['src/activities', code('#config/configuration.ts'), PLUGIN],
    ['src/activities', code('@azure/storage-blob'), IMPORTS],
    ['src/orchestrations', code('#activities/index.ts'), PLUGIN],
    ['src/telemetry', code('@opentelemetry/api'), PLUGIN],
    ['host', code('../src/config/configuration.ts'), IMPORTS],
    ['test/support/judge', code('#domain/run/run.ts'), IMPORTS],
    ['test/support/judge', code('../../../src/domain/run/run.ts'), IMPORTS],
  ]),
  ['src/domain', knows('./run/thing.ts'), PLUGIN],
  ['src/domain', inline('#storage/blob-account.ts'), PLUGIN],
  ['src/activities/run', inline('../copying/thing.ts'), PLUGIN],
  ['host', inline('../src/config/configuration.ts'), PLUGIN],
  ['test/support/judge', knows('#domain/run/run.ts'), IMPORTS],
  ['test/support/judge', inline('#domain/run/run.ts'), PLUGIN],

  ['src/domain/run/one.ts', knows('./other.ts'), CYCLES],
  ['src/domain/run/other.ts', "import type { Mine } from './one.ts';\n\nexport type Thing = Mine | 1;\n", CYCLES],
];

const ALLOWED: [folder: string, code: string][] = [
  ['cli/connect', knows('#api/operations.ts')],
  ['cli/commands', knows('#domain/run/run.ts')],
  ['cli/commands', uses('../../host/exit-codes.ts')],
  ['cli/commands', 'export const thing = await import("../offline/configuration.ts");\n'.replaceAll('"', "'")],
  ['cli/offline', uses('#config/configuration.ts')],
  ['src', uses('./storage/azure/connect.ts')],
  ['src', uses('./activities/index.ts')],
  ['src/config', uses('#domain/blobs/blob-filter.ts')],
  ['src/functions', uses('#domain/run/run.ts')],
  ['src/functions', uses('#storage/control/control-store.ts')],
  ['src/functions', uses('#app/dependencies.ts', 'jobContextOf')],
  ['src/functions', knows('#activities/backup/scan-slice.ts')],
  ['src/functions', knows('#orchestrations/run-job.ts')],
  ['src/functions', uses('durable-functions')],
  ['src/orchestrations', uses('#domain/run/run.ts')],
  ['src/orchestrations', knows('#activities/index.ts')],
  ['src/orchestrations', uses('./call.ts')],
  ['src/activities', uses('#storage/control/control-store.ts')],
  ['src/activities', knows('#config/configuration.ts')],
  ['src/activities', uses('./run-guard.ts')],
  ['src/activities/index.ts', "export * from './run/thing.ts';\n"],
  ['src/activities', "export type { Thing } from '#config/configuration.ts';\n"],
  ['src/domain', uses('./redact.ts')],
  ['test/support/judge', uses('../faults/fault-proxy.ts')],
  ['src/activities/modes', uses('../restore/restore-blob.ts')],
  ['src/activities/copying', knows('../run/chunk.ts')],
  ['src/functions/restore', uses('../restore-points/choose-restore-point.ts')],
  ['src/domain/prune', uses('../copying/record.ts')],
  ['src/app', knows('#config/configuration.ts')],
  ['src/app', uses('#storage/control/control-store.ts')],
  ['src/storage', uses('#domain/run/part.ts')],
  ['src/storage/azure', uses('../storage-error.ts')],
  ['src/storage/azure', uses('#domain/blobs/blob.ts')],
  ['src/storage/azure', uses('@azure/storage-blob')],
  ['src/telemetry', uses('applicationinsights')],
  ['src/telemetry/otlp-other.ts', uses('@opentelemetry/api')],
  ['src/functions', uses('#telemetry/current-trace.ts')],
  ['src/activities', uses('#telemetry/current-trace.ts')],
  ['ui/app', knows('#api/operations.ts')],
  ['ui/model', knows('#domain/access/role.ts')],
  ['ui/parts', uses('preact')],
  ['src/domain', uses('node:crypto', 'createHash')],
  ['src/domain', uses('./run.ts')],
  ['src/domain', 'export const x = new Date(0).getTime();\n'],
  ['src/domain', "export const x = Date.parse('2026-01-01');\n"],
  ['src/domain', 'export const x = Math.max(1, 2);\n'],
  ['src/orchestrations', 'export const later = (now: Date) => new Date(now.getTime() + 1000);\n'],
];

const root = fileURLToPath(new URL('../../..', import.meta.url));
const project = realpathSync(mkdtempSync(join(tmpdir(), 'strongroom-house-')));
const found = new Map<string, Set<string>>();

beforeAll(async () => {
  for (const file of ['biome.json', 'package.json']) cpSync(join(root, file), join(project, file));
  cpSync(join(root, 'tools', 'lint'), join(project, 'tools', 'lint'), { recursive: true });
  for (const [index, [folder, code]] of FORBIDDEN.entries()) write(fileOf(folder, 'forbidden', index), code);
  for (const [index, [folder, code]] of ALLOWED.entries()) write(fileOf(folder, 'allowed', index), code);
  // Of a user who runs a check, and none of ours.
  write('strongroom.json', '{"jobs":[],\n"jobs":[]}');
  write('other.json', '{"jobs":[],\n"jobs":[]}');
  for (const { category, location } of await biome('lint', 'src', 'ui', 'cli', 'host', 'test')) {
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

test('the configuration of a user is not checked, and not formatted', async () => {
  const paths = (await biome('check')).map(({ location }) => location.path);
  expect(paths).toContain('other.json');
  expect(paths).not.toContain('strongroom.json');
});

/** A file of its own in the folder, or the very file that is named. */
function fileOf(folder: string, kind: string, index: number): string {
  return /\.tsx?$/.test(folder) ? folder : `${folder}/${kind}-${index}.ts`;
}

function write(path: string, code: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), code);
}

interface Diagnostic {
  category: string;
  location: { path: string };
}

function biome(command: 'lint' | 'check', ...paths: string[]): Promise<Diagnostic[]> {
  const program = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome');
  const args = [program, command, '--reporter=json', '--max-diagnostics=none', '--vcs-enabled=false', ...paths];
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
