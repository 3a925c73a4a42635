import { tableOfTask } from './task-name.ts';

/**
 * Every problem, by its code. Scripts may rely on codes. A meaning follows "3 blobs:" or the name of a container; a
 * hint says what to do.
 */
export const PROBLEMS = {
  'nothing-matched': {
    meaning: 'there, and nothing is selected',
    hint:
      'The selection matches no name. Compare "prefix", "include", "exclude" or "keys" with the names that are ' +
      'there: case counts, names rarely begin with a slash, and "*" stops at one ("**/*.jpg" also matches in ' +
      'folders). Then start the run again.',
  },
  'pattern-unmatched': {
    meaning: 'a pattern that matches nothing',
    hint:
      'The run does everything that other patterns select. Compare the pattern in "containers", "tables" or ' +
      '"include" with the names that are there: the message has one, unless there is none. In "include", case counts ' +
      'and "*" stops at a slash. Correct the pattern or remove it.',
  },
  'source-vanished': {
    meaning: 'deleted from the source before the copy',
    hint: 'The source blob was deleted during the run. No action is needed.',
  },
  'source-archived': {
    meaning: 'in the archive tier of the source and not in the vault',
    hint:
      'Azure cannot read content in the archive tier. Rehydrate the blob to an online tier, then start another ' +
      'run.',
  },
  directory: {
    meaning: 'a directory, not a blob',
    hint:
      'A directory of a hierarchical namespace has no content. Strongroom copies the files in it. No action is ' +
      'needed.',
  },
  'being-restored': {
    meaning: 'being restored by this job, backed up as they are now',
    hint:
      'A restore of this job was writing these blobs while the run backed them up, or was ended before it had ' +
      'finished them. Wait until the restore ends, or start it again; then start another run, which backs up what ' +
      'it restored.',
  },
  'other-vault': {
    meaning: 'backup blobs of another job, backed up as they are now',
    hint:
      'If that job is being restored to this container, wait until that ends, then start another run. Otherwise ' +
      'this container is a backup of that job. Snapshots are not backed up, so restore points of that job that ' +
      'need earlier content cannot be restored from here. For a second copy, add a job that backs up the original ' +
      'source to another destination.',
  },
  'unsupported-name': {
    meaning: 'a name that cannot be addressed',
    hint:
      'An HTTP request for this name would reach another blob or fail, or no listing shows it: a part of the name ' +
      'ends in a dot, or the name has a backslash, a control character such as a tab or line break, a half of a ' +
      'character, or over 1,024 characters. Rename the blob in the source, or shorten "destination.prefix"; in a ' +
      'restore, shorten "target.prefix".',
  },
  'source-changing': {
    meaning: 'changed during every attempt to copy',
    hint:
      'Another writer changed the blob each time Strongroom tried to copy it. Retry when the writes pause. If ' +
      'nothing writes there and both accounts are emulated, they have to be accounts of one emulator, under one ' +
      'address: it copies from no other.',
  },
  'destination-leased': {
    meaning: 'leased at the destination',
    hint:
      'A lease protects the blob that Strongroom has to write. Break the lease (az storage blob lease break), then ' +
      'retry.',
  },
  'destination-immutable': {
    meaning: 'immutable at the destination',
    hint:
      'An immutability policy or a legal hold protects this blob in the account that Strongroom writes to. For a ' +
      'copy, choose another destination container. For a prune, wait until the policy expires.',
  },
  'control-immutable': {
    meaning: 'the control container may not be changed',
    hint:
      'An immutability policy or a legal hold of the container "strongroom" keeps Strongroom from replacing its own ' +
      'objects, such as locks and notes, so no run can start. Remove it from that container, and protect the vault ' +
      'with versioning and a version-level policy instead: see "Immutability" in SECURITY.md.',
  },
  'destination-archived': {
    meaning: 'in the archive tier at the destination',
    hint:
      'Azure cannot overwrite a blob in the archive tier. Rehydrate the destination blob to an online tier, then ' +
      'retry.',
  },
  'destination-type-differs': {
    meaning: 'another blob type at the destination',
    hint:
      'The service cannot write a blob over one of another type (block, page or append). A backup keeps the copy ' +
      'beside the blob that is there, unless the name is too long for that: give the source blob a shorter name. In ' +
      'an archive, give the upload another name. In a restore, choose another container or prefix.',
  },
  'destination-changing': {
    meaning: 'changed in the vault by another writer',
    hint: 'Another process writes to this blob in the vault. Find that process and stop it, then retry.',
  },
  'access-denied-source': {
    meaning: 'the source account denies access',
    hint:
      'Assign Storage Blob Data Reader on the source account to this app, and Storage Table Data Reader for tables. ' +
      'Or use a key or SAS with read permission. If the message has AuthorizationFailure, the firewall of the ' +
      'account ("Networking") probably does not admit this app; an emulator says so of a wrong key. Then retry.',
  },
  'access-denied-destination': {
    meaning: 'the vault denies access',
    hint:
      'Let this app read and write blobs and index tags in the vault account: assign the role from ' +
      'infra/app/vault-access.bicep, or Storage Blob Data Owner, which includes these rights. If the message has ' +
      'AuthorizationFailure, the firewall of the account ("Networking") probably does not admit this app; an ' +
      'emulator says so of a wrong key. Then retry.',
  },
  'access-denied-copy-source': {
    meaning: 'not readable for the service that copies',
    hint:
      'Strongroom may list this account, but the service may not read the blob to copy it. 1. Check the firewall of ' +
      'the account that is read ("Networking"). It must admit this app, and for an asynchronous copy, which has no ' +
      'caller, everyone: "method": "blocks" avoids those. 2. Check "Permitted scope for copy operations" of both ' +
      'accounts. 3. Check that the signature covers reading (sp=r) and has not expired. 4. Check that no condition ' +
      'of the role excludes this blob. Then retry.',
  },
  'authentication-failed': {
    meaning: 'the account does not accept the sign-in',
    hint:
      'The account does not accept the key, signature or identity. 1. A SAS may have expired (se=) or be cut off; ' +
      'create a new one. 2. A key may be wrong or rotated; copy it again. 3. The clock of this machine may be ' +
      'wrong by more than 15 minutes. 4. An identity must exist: check the setting __clientId. Then retry.',
  },
  'key-not-permitted': {
    meaning: 'the account permits no keys',
    hint:
      'This account has "Allow storage account key access" off, which also refuses every SAS that a key has signed. ' +
      'Use an identity: replace the connection string by the setting __blobServiceUri, and assign the roles.',
  },
  'sas-too-narrow': {
    meaning: 'outside of what the shared access signature covers',
    hint:
      'The shared access signature (SAS) does not cover this request. An account needs the services blob and, for ' +
      'tables and the catalog, table (ss=bt), the resource types service, container and object (srt=sco), this ' +
      'protocol (spr) and the address of this app (sip). Create a new one.',
  },
  'https-required': {
    meaning: 'the account requires https',
    hint:
      'The account refuses http ("Secure transfer required"). Use https in the connection string: ' +
      'DefaultEndpointsProtocol=https, and https:// in BlobEndpoint and TableEndpoint.',
  },
  'account-disabled': {
    meaning: 'the account is disabled',
    hint: 'Azure has disabled this storage account, often with its subscription. Enable it, then retry.',
  },
  'customer-key': {
    meaning: "encrypted with the writer's own key",
    hint:
      'The writer of this blob encrypts it with a key that it sends with each request (customer-provided key). The ' +
      'service reads it for no one else. Back it up with that writer, or write it with an encryption scope instead.',
  },
  'hierarchical-account': {
    meaning: 'not supported by accounts with a hierarchical namespace',
    hint:
      'This account has a hierarchical namespace, which takes no snapshots and no index tags. A vault must be an ' +
      'account without one. A restore that replaces blobs there needs another container as "target.container".',
  },
  'request-refused': {
    meaning: 'refused by the service',
    hint:
      'The service refuses this request for a reason that Strongroom does not know; the message has its code and ' +
      'words. Look for the code in the Azure documentation. If it names no cause, report it with the run id.',
  },
  throttled: {
    meaning: 'the service was too busy',
    hint: 'The service stayed too busy through every attempt. Retry later, or reduce the other load on the account.',
  },
  unreachable: {
    meaning: 'no connection to the service',
    hint: 'Strongroom cannot connect to the service. Check the account address, DNS and firewall rules, then retry.',
  },
  'server-error': {
    meaning: 'the service failed',
    hint: 'The service failed in every attempt. Retry later.',
  },
  'copy-failed': {
    meaning: 'the service failed the copy',
    hint:
      'The service accepted the copy and then failed it. Retry. If the copy fails again, set "method": "blocks" in ' +
      'the job or archive rule.',
  },
  'copy-stuck': {
    meaning: 'the copy did not finish in time',
    hint: 'The service did not finish the copy before its deadline, and Strongroom aborted it. Retry.',
  },
  'tags-not-read': {
    meaning: 'copied without index tags that the app may not read',
    hint:
      'This app has no right to read index tags in the source. With infra/, set readTags to true in ' +
      'main.parameters.json and run azd provision.',
  },
  'tags-not-written': {
    meaning: 'copied without index tags that the account refused',
    hint:
      '1. Let this app write index tags in the account it copies to (infra/ defines the roles). 2. Start a full run, ' +
      'or the restore, again. Accounts with a hierarchical namespace have no index tags.',
  },
  'tier-not-kept': {
    meaning: 'copied without the access tier',
    hint:
      'The account that Strongroom copies to does not support the access tier of the source blob. The copy has the ' +
      "account's default tier. No action is needed.",
  },
  'metadata-not-kept': {
    meaning: 'restored without metadata that no header can carry',
    hint:
      'No header can carry the metadata that the message names: values that are empty, have outer spaces or are not ' +
      'plain ASCII. The outcome lists all metadata of the source blob in "metadata". Set what you need with another ' +
      'tool.',
  },
  'seal-not-kept': {
    meaning: 'restored without the seal of an append blob',
    hint:
      'The account did not seal the copy, so others can append to it. Seal it yourself (Append Blob Seal), or ' +
      'restore to an account that supports seals.',
  },
  'container-not-found': {
    meaning: 'the source does not have this container',
    hint:
      'The configuration names a container that the source does not have. Correct "source.containers" of the job or ' +
      '"source.container" of the archive rule, or create the container.',
  },
  'table-not-found': {
    meaning: 'the source does not have this table',
    hint:
      'The job names a table that the source does not have, or the table was deleted during the run. Correct ' +
      '"source.tables", or create the table.',
  },
  'account-not-found': {
    meaning: 'no such account, or it lacks this service',
    hint:
      'The service at this address does not know the account, or the account does not have this service, or ' +
      'another server answers there. Compare the address and the name of the account in the app setting with the ' +
      'account, and its kind: it needs blobs and, for tables, ' +
      'tables. An embedded or separate Azurite knows only the accounts that it was started with. Then start the ' +
      'run again.',
  },
  'container-being-deleted': {
    meaning: 'still being deleted by the service',
    hint:
      'The service is still deleting the container or table that had this name. A run waits up to ten minutes for ' +
      'it. If that was not enough, start the run again later, or choose another destination.',
  },
  'container-not-created': {
    meaning: 'not created by the account',
    hint:
      'The account refuses to create this container or table; the message has its answer. For 403, let this app ' +
      'create containers and tables there: infra/ defines the roles, and a SAS needs the resource type "container" ' +
      '(srt) and the permission to create (sp). For any other answer, check the kind of the account and its limits.',
  },
  'deletions-not-compared': {
    meaning: 'compared for changes, not for deletions',
    hint:
      'Entities deleted since the last comparison are still in the restore point, and a restore writes them again. ' +
      'Set "source.tableDeletions" to true, or start a full run: POST /api/jobs/{job}/runs.',
  },
  'changes-not-counted': {
    meaning: 'read in full, without an earlier state to compare with',
    hint:
      'The restore point before lacks some key ranges of this table, or what it has of them is missing, altered or ' +
      'of another account. They are backed up. But "added", "changed" and "deleted" do not count what has changed ' +
      'there. If that matters, compare the numbers of entities in both restore points.',
  },
  'table-not-empty': {
    meaning: 'the target table is not empty',
    hint:
      'By default, a restore writes only to an empty table. Choose "existing": "skip", "replace" or "merge", or ' +
      'restore to another table with "target.table".',
  },
  'deletion-not-restored': {
    meaning: 'recorded as deleted in the restored file',
    hint:
      'The file records that this entity was deleted. A restore deletes nothing. To delete the entity, delete it in ' +
      'the table yourself.',
  },
  'entity-refused': {
    meaning: 'refused by the table service',
    hint:
      'The table service refuses this entity; the message gives the reason. Find the entity in its file in the ' +
      'vault, correct it, and write it to the table yourself.',
  },
  'no-longer-held': {
    meaning: 'no longer held, though the restore point before held what the source still has',
    hint:
      'List them: GET /api/runs/{id}/outcomes?status=no-longer-held. Solve the cause of each, then start ' +
      'another run. If that was not intended, restore them from the restore point before.',
  },
  'copied-again': {
    meaning: 'copied again, because the vault no longer had the copy',
    hint:
      'Someone else deleted or overwrote copies in the vault, so earlier restore points lack this content. 1. Find ' +
      'out who: Strongroom deletes nothing that a restore point needs. 2. Verify the restore points that you need: ' +
      'POST /api/verifications with {"restorePoint": "…", "kind": "quick"} names what they lack. 3. Soft delete of ' +
      'the vault may bring it back.',
  },
  'container-not-held': {
    meaning: 'not in the restore point',
    hint:
      'The restore point does not contain this container, table, key range or blob. Correct the request, or choose ' +
      'another restore point: GET /api/restore-points.',
  },
  'no-containers': {
    meaning: 'no container or table matches',
    hint:
      'No container or table of the source matches the patterns of the job. If the source account is still empty, ' +
      'create a container in it. Otherwise correct "source.containers" or "source.tables".',
  },
  'container-name-invalid': {
    meaning: 'no valid destination name',
    hint:
      'The template does not make a valid destination of this container or table. In a job, give the container a job ' +
      'of its own. In a restore, correct "target.container" or "target.table".',
  },
  'container-skipped': {
    meaning: 'no valid backup container name, so it is not backed up',
    hint:
      'A pattern of the job matches this container, and the template makes no valid container name of its name, for ' +
      'example because the name is too long. Back it up with a job of its own, or delete it.',
  },
  'brake-engaged': {
    meaning: 'more was changed or lost at once than the safety brake allows',
    hint:
      'The message says why: a large change or loss, as by ransomware or a bad deployment, or a restore point that ' +
      'cannot be read. Until you release the brake, Strongroom keeps all older restore points and deletes nothing ' +
      'there. Compare the restore point with the one before: GET ' +
      '/api/restore-points/{id}. If the change is intended, release the brake: POST /api/restore-points/{id}/release.',
  },
  'order-unknown': {
    meaning: 'listed in an unknown order',
    hint:
      'The listings follow an unknown sort order, so Strongroom requests the properties of more blobs than usual. ' +
      'The run is slower; its result is correct. No action is needed.',
  },
  inconsistent: {
    meaning: 'outcomes and listing do not match',
    hint:
      'The outcomes do not add up to the listed items, so the run leaves no restore point. Start the run again, and ' +
      'report this.',
  },
  damaged: {
    meaning: 'a stored object is damaged or missing',
    hint:
      '1. Restore the object that the message names, from soft delete or a version of the vault. 2. If you cannot: a ' +
      'lock (locks/…) may be deleted while no run of its job is in progress. Notes, a summary or a record of the ' +
      'chain has a repair of its own, see "Damaged objects" in docs/http-api.md. For any other object, start another ' +
      'run of the job.',
  },
  'target-protected': {
    meaning: 'no restore may write to this destination',
    hint:
      'A backup, an archive or the host of an app uses this container or table. Restore what it held to another ' +
      'one, with "target.container" or "target.table".',
  },
  'target-exists': {
    meaning: 'already in the target',
    hint:
      'The target has a blob of this name or an entity of this key. Choose "existing": "skip", "overwrite" or ' +
      '"if-different" (tables: "skip", "replace" or "merge"), or restore to another container, prefix or table.',
  },
  'target-changing': {
    meaning: 'changed in the target by another writer',
    hint:
      'Another process writes to this blob, entity or table in the target. Find that process and stop it, then ' +
      'retry.',
  },
  'access-denied-target': {
    meaning: 'the target account denies access',
    hint:
      'Let this app write blobs, index tags and, if needed, tables in the target account; a backup does not need ' +
      'these rights. With infra/, set restoreToSource to true and run azd provision. Then retry.',
  },
  'access-denied-prune': {
    meaning: 'the vault denies deletion',
    hint:
      '1. Set up an account alias that may delete in the vault (infra/: pruneIdentity). 2. Name it in ' +
      '"retention.account" of the job or "receipts.account" of the archive rule. 3. Start the run again.',
  },
  'access-denied-vault': {
    meaning: 'the vault denies reading',
    hint:
      'Let this app read blobs in the vault account. If the message has AuthorizationFailure, the firewall of the ' +
      'account ("Networking") probably does not admit this app; an emulator says so of a wrong key. Then retry.',
  },
  'properties-not-read': {
    meaning: 'metadata or access policies that the backup could not read',
    hint:
      'The app had no right to read all properties of the container or table, so the restore point lacks them. Set ' +
      'them yourself. For later backups, use an account key for the source, or a role that may read access policies, ' +
      'such as Storage Blob Data Owner; a SAS never may.',
  },
  'access-not-restored': {
    meaning: 'public access or stored access policies not restored',
    hint:
      'A restore opens nothing to others unless it is asked to. To restore the access at the original place, start ' +
      'it with "restoreAccess": true (with "existing": "skip" if everything else is there), or set it yourself.',
  },
  'access-refused': {
    meaning: 'public access or stored access policies refused by the target',
    hint:
      'The request asked for the access, and the target account refused it; the message gives the reason. Allow ' +
      'public access in the account, or use an account key or a role with the right to set access policies. Then ' +
      'start the restore again with "existing": "skip".',
  },
  'properties-differ': {
    meaning: 'properties that differ from those that were backed up',
    hint:
      'A restore overwrites no property of a container or table that is there, and cannot set all of them. Compare ' +
      'those that the message names, and set them yourself if need be.',
  },
  'content-missing': {
    meaning: 'no longer in the vault',
    hint:
      'The vault does not have this content any more. Look for it among the soft-deleted containers and blobs and ' +
      'the versions of the vault, or in another restore point: GET /api/blobs/history. A backup copies again what ' +
      'the source still has.',
  },
  'content-mismatch': {
    meaning: 'not in the vault as it was backed up',
    hint:
      'The vault has other content here than the backup recorded: another writer overwrote or damaged it. Look for a ' +
      'sound copy in another restore point: GET /api/blobs/history.',
  },
  'content-archived': {
    meaning: 'in the archive tier of the vault',
    hint:
      'Azure cannot read content in the archive tier. Restore with "rehydrate": "standard" (up to 15 hours) or ' +
      '"high" (more expensive, usually less than one hour).',
  },
  'entities-to-replace': {
    meaning: 'in the target, and to be replaced',
    hint:
      'A dry run says so: the restore replaces these entities, or with "merge" sets the properties that were backed ' +
      'up, and keeps nothing of what they hold now. To leave them, choose "existing": "skip"; to see both, restore ' +
      'to another table with "target.table".',
  },
  'content-to-rehydrate': {
    meaning: 'in the archive tier of the vault, to be rehydrated first',
    hint:
      'A dry run says so; the restore sends one request for each of these blobs, and copies them once they are ' +
      'online: within 15 hours with "standard" priority, usually within one hour with "high" for less than 10 GB, ' +
      'at a higher price. Without "rehydrate", they fail as content-archived.',
  },
  'content-unproved': {
    meaning: 'read, with nothing to compare it with',
    hint:
      'The source now has another version of this blob, or it or its table cannot be read, and no MD5 proves the ' +
      'content. If the message names another Content-MD5, compare the blob with another copy: its writer did not ' +
      'update the MD5, or the content is damaged.',
  },
  'being-archived': {
    meaning: 'being archived by an event',
    hint:
      'An event is archiving this upload, or was interrupted. The next reconciliation archives the upload if the ' +
      'event does not. No action is needed.',
  },
  'changed-recently': {
    meaning: 'changed too recently for the rule',
    hint:
      'The rule archives a blob once it has not changed for "quietMinutes". A later event or reconciliation archives ' +
      'it. No action is needed.',
  },
  'settled-by-operator': {
    meaning: 'settled by an operator, so not archived',
    hint:
      'An operator has settled that this version is not archived. Its receipt shows who and why, in "settlement". To ' +
      'archive it after all, upload it again. No action is needed.',
  },
  'point-removed': {
    meaning: 'the restore point is removed',
    hint: 'A prune marked this restore point for removal, or removed it. Choose another: GET /api/restore-points.',
  },
  'plan-stale': {
    meaning: 'the plan is out of date',
    hint:
      'The restore points, holds or retention policy changed after the plan was made. Make a new plan: POST ' +
      '/api/prunes.',
  },
  'catalog-unavailable': {
    meaning: 'no table service for the catalog',
    hint:
      'Lists come from the vault itself, which takes longer. Nothing else needs the catalog, the index of runs in ' +
      'a table of the vault. To have it, let this app read and write tables there: an account of kind StorageV2; ' +
      'the role from infra/, or a SAS with ss=bt and sp=rwlacut; and TableEndpoint in the connection string (or ' +
      'the setting __tableServiceUri) if the address of the blobs does not contain ".blob.". Then call POST ' +
      '/api/catalog/rebuild.',
  },
  'catalog-differs': {
    meaning: 'the catalog does not list what the vault has',
    hint:
      'Lists come from the vault itself, which takes longer, and are complete. The table of the catalog could not be ' +
      'written when a run began or ended, or it was changed by something else. POST /api/catalog/rebuild writes it ' +
      'again from the vault, and names what only an operator can settle.',
  },
  'task-hub-taken': {
    meaning: 'the task hub belongs to another app',
    hint:
      "Apps with one task hub execute steps of each other's runs, with their own configuration and rights. Give this " +
      'app a hub of its own: set the app setting STRONGROOM_HUB to another name that begins with "strongroom". If ' +
      'the other app is gone, or is this one with a new vault, first let its runs end, and then delete the blob with ' +
      'the name of the hub in the container strongroom-hubs of the host storage (AzureWebJobsStorage).',
  },
  'run-in-progress': {
    meaning: 'not started, as another run was in progress',
    hint:
      'The next tick of the schedule starts it, unless a later occurrence is due by then. If it happens often, move ' +
      'the schedules of the job apart.',
  },
  'run-silent': {
    meaning: 'in progress, without a sign of life',
    hint:
      'Its orchestration may be stuck, or its host stopped. Start the host, or end the run: POST ' +
      '/api/runs/{id}/cancel with {"force": true}. After an hour without a sign, the next start of the job ends it.',
  },
  'run-stalled': {
    meaning: 'ended because it gave no sign of life',
    hint:
      'The orchestration of the run was in progress and did nothing, so the next start of the job ended it. That run ' +
      'does its work. If it happens again, look for the cause in the log of the host.',
  },
  'run-lost': {
    meaning: 'ended without a summary',
    hint:
      'The run ended without a summary: its orchestration was terminated, or its state was lost. Start another ' +
      'run.',
  },
  interrupted: {
    meaning: 'ended by the platform before it answered',
    hint:
      'The platform ended this step each time: the app ran out of memory, a function exceeded its time limit, or ' +
      'instances were deployed, scaled in or restarted. The log of the app names the cause. Retry. If it occurs ' +
      'again, give the app more memory, or lower "maxConcurrentActivityFunctions" in host.json.',
  },
  'orchestration-failed': {
    meaning: 'its orchestration failed',
    hint:
      'A deployment that changes the app while a run is in progress can cause this: deploy between runs. Start ' +
      'another run, which keeps what this one copied. If it occurs without a deployment, report it with the run id.',
  },
  'deployed-during-run': {
    meaning: 'ended by a deployment of another version',
    hint:
      'A deployment replaced the app while the run was in progress, and the new version processes runs in another ' +
      'way. Start another run, which keeps what this one copied. To avoid this, deploy between runs.',
  },
  'setup-changed': {
    meaning: 'ended because the configuration changed',
    hint:
      'A setting or strongroom.json changed while the run was in progress: what it had done belongs to the earlier ' +
      'setup, and nothing may mix the two. Start another run. A backup by schedule starts again within the hour.',
  },
  internal: {
    meaning: 'an unexpected failure',
    hint: 'An unexpected failure occurred. Retry. If it occurs again, report it with the run id.',
  },
} as const satisfies Record<string, { meaning: string; hint: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Whether the hint of a problem asks operators to do something. */
export function asksForAction(code: ProblemCode): boolean {
  return !PROBLEMS[code].hint.endsWith('No action is needed.');
}

/**
 * Whether the problem of a container is one that the run reports and does not fail of: anyone who creates containers in
 * the source could cause it.
 */
export function isSkip({ code }: Problem): boolean {
  return code === 'container-skipped';
}

/** Whether a problem is only a remark: it decides neither how the run ends nor whether it can be retried. */
export function isRemark({ code }: Pick<Problem, 'code'>): boolean {
  return code === 'pattern-unmatched' || code === 'brake-engaged';
}

export function problemOf(code: ProblemCode, count: number, container?: string, message?: string): Problem {
  const table = container === undefined ? undefined : tableOfTask(container);
  const items = table === undefined ? 'blob' : `item of table ${table}`;
  const what =
    count === 0 ? (container ?? 'the run') : count === 1 ? `1 ${items}` : `${count} ${items.replace(/^\w+/, '$&s')}`;
  // A count of comparisons within one table would mean nothing to the reader.
  const isOfTable = code === 'deletions-not-compared' || code === 'changes-not-counted';
  const about = isOfTable ? `table ${table}` : what;
  return {
    code,
    ...(container !== undefined && { container }),
    count,
    message: message ?? `${about}: ${PROBLEMS[code].meaning}`,
    hint: PROBLEMS[code].hint,
  };
}

/** A hint with its calls for one run: `{id}` and `{job}` stand for any. */
export function hintFor({ id, job }: { id: string; job: string }, hint: string): string {
  return hint.replaceAll('{id}', () => id).replaceAll('{job}', () => job);
}

/** A problem of a run or of one of its containers, with how many blobs it concerns (0: the whole container or run). */
export interface Problem {
  code: ProblemCode;
  /** Source container; absent if the problem concerns the whole run. */
  container?: string;
  count: number;
  message: string;
  hint: string;
}

/**
 * The problem to name where there is room for one: those of a whole run or container, then what asks for action, then
 * the safety brake, which follows from what happened and shows in the restore point, too.
 */
export function worstOf(problems: readonly Problem[]): Problem | undefined {
  const weight = (problem: Problem) => {
    if (problem.code === 'brake-engaged') return -1;
    return isRemark(problem) ? -2 : (asksForAction(problem.code) ? 1 : 0) + (problem.count === 0 ? 2 : 0);
  };
  // A summary may be of another version.
  const known = problems.filter(({ code }) => code in PROBLEMS);
  return known.sort((a, b) => weight(b) - weight(a) || b.count - a.count)[0] ?? problems[0];
}
