import { resolveSettings } from '../settings/app-settings.ts';
import type { HostedFunction } from '../triggers/trigger.ts';

/** The app's own storage account, which is the default of every trigger. */
export const OWN_STORAGE = 'AzureWebJobsStorage';

/** The name of the app setting with the connection of a trigger's account. */
export function connectionOf({ name, trigger: { connection } }: HostedFunction): string {
  return typeof connection === 'string' && connection !== ''
    ? resolveSettings(connection, `Function "${name}"`)
    : OWN_STORAGE;
}
