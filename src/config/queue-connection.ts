import { defined } from '#domain/run/defined.ts';
import type { QueueConnection } from '#storage/account-connection.ts';
import { type AppSettings, settingOf } from './app-settings.ts';

/**
 * The connection to the queues of a trigger, by its name as Azure Functions use it; undefined if no app setting has its
 * address. The host reads the same settings.
 */
export function queueConnectionOf(name: string, settings: AppSettings): QueueConnection | undefined {
  // In app settings, two underscores stand for a colon.
  const setting = (suffix = '') => settingOf(settings, `${name.replaceAll(':', '__')}${suffix}`);
  const connectionString = setting();
  if (connectionString !== undefined) return { connectionString };
  const account = setting('__accountName');
  const uri = setting('__queueServiceUri') ?? (account && `https://${account}.queue.core.windows.net`);
  return uri === undefined ? undefined : { queueServiceUri: uri, ...defined({ clientId: setting('__clientId') }) };
}
