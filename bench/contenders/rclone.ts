import { spawnSync } from 'node:child_process';
import { AccountSASPermissions, BlobServiceClient } from '@azure/storage-blob';
import { runMeasured } from '../process-usage.ts';
import type { CountedServer } from '../servers/counted-server.ts';
import type { Contender } from './contender.ts';

/** Undefined where rclone is not installed. */
export function rcloneVersion(): string | undefined {
  const { status, stdout } = spawnSync('rclone', ['version'], { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0]?.replace(/^rclone v/, '') : undefined;
}

/** Whole listings instead of folder by folder, more at once, and times taken from listings as its manual advises. */
export const TUNED = ['--fast-list', '--checkers', '64', '--transfers', '64', '--update', '--use-server-modtime'];

/** `rclone sync` that has the service copy, between remotes configured by environment. */
export function rclone(name: string, vault: string, flags: string[] = []): Contender {
  return {
    name,
    vault,
    run: ({ server, source }) =>
      runMeasured('rclone', ['sync', 'source:', 'vault:', '--server-side-across-configs', ...flags], {
        RCLONE_CONFIG: '',
        RCLONE_CONFIG_SOURCE_TYPE: 'azureblob',
        RCLONE_CONFIG_SOURCE_SAS_URL: accountSas(server, source),
        RCLONE_CONFIG_VAULT_TYPE: 'azureblob',
        RCLONE_CONFIG_VAULT_SAS_URL: accountSas(server, vault),
      }),
  };
}

/** The only way in that lets this version reach a server at another address than Azure's. */
function accountSas(server: CountedServer, account: string): string {
  return BlobServiceClient.fromConnectionString(server.connectionString(account)).generateAccountSasUrl(
    new Date(Date.now() + 86_400_000),
    AccountSASPermissions.parse('rwdlacup'),
    'sco',
  );
}
