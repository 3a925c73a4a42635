import type { Side } from './needed-rights.ts';
import type { Right } from './right.ts';

/** A role of Azure, or one that has to be defined first. */
export interface Role {
  name: string;
  definition?: { description: string; actions: readonly string[]; dataActions: readonly string[] };
}

const BLOBS = 'Microsoft.Storage/storageAccounts/blobServices';
const TABLES = 'Microsoft.Storage/storageAccounts/tableServices/tables';

const BLOB_READER: Role = { name: 'Storage Blob Data Reader' };
const TABLE_READER: Role = { name: 'Storage Table Data Reader' };

/** Of infra/app/host-storage.bicep: the host also makes the poison queue. */
const QUEUE_CONTRIBUTOR: Role = { name: 'Storage Queue Data Contributor' };

/** Of infra/app/source-access.bicep. No role of Azure that reads tags writes nothing. */
const TAG_READER: Role = {
  name: 'Strongroom tag reader',
  definition: {
    description: 'Reads the index tags of blobs.',
    actions: [],
    dataActions: [`${BLOBS}/containers/blobs/tags/read`],
  },
};

/** Of infra/app/vault-access.bicep. Each role of Azure that writes may delete. */
const VAULT_WRITER: Role = {
  name: 'Strongroom vault writer',
  definition: {
    description: 'Reads and writes blobs, their tags, containers and table entities. Deletes nothing.',
    actions: [
      `${BLOBS}/containers/read`,
      `${BLOBS}/containers/write`,
      `${BLOBS}/generateUserDelegationKey/action`,
      `${TABLES}/read`,
      `${TABLES}/write`,
    ],
    dataActions: [
      `${BLOBS}/containers/blobs/read`,
      `${BLOBS}/containers/blobs/write`,
      `${BLOBS}/containers/blobs/add/action`,
      `${BLOBS}/containers/blobs/tags/write`,
      `${TABLES}/entities/read`,
      `${TABLES}/entities/add/action`,
      `${TABLES}/entities/update/action`,
      `${TABLES}/entities/write`,
    ],
  },
};

/** Of infra/app/prune-access.bicep. */
const VAULT_PRUNER: Role = {
  name: 'Strongroom vault pruner',
  definition: {
    description:
      'Lists, reads and deletes blobs, their snapshots and versions, and containers. Writes nothing, and cannot ' +
      'override soft delete.',
    actions: [`${BLOBS}/containers/read`, `${BLOBS}/containers/delete`],
    dataActions: [
      `${BLOBS}/containers/blobs/read`,
      `${BLOBS}/containers/blobs/delete`,
      `${BLOBS}/containers/blobs/deleteBlobVersion/action`,
    ],
  },
};

export const CUSTOM_ROLES: readonly Role[] = [TAG_READER, VAULT_WRITER, VAULT_PRUNER];

/** The role that has a right, and as little as possible beyond what is needed there. */
export function roleWith(right: Exclude<Right, 'soft-delete'>, side: Side): Role {
  switch (right) {
    case 'read-tags':
      return TAG_READER;
    case 'list-tables':
    case 'read-tables':
      return TABLE_READER;
    case 'read-queue':
      return QUEUE_CONTRIBUTOR;
    case 'delete-blobs':
      return VAULT_PRUNER;
    case 'create-containers':
    case 'write-blobs':
    case 'write-tags':
    case 'write-catalog':
      return VAULT_WRITER;
    default:
      return side === 'vault' ? VAULT_WRITER : side === 'prune' ? VAULT_PRUNER : BLOB_READER;
  }
}
