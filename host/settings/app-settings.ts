import { join } from 'node:path';
import { readJsonFile } from '../data/json-file.ts';
import { HostError } from '../host-error.ts';

/** Adds the "Values" of local.settings.json to the environment, which has precedence. `func` does the same. */
export function loadAppSettings(directory: string): void {
  const file = join(directory, 'local.settings.json');
  const content = readJsonFile(file) as { IsEncrypted?: unknown; Values?: unknown } | undefined;
  if (content === undefined) return;
  if (content.IsEncrypted === true) {
    throw new HostError(`${file} is encrypted. Decrypt it first: func settings decrypt`);
  }
  const values = content.Values ?? {};
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new HostError(`${file}: "Values" must be an object of settings.`);
  }
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== 'string') throw new HostError(`${file}: the value of "${name}" must be a string.`);
    process.env[name] ??= value;
  }
}

/** Replaces each `%NAME%` by the app setting of that name. */
export function resolveSettings(text: string, where: string, settings: NodeJS.ProcessEnv = process.env): string {
  return text.replace(/%([^%]+)%/g, (_match, name: string) => {
    const value = settings[name];
    if (value === undefined) {
      throw new HostError(
        `${where} refers to the app setting "${name}", which is not set. Set it in the environment or in ` +
          'local.settings.json.',
      );
    }
    return value;
  });
}

/**
 * What `read` makes of a text with its settings in place. If it throws, its message shows the text as written: what a
 * setting holds may be secret.
 */
export function readWithSettings<T>(text: string, where: string, read: (value: string) => T): T {
  const value = resolveSettings(text, where);
  if (value === text) return read(value);
  try {
    return read(value);
  } catch {
    throw new HostError(
      `${where} has "${text}", which is invalid with the app settings in place that it names. Their values are not ` +
        'shown here. Correct them.',
    );
  }
}
