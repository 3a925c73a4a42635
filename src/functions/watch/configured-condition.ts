import type { Dependencies } from '#app/dependencies.ts';
import type { Condition } from '#domain/watch/conditions.ts';

/** Another app with this vault may have other jobs, accounts and channels: what it reports is none of ours. */
export function isConfigured({ configuration }: Dependencies, { job, account, channel }: Condition): boolean {
  const { jobs, archives, accounts, notify } = configuration;
  if (job !== undefined) return [...jobs, ...archives].some(({ name }) => name === job);
  if (account !== undefined) return accounts.has(account);
  return notify.channels.some(({ name }) => name === channel);
}
