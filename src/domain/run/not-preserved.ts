/**
 * Everything in a storage account that a backup does not hold, by kind. `met` says how a run notices that the source
 * has it, at no further request; a kind without it is not looked for.
 */
export const NOT_PRESERVED = {
  'unread-properties': {
    what: 'metadata, public access or stored access policies that the app has no right to read',
    met: 'a container or table of which the app may not read all of them',
  },
  'blob-encryption-scope': {
    what: 'the encryption scope of a blob: its copies have the encryption of their account',
    met: 'a blob with an encryption scope',
  },
  'container-encryption-scope': {
    what: 'the default encryption scope of a container: it is recorded, and not restored',
    met: 'a container with a default encryption scope',
  },
  'container-immutability': {
    what: 'the immutability policy or legal hold of a container: it is recorded, and not restored',
    met: 'a container with an immutability policy or a legal hold',
  },
  directories: {
    what: 'directories of a hierarchical namespace: empty ones, and their metadata',
    met: 'a directory',
  },
  'source-snapshots': { what: 'snapshots and earlier versions of source blobs' },
  'blob-immutability': { what: 'immutability policies and legal holds of single blobs' },
  acls: { what: 'owners, groups, permissions and ACLs of a hierarchical namespace' },
  'soft-deleted': { what: 'blobs and containers that are deleted and can still be undeleted' },
  uncommitted: { what: 'blocks that are uploaded and not committed, and blobs that consist of such blocks only' },
  leases: { what: 'leases' },
  times: { what: 'creation, modification and access times, and ETags: a restored blob has new ones' },
  'sequence-numbers': { what: 'sequence numbers of page blobs' },
  account: {
    what:
      'everything outside of containers and tables: queues, file shares, and settings of the account such as ' +
      'lifecycle rules, the static website, CORS rules and network rules',
  },
} as const satisfies Record<string, { what: string; met?: string }>;

export type NotPreservedKind = keyof typeof NOT_PRESERVED;

/** How much of each kind a container has. */
export type NotPreservedCounts = Partial<Record<NotPreservedKind, number>>;

/** What the source had, when a restore point was made, that it does not hold. */
export interface NotPreserved {
  /** By container, if it has any. */
  containers: Record<string, NotPreservedCounts>;
  /** The kinds that no run looks for. */
  notLookedFor: NotPreservedKind[];
}

export const NOT_LOOKED_FOR: readonly NotPreservedKind[] = (Object.keys(NOT_PRESERVED) as NotPreservedKind[]).filter(
  (kind) => !('met' in NOT_PRESERVED[kind]),
);

/** Undefined if neither has any. */
export function sumNotPreserved(
  one: NotPreservedCounts | undefined,
  other: NotPreservedCounts | undefined,
): NotPreservedCounts | undefined {
  if (!one || !other) return one ?? other;
  const sum = { ...one };
  for (const [kind, count] of Object.entries(other) as [NotPreservedKind, number][])
    sum[kind] = (sum[kind] ?? 0) + count;
  return sum;
}
