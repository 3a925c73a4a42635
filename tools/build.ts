// Bundles the function app: one file the Functions worker loads, and Application Insights in a second one,
// so that an app without it does not pay for loading it.
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
  // The Functions worker provides this module at run time; a bundled copy would not be the one it talks to.
  external: ['@azure/functions-core', './applicationinsights.cjs'],
  define: { STRONGROOM_VERSION: JSON.stringify(version) },
  logLevel: 'warning',
});

// Each file appears whole: another process may be starting the app just now.
for (const { path, contents } of outputFiles) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, contents);
  renameSync(`${path}.${process.pid}`, path);
}
