import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startHttpServer } from '../../../host/http/server.ts';
import { createListeners } from '../../../host/triggers/listeners.ts';
import { loadApp } from '../../../host/worker/app.ts';
import type { RegisteredFunction } from '../../../host/worker/core-api.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A copy of the built app, so that no `strongroom.json` of a developer is beside it. */
export function copyApp({ without = [] }: { without?: string[] } = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-app-'));
  for (const file of ['package.json', 'host.json', 'dist/index.cjs', 'dist/applicationinsights.cjs', 'dist/otlp.cjs']) {
    if (!without.includes(file)) cpSync(join(root, file), join(directory, file));
  }
  return directory;
}

export interface ServedApp {
  url: string;
  functions: RegisteredFunction['metadata'][];
  /** What is printed while functions run. */
  log(): string;
  stop(): Promise<void>;
}

/**
 * Loads and serves the app in this process as the Functions host does, which looks only at the functions that the app
 * registers. The app reads `env` and the working directory while it loads.
 */
export async function serveApp(
  appDirectory: string,
  env: Record<string, string>,
  workingDirectory: () => string,
): Promise<ServedApp> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'strongroom-served-'));
  // Each load evaluates the app anew, with its own copies of all packages.
  const { cache } = createRequire(import.meta.url);
  for (const file of Object.keys(cache)) if (file.startsWith(appDirectory)) delete cache[file];
  const app = await withSettings(env, workingDirectory, () => loadApp(appDirectory));
  const { listeners, durable } = await createListeners(app.registrations, { appDirectory, dataDirectory }, (error) => {
    throw error;
  });
  const handlers = listeners.flatMap(({ http }) => http ?? []);
  const server = await startHttpServer({ address: '127.0.0.1', port: 0, key: undefined, handlers });
  const printed = capture();
  for (const listener of listeners) await listener.start?.();
  return {
    url: `http://127.0.0.1:${server.port}`,
    functions: [...app.registrations.functions.values()].map(({ metadata }) => metadata),
    log: printed.text,
    async stop() {
      await Promise.all(listeners.map((listener) => listener.stop?.()));
      server.destroy();
      await durable.close?.();
      await app.terminate();
      printed.end();
      rmSync(dataDirectory, { recursive: true, force: true });
    },
  };
}

async function withSettings<T>(
  env: Record<string, string>,
  workingDirectory: () => string,
  work: () => Promise<T>,
): Promise<T> {
  const before = { env: { ...process.env }, cwd: process.cwd() };
  Object.assign(process.env, env);
  process.chdir(workingDirectory());
  try {
    return await work();
  } finally {
    process.chdir(before.cwd);
    for (const name of Object.keys(env)) delete process.env[name];
    Object.assign(process.env, before.env);
  }
}

function capture(): { text(): string; end(): void } {
  const { write } = process.stdout;
  let text = '';
  process.stdout.write = (chunk: string | Uint8Array) => {
    text += String(chunk);
    return true;
  };
  return {
    text: () => text,
    end: () => {
      process.stdout.write = write;
    },
  };
}
