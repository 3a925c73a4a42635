import { editDistance } from '#domain/input/nearest.ts';

/** What follows the service in the addresses of Azure Storage. */
const CLOUDS = [
  'core.windows.net',
  'storage.azure.net',
  'core.chinacloudapi.cn',
  'core.usgovcloudapi.net',
  'core.cloudapi.de',
] as const;

/** More mistakes than these may be a private domain. */
const MOST_MISTAKES = 2;

/** Whether an address is one of Azure itself. An emulator may have any other. */
export function isOfAzure(address: string): boolean {
  return CLOUDS.some((cloud) => cloud === suffixOf(address));
}

/** The end of an address of Azure that an address misspells, such as `core.windows.net`. */
export function misspelledCloud(address: string): string | undefined {
  const suffix = suffixOf(address);
  if (suffix === undefined || isOfAzure(address)) return undefined;
  return CLOUDS.find((cloud) => editDistance(suffix, cloud) <= MOST_MISTAKES);
}

function suffixOf(address: string): string | undefined {
  return /\.(?:blob|table|queue)\.(.+)$/.exec(new URL(address).hostname)?.[1];
}
