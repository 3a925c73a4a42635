/** What an account allows, or should allow. The order is that of answers. */
export const RIGHTS = [
  'list-containers',
  'list-blobs',
  'read-blobs',
  'read-tags',
  'sign-copies',
  'list-tables',
  'read-tables',
  'create-containers',
  'write-blobs',
  'write-tags',
  'write-catalog',
  'delete-blobs',
  'soft-delete',
  'read-queue',
] as const;

export type Right = (typeof RIGHTS)[number];

/** What it allows, as the end of "may …", and what is not there without it. */
export const WORDS: Record<Right, { what: string; without: string }> = {
  'list-containers': { what: 'list containers', without: 'Patterns with "*" find nothing, and health reports it.' },
  'list-blobs': { what: 'list blobs', without: 'No run can work with these containers.' },
  'read-blobs': { what: 'read blobs', without: 'Nothing can be copied from there.' },
  'read-tags': { what: 'read index tags', without: 'Backups have no index tags, and each run reports that.' },
  'sign-copies': { what: 'request a user delegation key', without: 'The service cannot copy blobs from there.' },
  'list-tables': { what: 'list tables', without: 'Patterns with "*" find no table.' },
  'read-tables': { what: 'read tables', without: 'Tables are not backed up.' },
  'create-containers': { what: 'create containers', without: 'No new container can be backed up.' },
  'write-blobs': { what: 'write blobs', without: 'Nothing can be backed up there.' },
  'write-tags': { what: 'write index tags', without: 'Blobs with index tags cannot be backed up.' },
  'write-catalog': { what: 'write the catalog', without: 'Lists of runs come from the vault itself, and take longer.' },
  'delete-blobs': { what: 'delete blobs', without: 'No prune can delete.' },
  'soft-delete': { what: 'see soft delete', without: 'What someone deletes in the vault is gone at once.' },
  'read-queue': { what: 'read the queue of upload events', without: 'Only reconciliations archive uploads.' },
};
