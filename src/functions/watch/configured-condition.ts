import type { Dependencies } from '#app/dependencies.ts';
import type { Condition, ConditionName } from '#domain/watch/conditions.ts';
import type { RunEndName } from '#domain/watch/run-end.ts';
import { rated } from '#domain/watch/severities.ts';

/** Another app with this vault may have other jobs, accounts and channels: what it reports is none of ours. */
export function isConfigured(
  { configuration }: Dependencies,
  { job, account, channel }: Pick<Condition<never>, 'job' | 'account' | 'channel'>,
): boolean {
  const { jobs, archives, accounts, notify } = configuration;
  if (job !== undefined) return [...jobs, ...archives].some(({ name }) => name === job);
  if (account !== undefined) return accounts.has(account);
  return notify.channels.some(({ name }) => name === channel);
}

/** Conditions and ends of runs with the severities of the configuration. */
export function ratedHere<Found extends Condition<ConditionName | RunEndName>>(
  { configuration }: Dependencies,
  found: readonly Found[],
): Found[] {
  return rated(found, configuration.notify.severity);
}
