import { HUB_SETTING, type HubOwner, hubNameProblem } from '#domain/run/task-hub.ts';
import type { AccountConnection } from '#storage/account-connection.ts';
import { blobServiceIdentity, resolveAccount } from './accounts.ts';
import { type AppSettings, settingOf } from './app-settings.ts';
import { HOST_STORAGE } from './archives.ts';
import type { ConfigurationProblem } from './configuration-error.ts';

export interface TaskHubSettings {
  name: string;
  storage: AccountConnection;
  owner: HubOwner;
}

export function taskHubProblems(settings: AppSettings): ConfigurationProblem[] {
  const name = settingOf(settings, HUB_SETTING);
  const problem = name === undefined ? undefined : hubNameProblem(name);
  return problem === undefined ? [] : [{ place: HUB_SETTING, message: `the app setting "${HUB_SETTING}" ${problem}` }];
}

/**
 * The hub of an app with these vaults. Undefined if the host has no hub that others could share, or if Strongroom
 * cannot reach its storage.
 */
export function taskHubOf(settings: AppSettings, vaults: readonly AccountConnection[]): TaskHubSettings | undefined {
  const name = settingOf(settings, HUB_SETTING);
  const found = resolveAccount(HOST_STORAGE, withAddress(settings));
  if (name === undefined || 'problems' in found) return undefined;
  const app = settingOf(settings, 'WEBSITE_SITE_NAME') ?? null;
  const owner = { app, vaults: [...new Set(vaults.map(blobServiceIdentity))].sort() };
  // The service ignores the case of the names of hubs.
  return { name: name.toLowerCase(), storage: found.connection, owner };
}

/** The host storage may be known by its name alone. */
function withAddress(settings: AppSettings): AppSettings {
  const account = settingOf(settings, `${HOST_STORAGE}__accountName`);
  const setting = `${HOST_STORAGE}__blobServiceUri`;
  if (account === undefined || settingOf(settings, setting) !== undefined) return settings;
  return { ...settings, [setting]: `https://${account}.blob.core.windows.net` };
}
