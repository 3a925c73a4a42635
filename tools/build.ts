// Bundles the function app into one file for the Functions worker, and Application Insights into a second one, so that
// an app without Application Insights does not load it.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

const { outputFiles } = await build({
  write: false,
  entryPoints: { index: 'src/index.ts', applicationinsights: 'src/telemetry/application-insights.ts' },
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
  external: ['@azure/functions-core', './applicationinsights.cjs'],
  define: { STRONGROOM_VERSION: JSON.stringify(version) },
  logLevel: 'warning',
});

// A rename replaces each file as a whole, since another process may be starting the app.
for (const { path, contents } of outputFiles) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, contents);
  renameSync(`${path}.${process.pid}`, path);
}
