import type { VaultLocation } from '#domain/restore/point-tasks.ts';
import type { ContainerTask } from '../run/container-task.ts';

/** Where in the vault the backup blobs of a container to verify are. */
export function vaultLocationOf({ container, vaultLocation }: ContainerTask): VaultLocation {
  if (!vaultLocation) throw new Error(`The verification of ${container} does not say where its backup blobs are`);
  return vaultLocation;
}
