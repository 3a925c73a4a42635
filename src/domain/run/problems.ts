import { tableOfTask } from './task-name.ts';

/** Stable codes: scripts may rely on them. */
export const PROBLEMS = {
  'source-vanished': 'The blob was deleted while the run was under way. Nothing to do.',
  'source-archived': 'Rehydrate the blob to an online tier, then run again; archived content cannot be read.',
  directory: 'A directory of a hierarchical namespace has no content; its files are backed up. Nothing to do.',
  'unsupported-name':
    'The name cannot be addressed over HTTP without becoming another name (dot segments, backslashes, over-long). Rename the blob.',
  'source-changing': 'The blob changed each time it was about to be copied. Retry when it is at rest.',
  'destination-leased': 'Something holds a lease on the blob that was to be written. Break the lease, then retry.',
  'destination-immutable':
    'An immutability policy or legal hold forbids overwriting the blob. Copy to another container.',
  'destination-archived':
    'The blob that was to be written is archived and cannot be overwritten. Rehydrate it, then retry.',
  'destination-type-differs':
    'There is a blob of another type under this name where it was to be written. Move that blob away, then retry.',
  'destination-changing': 'Something else writes this blob in the vault. Find it and stop it, then retry.',
  'access-denied-source':
    'Give this app the role Storage Blob Data Reader on the source account, for tables Storage Table Data Reader (or a key or SAS that may read), then retry.',
  'access-denied-destination':
    'Let this app read and write blobs and their tags on the vault account (infra/ defines such a role; Storage Blob Data Owner includes it), then retry.',
  throttled: 'The service was too busy even after waiting. Retry later, or when less else uses the account.',
  unreachable: 'No connection to the service. Check the address, DNS and firewall rules, then retry.',
  'server-error': 'The service failed even after several tries. Retry later.',
  'copy-failed': 'The service accepted the copy and then failed it. Retry; if it persists, force "method": "blocks".',
  'copy-stuck': 'The service did not finish the copy in time, and it was aborted. Retry.',
  'tags-not-read':
    'Index tags were not copied: the app may not read them. Give it the right to read tags on the source (the readTags parameter of infra/).',
  'tags-not-written':
    'Index tags were not copied: the account that was written to refused them. Let the app write tags there (infra/ defines such a role); accounts with a hierarchical namespace have none. Then start a full backup, or the restore, again.',
  'tier-not-kept':
    'The account that was written to does not have the access tier that was set on the source; its default was taken. Nothing to do.',
  'container-not-found':
    'The job or archive rule names this container, but the source does not have it. Correct the configuration or the container.',
  'table-not-found':
    'The job names this table, but the source does not have it, or it was deleted while it was read. Correct "source.tables", or the table.',
  'deletions-not-compared':
    'Entities that were deleted since they were last compared are still in the restore point, and a restore brings them back. Say "tableDeletions": true in the source of the job, or start a full backup.',
  'table-not-empty':
    'A restore begins with an empty table unless told otherwise. Choose "existing": "skip", "replace" or "merge", or restore to another table.',
  'deletion-not-restored':
    'The file says that the entity was deleted. A restore deletes nothing: if it is to go, delete it by hand.',
  'entity-refused':
    'The service does not take this entity; the message says why. Its text is in the file of the restore point: correct it, and write it by hand.',
  'container-not-held':
    'The restore point does not have this container or table, or these keys of it. Correct the request, or choose another restore point.',
  'no-containers':
    'None of the job\'s patterns matches a container or table of the source. Correct "source.containers" or "source.tables".',
  'container-name-invalid':
    'The destination template makes no valid container name of this one. Give this container a job of its own.',
  'order-unknown':
    'The listings are sorted in an unknown way, so more blobs than usual were looked at singly. Slower, not less correct.',
  inconsistent:
    'The outcomes do not add up to what was listed, so no restore point was made. Run again and report this.',
  damaged:
    'An object in the control container is not as it was written. Restore it (soft delete, versions), or start a new run, which needs nothing of earlier ones (and reads anew what a lost file of a table held); a damaged lock is to be deleted while no run of its job is at work. Where a summary is gone for good, take away the folder of its run and its notes, and back up once more before the next prune.',
  'target-exists':
    'The target has a blob of this name, or an entity of this key. Choose "existing": "overwrite", "if-different" or "skip" (for tables "replace", "merge" or "skip"), or restore to another container, prefix or table.',
  'target-changing': 'Something else writes this blob or entity in the target. Find it and stop it, then retry.',
  'access-denied-target':
    'Let this app write blobs (and their tags), or tables, on the account that is restored to; the rights of a backup do not include it. Then retry.',
  'access-denied-prune':
    'Deleting takes a right that a backup does not have: name an account alias that has it as "retention.account" of the job, or as "receipts.account" of the archive rule. Then start it again.',
  'access-denied-vault': 'Let this app read the blobs of the vault account, then retry.',
  'content-missing':
    'The vault no longer has this content. Look for it in soft-deleted blobs and versions of the vault; another restore point may have the blob.',
  'content-mismatch':
    'What the vault holds under this name is not what was backed up: it was overwritten or damaged there. Another restore point may have the blob.',
  'content-archived':
    'The content lies in the archive tier of the vault. Restore with "rehydrate": "standard" (up to 15 hours) or "high" (dearer, mostly below one hour).',
  'content-unproved':
    'There is nothing to compare the content with: the source had no hash and is no longer at this version, or its table could not be read. Nothing is known to be wrong.',
  'being-archived':
    'An event is archiving this upload at this moment, or began to and was ended; the next reconcile sees to it. Nothing to do.',
  'point-removed':
    'The restore point is marked to be removed, or was removed. Choose another: GET /api/restore-points.',
  'plan-stale': 'Something has changed since the plan was made. Make a new one: POST /api/prunes.',
  'run-lost': 'The run ended without a summary (it was terminated, or its state was lost). Start another.',
  internal: 'An unexpected failure. Retry; if it persists, report it with the run id.',
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** What each code means, after "3 blobs:" or the name of a container. */
export const MEANINGS: Record<ProblemCode, string> = {
  'source-vanished': 'deleted before it could be copied',
  'source-archived': 'in the archive tier, and not in the vault',
  directory: 'a directory, not a blob',
  'unsupported-name': 'a name that cannot be addressed',
  'source-changing': 'changed each time it was copied',
  'destination-leased': 'leased at the destination',
  'destination-immutable': 'immutable at the destination',
  'destination-archived': 'archived at the destination',
  'destination-type-differs': 'of another type at the destination',
  'destination-changing': 'changed in the vault by something else',
  'access-denied-source': 'the source account denies access',
  'access-denied-destination': 'the vault denies access',
  throttled: 'the service was too busy',
  unreachable: 'no connection to the service',
  'server-error': 'the service failed',
  'copy-failed': 'the service failed the copy',
  'copy-stuck': 'the copy was not finished in time',
  'tags-not-read': 'index tags not copied',
  'tags-not-written': 'copied without its index tags',
  'tier-not-kept': 'copied without its access tier',
  'container-not-found': 'the source has no such container',
  'table-not-found': 'the source has no such table',
  'deletions-not-compared': 'looked for changes, not for deletions',
  'table-not-empty': 'the table that is restored to is not empty',
  'deletion-not-restored': 'deleted, by the file that was restored',
  'entity-refused': 'the service refuses it',
  'container-not-held': 'not in the restore point',
  'no-containers': 'nothing in the source matches',
  'container-name-invalid': 'no valid name for its mirror',
  'order-unknown': 'listed in an unknown order',
  inconsistent: 'outcomes and listing do not add up',
  damaged: 'what was stored is damaged',
  'target-exists': 'there already in the target',
  'target-changing': 'changed in the target by something else',
  'access-denied-target': 'the account that is restored to denies access',
  'access-denied-prune': 'the vault denies deleting',
  'access-denied-vault': 'the vault denies reading',
  'content-missing': 'no longer in the vault',
  'content-mismatch': 'not in the vault as it was backed up',
  'content-archived': 'in the archive tier of the vault',
  'content-unproved': 'read, with nothing to compare it with',
  'being-archived': 'being archived by an event',
  'point-removed': 'the restore point is gone',
  'plan-stale': 'the plan is out of date',
  'run-lost': 'ended without a summary',
  internal: 'an unexpected failure',
};

export function problemOf(code: ProblemCode, count: number, container?: string, message?: string): Problem {
  const table = container === undefined ? undefined : tableOfTask(container);
  const items = table === undefined ? 'blob' : `item of table ${table}`;
  const what =
    count === 0 ? (container ?? 'the run') : count === 1 ? `1 ${items}` : `${count} ${items.replace(/^\w+/, '$&s')}`;
  // How often it happened within one table tells nobody anything.
  const about = code === 'deletions-not-compared' ? `table ${table}` : what;
  return {
    code,
    ...(container !== undefined && { container }),
    count,
    message: message ?? `${about}: ${MEANINGS[code]}`,
    hint: PROBLEMS[code],
  };
}

/** A problem of a run or of one of its containers, with how many blobs it concerns (0: the whole container or run). */
export interface Problem {
  code: ProblemCode;
  /** Source container; absent where it concerns the whole run. */
  container?: string;
  count: number;
  message: string;
  hint: string;
}
