import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { HostError } from '../host-error.ts';
import { readJson } from '../settings/settings.ts';

const SETTING = 'AzureFunctionsWebHost__hostid';

/**
 * Under this name the host keeps its records in storage, such as which blobs it has seen: another id has seen none. As
 * in Azure an app setting may say it; otherwise it follows from the app and where its data is kept.
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
      `The app setting "${SETTING}" is "${given}"; a host id is 1 to 32 lower-case letters, digits and single hyphens.`,
    );
  }
  const { name } = (readJson(join(appDirectory, 'package.json')) ?? {}) as { name?: unknown };
  const readable = String(name ?? '')
    .toLowerCase()
    .replace(/[^a-z\d]+/g, '-')
    .slice(0, 18)
    .replace(/^-|-$/g, '');
  const hash = createHash('sha256').update(dataDirectory).digest('hex').slice(0, 12);
  return `${readable || 'app'}-${hash}`;
}
