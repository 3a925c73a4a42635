import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const cache = join(root, 'node_modules', '.cache', 'strongroom');

/** Lets each module of the host find its neighboring files in the repository. */
const ownLocation: Plugin = {
  name: 'own-location',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
      loader: 'ts',
    }));
  },
};

async function bundleHost(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'host', 'main.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    packages: 'external',
    keepNames: true,
    plugins: [ownLocation],
  });
  const { contents } = outputFiles[0]!;
  const file = join(cache, `host-${createHash('sha256').update(contents).digest('hex').slice(0, 16)}.mjs`);
  if (!existsSync(file)) {
    mkdirSync(cache, { recursive: true });
    writeFileSync(`${file}.${process.pid}`, contents);
    renameSync(`${file}.${process.pid}`, file);
  }
  return file;
}

let bundled: Promise<string> | undefined;

/**
 * The host in `host/` as one file of JavaScript. At every start of `host/main.ts`, Node strips the types of 70 files,
 * which takes a third of the processor time of a start, and tests start hundreds of hosts.
 */
export function hostBundle(): Promise<string> {
  bundled ??= bundleHost();
  return bundled;
}
