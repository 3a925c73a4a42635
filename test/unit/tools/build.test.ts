import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const FILES = [
  '.built-from',
  ...['applicationinsights', 'index', 'otlp'].flatMap((name) => [`${name}.cjs`, `${name}.cjs.map`]),
  ...['cli-configuration.mjs', 'cli.mjs', 'page'],
].sort();

test('a build is skipped if nothing has changed, and says so if not', () => {
  const project = realpathSync(mkdtempSync(join(tmpdir(), 'strongroom-build-')));
  const write = (name: string, text: string) => writeFileSync(join(project, name), text);
  const page = () => readdirSync(join(project, 'dist/page'));
  const nameOf = (kind: string) => page().find((name) => new RegExp(`^main-\\w{8}\\.${kind}$`).test(name));
  const build = () => {
    const { status, stderr } = spawnSync(process.execPath, ['tools/build.ts'], { cwd: project, encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    expect(readdirSync(join(project, 'dist')).sort()).toEqual(FILES);
    const expected = ['index.html', nameOf('css'), nameOf('js')].flatMap((name) => [name, `${name}.br`, `${name}.gz`]);
    expect(page().sort()).toEqual(expected.sort());
    const document = readFileSync(join(project, 'dist/page/index.html'), 'utf8');
    for (const kind of ['css', 'js']) expect(document).toContain(`/ui/${nameOf(kind)}`);
    return stderr;
  };
  const built = 'Building …\n';
  try {
    for (const folder of ['src/telemetry', 'cli/offline', 'host'])
      mkdirSync(join(project, folder), { recursive: true });
    for (const file of ['tools/build.ts', 'tools/missing-in-node-20.ts']) cpSync(join(ROOT, file), join(project, file));
    symlinkSync(realpathSync(join(ROOT, 'node_modules')), join(project, 'node_modules'), 'junction');
    mkdirSync(join(project, 'ui'));
    write('ui/index.html', '<script src="/ui/main.js"></script><link href="/ui/main.css">');
    write('ui/main.tsx', "import './style.css'; console.log(1);");
    write('ui/style.css', 'p { color: light-dark(red, blue) }');
    write('package.json', '{"version":"1.2.3","type":"module"}');
    write('package-lock.json', '{}');
    write('src/telemetry/application-insights.ts', 'export const insights = 1;');
    write('src/telemetry/otlp.ts', 'export const otlp = 1;');
    write('host/exit-codes.ts', 'export const EXIT = { done: 0 };');
    write(
      'cli/main.ts',
      "import { EXIT } from '../host/exit-codes.ts'; EXIT.done || import('./offline/configuration.ts');",
    );
    write('cli/offline/configuration.ts', 'export const checks = STRONGROOM_VERSION;');
    write('src/index.ts', 'declare const STRONGROOM_VERSION: string; console.log(STRONGROOM_VERSION);');
    expect(build()).toBe(built);
    expect(readFileSync(join(project, 'dist/index.cjs'), 'utf8')).toContain('1.2.3');
    expect(build()).toBe('');
    write('src/telemetry/application-insights.ts', 'export const insights = 2;');
    expect(build()).toBe(built);
    expect(readFileSync(join(project, 'dist/applicationinsights.cjs'), 'utf8')).toContain('insights = 2');
    expect(readFileSync(join(project, 'dist/cli-configuration.mjs'), 'utf8')).toContain('1.2.3');
    write('host/exit-codes.ts', 'export const EXIT = { done: 1 };');
    expect(build()).toBe(built);
    write('package-lock.json', '{"lockfileVersion":3}');
    expect(build()).toBe(built);
    rmSync(join(project, 'dist/index.cjs'));
    expect(build()).toBe(built);
    const before = nameOf('js');
    write('ui/main.tsx', "import './style.css'; console.log(2);");
    expect(build()).toBe(built);
    expect(nameOf('js')).not.toBe(before);
    rmSync(join(project, 'dist/page/index.html.br'));
    expect(build()).toBe(built);
    expect(build()).toBe('');
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
});
