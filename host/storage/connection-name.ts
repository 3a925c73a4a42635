import { resolveSettings } from '../settings/settings.ts';
import type { HostedFunction } from '../triggers/trigger.ts';

/** The storage account of the app itself, for which others are not named. */
export const OWN_STORAGE = 'AzureWebJobsStorage';

/** The name under which app settings tell how to reach the account of a trigger. */
export function connectionOf({ name, trigger: { connection } }: HostedFunction): string {
  return typeof connection === 'string' && connection !== ''
    ? resolveSettings(connection, `Function "${name}"`)
    : OWN_STORAGE;
}
