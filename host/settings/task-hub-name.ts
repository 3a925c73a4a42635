import { HostError } from '../host-error.ts';

const DEFAULT = 'host';

/**
 * The name of the task hub as host.json has it (`where`). As in Azure, it may be that of an app setting: `%NAME%`. The
 * real host demands that setting; here, the data directory is the hub, and no other app can have it.
 */
export function taskHubName(written: unknown, where: string, settings: NodeJS.ProcessEnv): string {
  const [, setting] = /^%([^%]+)%$/.exec(String(written)) ?? [];
  const name = (setting === undefined ? written : settings[setting]?.trim() || undefined) ?? DEFAULT;
  if (typeof name === 'string' && /^[A-Za-z][A-Za-z0-9]{2,44}$/.test(name)) return name;
  const place = setting === undefined ? where : `The app setting "${setting}"`;
  throw new HostError(`${place} must be 3 to 45 letters and digits, beginning with a letter.`);
}
