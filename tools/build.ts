// Bundles the function app into one file for the Functions worker, and Application Insights and OTLP into two more, so
// that an app without them does not load them. Bundles the command line into one file, and what it needs to check a
// configuration into another. Does nothing if dist/ is what it would build.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const BUNDLES = {
  index: 'src/index.ts',
  applicationinsights: 'src/telemetry/application-insights.ts',
  otlp: 'src/telemetry/otlp.ts',
};
/** The command line: the second file is loaded only by the commands that read a configuration. */
const COMMAND_LINE = ['cli.mjs', 'cli-configuration.mjs'];
const OUTPUTS = [...Object.keys(BUNDLES).flatMap((name) => [`${name}.cjs`, `${name}.cjs.map`]), ...COMMAND_LINE];
/** What dist/ was built from. Written last. */
const STAMP = 'dist/.built-from';

const root = join(import.meta.dirname, '..');
process.chdir(root);
const inputs = hashOfInputs();
if (!isBuilt()) await buildAll();

/** The bundles have nothing but these, and packages of which the lock file says what they are. */
function hashOfInputs(): string {
  const sources = ['src', 'cli'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name)),
  );
  const hash = createHash('sha256');
  for (const file of ['package.json', 'package-lock.json', 'tools/build.ts', 'host/exit-codes.ts', ...sources.sort()]) {
    const content = readFileSync(file);
    hash.update(`${file} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

function isBuilt(): boolean {
  if (!OUTPUTS.every((name) => existsSync(join('dist', name)))) return false;
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === inputs;
}

async function buildAll(): Promise<void> {
  process.stderr.write('Building …\n');
  const { build } = await import('esbuild');
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  // A rename replaces each file as a whole, since another process may be starting the app or building it, too.
  const own = `dist/.new-${process.pid}`;
  mkdirSync(own, { recursive: true });
  try {
    const { outputFiles } = await build({
      write: false,
      entryPoints: BUNDLES,
      outdir: 'dist',
      outExtension: { '.js': '.cjs' },
      bundle: true,
      platform: 'node',
      target: 'node22',
      format: 'cjs',
      sourcemap: true,
      minifySyntax: true,
      keepNames: true,
      // The Functions worker provides @azure/functions-core at run time. A bundled copy would not be connected to it.
      external: ['@azure/functions-core', './applicationinsights.cjs', './otlp.cjs'],
      define: { STRONGROOM_VERSION: JSON.stringify(version) },
      logLevel: 'warning',
    });
    const commandLine = await build({
      write: false,
      entryPoints: { cli: 'cli/main.ts', 'cli-configuration': 'cli/offline/configuration.ts' },
      outdir: 'dist',
      outExtension: { '.js': '.mjs' },
      bundle: true,
      plugins: [
        {
          name: 'a file of its own',
          setup: ({ onResolve }) =>
            onResolve({ filter: /\/offline\/configuration\.ts$/ }, ({ kind }) =>
              kind === 'dynamic-import' ? { path: './cli-configuration.mjs', external: true } : undefined,
            ),
        },
      ],
      platform: 'node',
      // The oldest that package.json allows: nothing brings it another one.
      target: 'node20',
      format: 'esm',
      minify: true,
      banner: { js: '#!/usr/bin/env node' },
      define: { STRONGROOM_VERSION: JSON.stringify(version) },
      logLevel: 'warning',
    });
    for (const { path, contents } of [...outputFiles, ...commandLine.outputFiles])
      writeFileSync(join(own, basename(path)), contents);
    writeFileSync(join(own, basename(STAMP)), inputs);
    for (const name of [...OUTPUTS, basename(STAMP)]) renameSync(join(own, name), join('dist', name));
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}
