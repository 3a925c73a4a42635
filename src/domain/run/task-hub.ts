/**
 * The task hub of Durable Functions: what the orchestrations of an app keep in the host storage, under names that begin
 * with the name of the hub. Apps with one hub execute steps of each other's runs.
 */

/** The app setting that names the hub. host.json refers to it. */
export const HUB_SETTING = 'STRONGROOM_HUB';

/** The container in the host storage that notes whose each hub is. A blob has the name of its hub. */
export const HUBS_CONTAINER = 'strongroom-hubs';

/** Whose a hub is. */
export interface HubOwner {
  /** The name of the app in Azure; null elsewhere. */
  app: string | null;
  /** The blob services of its vaults. */
  vaults: string[];
}

/** Why a hub may not have this name, in words that follow the name of the setting; undefined if it may. */
export function hubNameProblem(name: string): string | undefined {
  return /^strongroom[A-Za-z0-9]{0,35}$/.test(name)
    ? undefined
    : 'must be "strongroom" and up to 35 more letters and digits, for example "strongroomstaging"';
}

/** Whether the container is part of a hub of that name, or notes whose the hubs are. */
export function isHubContainer(container: string): boolean {
  return container === HUBS_CONTAINER || /^strongroom[a-z0-9]*-(?:applease|leases|largemessages)$/.test(container);
}

/** Whether the table is part of a hub of such a name. */
export function isHubTable(table: string): boolean {
  return /^strongroom[a-z0-9]*(?:history|instances|partitions)$/i.test(table);
}

/** An app stays the same while it keeps one of its vaults. */
export function isSameOwner(one: HubOwner, other: HubOwner): boolean {
  return one.app === other.app && one.vaults.some((vault) => other.vaults.includes(vault));
}

/** Reads a note of an owner; undefined if it is none. */
export function parseOwner(text: string): HubOwner | undefined {
  try {
    const { app, vaults } = JSON.parse(text) as Partial<HubOwner>;
    const isOwner = (app === null || typeof app === 'string') && Array.isArray(vaults);
    return isOwner && vaults.every((vault) => typeof vault === 'string') ? { app, vaults } : undefined;
  } catch {
    return undefined;
  }
}

/** Why an app must not use the hub of another one. */
export function foreignHub(hub: string, { app, vaults }: HubOwner): string {
  const whose = app === null ? 'an app outside of Azure' : `the app ${JSON.stringify(app)}`;
  return `The task hub "${hub}" belongs to ${whose} with the vault ${vaults.join(', ')}`;
}
