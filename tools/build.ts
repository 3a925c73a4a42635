// Bundles the function app into one file for the Functions worker, and Application Insights and OTLP into two more, so
// that an app without them does not load them; the web page into dist/page/; and the command line into one file, and
// what it needs to check a configuration into another. Does nothing if dist/ is what it would build.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { missingInNode20 } from './missing-in-node-20.ts';

const BUNDLES = {
  index: 'src/index.ts',
  applicationinsights: 'src/telemetry/application-insights.ts',
  otlp: 'src/telemetry/otlp.ts',
};
/** Where what is built of the web page is, in dist/. */
const PAGE = 'page';
/** The browsers that know `light-dark()`, `<dialog>` and nesting; the page is for current ones. */
const BROWSERS = ['chrome123', 'firefox128', 'safari17.5'];
/** What dist/ was built from, and then the files that were built, one a line. Written last. */
const STAMP = 'dist/.built-from';

const root = join(import.meta.dirname, '..');
process.chdir(root);
const inputs = hashOfInputs();
if (!isBuilt()) await buildAll();

/** The bundles have nothing but these, and packages of which the lock file says what they are. */
function hashOfInputs(): string {
  const sources = ['src', 'ui', 'cli']
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const hash = createHash('sha256');
  for (const file of [
    'package.json',
    'package-lock.json',
    'tools/build.ts',
    'tools/missing-in-node-20.ts',
    'host/exit-codes.ts',
    ...sources.sort(),
  ]) {
    const content = readFileSync(file);
    hash.update(`${file} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

function isBuilt(): boolean {
  if (!existsSync(STAMP)) return false;
  const [from, ...files] = readFileSync(STAMP, 'utf8').split('\n');
  return from === inputs && files.every((file) => existsSync(join('dist', file)));
}

/** A file of dist/, by its path there. */
type Built = [path: string, content: Uint8Array | string];

async function buildAll(): Promise<void> {
  process.stderr.write('Building …\n');
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const built = [...(await buildApp(version)), ...(await buildPage()), ...(await buildCommandLine(version))];
  const paths = built.map(([path]) => path);
  // A rename replaces each file as a whole, since another process may be starting the app or building it, too.
  const own = `dist/.new-${process.pid}`;
  mkdirSync(join(own, PAGE), { recursive: true });
  mkdirSync(join('dist', PAGE), { recursive: true });
  try {
    for (const [path, content] of [...built, [basename(STAMP), [inputs, ...paths].join('\n')] satisfies Built]) {
      writeFileSync(join(own, path), content);
    }
    for (const path of [...paths, basename(STAMP)]) renameSync(join(own, path), join('dist', path));
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
  // What earlier builds of the page have left, under other hashes.
  for (const name of readdirSync(join('dist', PAGE))) {
    if (!paths.includes(`${PAGE}/${name}`)) rmSync(join('dist', PAGE, name), { recursive: true, force: true });
  }
}

async function buildApp(version: string): Promise<Built[]> {
  const { build } = await import('esbuild');
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
  return outputFiles.map(({ path, contents }) => [basename(path), contents]);
}

/**
 * One script and one style sheet, whose names change with their content, and the document that names both. Each also
 * compressed: the app serves them from memory, and compresses nothing.
 */
async function buildPage(): Promise<Built[]> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    write: false,
    entryPoints: ['ui/main.tsx'],
    outdir: `dist/${PAGE}`,
    entryNames: '[name]-[hash]',
    bundle: true,
    format: 'esm',
    target: BROWSERS,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  const assets = outputFiles.map(({ path, contents }): [name: string, content: Uint8Array] => [
    basename(path),
    contents,
  ]);
  const nameOf = (ending: string) => assets.find(([name]) => name.endsWith(ending))?.[0] ?? `main${ending}`;
  const document = readFileSync('ui/index.html', 'utf8')
    .replace('main.js', nameOf('.js'))
    .replace('main.css', nameOf('.css'));
  return [...assets, ['index.html', Buffer.from(document)] as const].flatMap(([name, content]): Built[] => [
    [`${PAGE}/${name}`, content],
    [`${PAGE}/${name}.br`, brotliCompressSync(content)],
    [`${PAGE}/${name}.gz`, gzipSync(content, { level: 9 })],
  ]);
}

/** The command line. Its second file is loaded only by the commands that read a configuration. */
async function buildCommandLine(version: string): Promise<Built[]> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
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
  for (const { path, text } of outputFiles) {
    const missing = missingInNode20(text);
    if (missing !== undefined) throw new Error(`${basename(path)} calls ${missing}, which Node 20 does not have.`);
  }
  return outputFiles.map(({ path, contents }) => [basename(path), contents]);
}
