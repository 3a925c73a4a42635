import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { HostError } from '../host-error.ts';
import { readJsonFile } from './json-file.ts';

const SETTING = 'AzureFunctionsWebHost__hostid';

/**
 * The id under which the host stores its records in the app's storage account, such as the blobs that it has seen. A
 * host with another id has seen none. As in Azure, an app setting can set the id. By default, it follows from the name
 * of the app and the data directory.
 */
export function hostIdOf(
  appDirectory: string,
  dataDirectory: string,
  settings: NodeJS.ProcessEnv = process.env,
): string {
  const given = settings[SETTING]?.trim();
  if (given) {
    if (/^[a-z\d](?:-?[a-z\d]){0,31}$/.test(given) && given.length <= 32) return given;
    throw new HostError(
      `The app setting "${SETTING}" is not a host id: 1 to 32 lowercase letters, digits and single hyphens.`,
    );
  }
  const { name } = (readJsonFile(join(appDirectory, 'package.json')) ?? {}) as { name?: unknown };
  const readable = String(name ?? '')
    .toLowerCase()
    .replace(/[^a-z\d]+/g, '-')
    .slice(0, 18)
    .replace(/^-|-$/g, '');
  const hash = createHash('sha256').update(dataDirectory).digest('hex').slice(0, 12);
  return `${readable || 'app'}-${hash}`;
}
