import { type Access, decideProperties, inWords } from '#domain/restore/restored-properties.ts';
import type { ContainerProperties } from '#domain/run/container-properties.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import type { RestoreRef } from '#domain/run/run.ts';
import { nameProblem } from '#domain/run/tally.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import { isStorageError, type StorageError, type StorageErrorKind } from '#storage/storage-error.ts';
import { unreadMessage } from '../run/record-properties.ts';
import type { RunContext } from '../run/run-context.ts';

/** The container or table that a restore writes to. */
export interface PropertiesTarget {
  /** Undefined if it is not there. */
  read(): Promise<ContainerProperties | undefined>;
  set(access: Access): Promise<void>;
}

/**
 * Restores what the restore point has of the properties of a container or table, as far as the request asks for it, and
 * names what stays different. A dry run only names it. Metadata is set where the container is made. Safe to run twice.
 */
export async function restoreProperties(
  context: RunContext<RestoreRef>,
  recorded: ContainerProperties,
  target: PropertiesTarget,
): Promise<void> {
  const { run, container, tally } = context;
  const name = (code: ProblemCode, how: string, what: string[]) =>
    nameProblem(tally, code, `${aboutTask(container)}: ${how}: ${what.join(', ')}`);
  const found = await target.read();
  // Nothing was restored into it.
  if (!found && !run.dryRun) return;
  if (recorded.unread) nameProblem(tally, 'properties-not-read', unreadMessage(container, recorded.unread));
  const there = found ?? asMade(recorded);
  const { access, differences } = decideProperties(recorded, there, run.restore.restoreAccess === true);
  for (const { code, what } of differences) name(code, WORDS[code], what);
  if (!access || run.dryRun) return;
  const refused = await setAccess(target, access, there);
  if (refused) name('access-refused', WORDS['access-refused'], [...inWords(access), refused.message]);
}

const WORDS = {
  'access-not-restored': 'not restored',
  'access-refused': 'not taken by the target',
  'properties-differ': 'different in the target, and left as it is',
} as const;

/** What a container is that this restore would make. */
function asMade({ metadata }: ContainerProperties): ContainerProperties {
  return metadata ? { metadata } : {};
}

/** Sets the access. Where public access is not permitted, sets the policies alone. The refusal, if there is one. */
async function setAccess(
  target: PropertiesTarget,
  access: Access,
  { publicAccess, policies = [] }: ContainerProperties,
): Promise<StorageError | undefined> {
  const refused = await refusalOf(target.set(access));
  if (refused?.code === 'PublicAccessNotPermitted' && access.policies.length > policies.length) {
    const without = { ...(publicAccess !== undefined && { publicAccess }), policies: access.policies };
    await refusalOf(target.set(without));
  }
  return refused;
}

async function refusalOf(request: Promise<void>): Promise<StorageError | undefined> {
  try {
    await request;
    return undefined;
  } catch (error) {
    if (!isStorageError(error) || PASSING.has(error.kind)) throw error;
    return error;
  }
}

/** Failures of which a later attempt may know nothing. */
const PASSING = new Set<StorageErrorKind>(['throttled', 'server', 'unreachable', 'aborted', 'container-not-found']);

function aboutTask(container: string): string {
  const table = tableOfTask(container);
  return table === undefined ? container : `table ${table}`;
}
