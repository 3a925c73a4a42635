import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { EXIT } from '../exit-codes.ts';
import { HostError, messageOf } from '../host-error.ts';
import { installCoreApi, type Registrations } from './core-api.ts';

export interface App {
  registrations: Registrations;
  /** Why the app cannot do its work, and only reports that. */
  startError?: HostError;
  terminate(): Promise<void>;
}

/** Loads the built app, which registers its functions. One app per process, since its packages have global state. */
export async function loadApp(directory: string): Promise<App> {
  const entry = entryPoint(directory);
  const registrations = installCoreApi();
  let exported: { startError?: unknown };
  try {
    exported = createRequire(join(directory, 'package.json'))(entry);
  } catch (error) {
    throw loadError(entry, error);
  }
  const { programmingModel, hooks, appHookData, functions } = registrations;
  if (programmingModel === undefined || functions.size === 0) {
    throw new HostError(
      `The app at ${entry} registers no functions. It must be the built app and use version 4 of @azure/functions.`,
      EXIT.unexpected,
    );
  }
  await programmingModel.getCapabilities?.({});
  for (const hook of hooks.appStart) await hook({ functionAppDirectory: directory, hookData: {}, appHookData });
  const { startError } = exported;
  return {
    registrations,
    ...(startError !== undefined && { startError: loadError(entry, startError) }),
    async terminate() {
      for (const hook of hooks.appTerminate) await hook({ hookData: {}, appHookData });
    },
  };
}

function loadError(entry: string, error: unknown): HostError {
  // The app's complete report of the errors in its configuration.
  if (error instanceof Error && error.name === 'ConfigurationError') return new HostError(error.message);
  const what = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
  return new HostError(`Cannot load the app at ${entry}: ${what}`, EXIT.unexpected);
}

function entryPoint(directory: string): string {
  const manifest = join(directory, 'package.json');
  if (!existsSync(manifest)) {
    throw new HostError(
      `There is no package.json in ${directory}. Start the host in the directory of the app, or set --app.`,
    );
  }
  const main = (JSON.parse(readFileSync(manifest, 'utf8')) as { main?: unknown }).main;
  if (typeof main !== 'string') throw new HostError(`${manifest} has no "main". It must be the path of the built app.`);
  const entry = resolve(directory, main);
  if (!existsSync(entry)) throw new HostError(`${entry} does not exist. Build the app first: npm run build`);
  return entry;
}
