import { spawnSync } from 'node:child_process';
import { AccountSASPermissions, BlobServiceClient } from '@azure/storage-blob';
import { runMeasured } from '../process-usage.ts';
import type { CountedServer } from '../servers/counted-server.ts';
import type { Contender } from './contender.ts';

/** Undefined if rclone is not installed. */
export function rcloneVersion(): string | undefined {
  const { status, stdout } = spawnSync('rclone', ['version'], { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0]?.replace(/^rclone v/, '') : undefined;
}

/** Recursive listings, more concurrency, and times from listings, as the manual of rclone advises. */
export const TUNED = ['--fast-list', '--checkers', '64', '--transfers', '64', '--update', '--use-server-modtime'];

/** `rclone sync` with copies by the service, between remotes that the environment configures. */
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

/** The only way for this version to reach a server at another address than Azure's. */
function accountSas(server: CountedServer, account: string): string {
  return BlobServiceClient.fromConnectionString(server.connectionString(account)).generateAccountSasUrl(
    new Date(Date.now() + 86_400_000),
    AccountSASPermissions.parse('rwdlacup'),
    'sco',
  );
}
