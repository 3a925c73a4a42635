import { z } from 'zod';
import { FOLDERS } from '#domain/archive/archive-name.ts';
import { CONTROL_CONTAINER, isValidContainerName } from '#domain/blobs/container-pattern.ts';
import { backupTemplateProblem, prefixTemplateProblem } from '#domain/blobs/container-template.ts';
import { scheduleProblem, timeZoneProblem } from '#domain/run/schedule.ts';
import { blobChoice } from './blob-choice.ts';
import type { ConfigurationProblem } from './configuration-error.ts';
import { checkSchema } from './notify.ts';
import { alias, atLeastOne, count, methodSchema, nameOf, text } from './schema-parts.ts';

function sourceContainerProblem(name: string): string | undefined {
  if (name === CONTROL_CONTAINER) {
    return `"${CONTROL_CONTAINER}" is the control container of a vault, and a rule cannot archive it`;
  }
  if (isValidContainerName(name)) return undefined;
  return (
    `${JSON.stringify(name)} is not a container name: use 3 to 63 lower-case letters, digits and single hyphens ` +
    '(or $web, $root); a rule has one container and takes no pattern'
  );
}

function queueProblem(name: string): string | undefined {
  const quoted = JSON.stringify(name);
  if (!/^(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name)) {
    return `${quoted} is not a queue name: use 3 to 63 lower-case letters, digits and single hyphens`;
  }
  if (name.endsWith('-poison')) {
    return `${quoted} is the poison queue of another queue; name the queue that receives the events`;
  }
  // The host moves messages that fail too often to a queue of this name with "-poison" at the end.
  return `${name}-poison`.length > 63
    ? `${quoted} has ${name.length} characters; the maximum is 56, because the poison queue adds "-poison"`
    : undefined;
}

function connectionProblem(name: string): string | undefined {
  if (/^[A-Za-z_][\w.:-]{0,126}$/.test(name)) return undefined;
  return (
    'a connection is the name of an app setting, for example "AzureWebJobsStorage": a letter or "_", then letters, ' +
    'digits, "_", ".", ":" or "-"'
  );
}

/** The app's own storage, which the host needs as well. */
export const HOST_STORAGE = 'AzureWebJobsStorage';

/** The name of a connection, as the host names them. */
export const connectionSchema = text(connectionProblem);

export const ruleSourceSchema = z.strictObject({
  account: alias.describe(
    'Alias of the account that receives the uploads. The app settings of this name hold its connection, as for jobs.',
  ),
  container: text(sourceContainerProblem).describe('Name of the container that receives the uploads.'),
  ...blobChoice,
});

export const ruleDestinationSchema = z
  .strictObject({
    account: alias.describe('Alias of the vault, the account to archive to.'),
    container: text(backupTemplateProblem).describe(
      'Template for the archive container; `{container}` stands for the name of the source container, for ' +
        'example `{container}archive`.',
    ),
    prefix: text(prefixTemplateProblem)
      .default('')
      .describe('Template for a prefix of every archived blob name, for example `{container}/`.'),
    tier: z
      .enum(['Hot', 'Cool', 'Cold', 'Archive'])
      .exactOptional()
      .describe('Access tier of archived blobs. `Archive` requires `"folders": "version"`.'),
    folders: z
      .enum(FOLDERS)
      .default('none')
      .describe(
        'Folder between prefix and name: `none`; `day`, the day of the upload, `2026/11/21/`; or `version`, the ' +
          'day, time and ETag of the upload, so that every version has its own name.',
      ),
  })
  .refine(({ tier, folders }) => tier !== 'Archive' || folders === 'version', {
    path: ['tier'],
    error:
      'Azure can neither overwrite a blob in tier Archive nor take a snapshot of it, so every version needs its ' +
      'own name: add "folders": "version", or choose "Cold"',
    when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value),
  });

export const blobTriggerSchema = z.enum(['scan', 'event-grid']);
const triggerSchema = z.object({ events: z.object({ blobTrigger: blobTriggerSchema }) });

const eventsSchema = atLeastOne(
  z.strictObject({
    blobTrigger: blobTriggerSchema
      .exactOptional()
      .describe(
        'A blob trigger: `scan` lists the container and suits small ones; `event-grid` receives events from an ' +
          'event subscription. Both load every blob into the memory of the app; for large blobs use `queue`.',
      ),
    queue: text(queueProblem)
      .exactOptional()
      .describe(
        'Name of the storage queue that receives upload events, from Event Grid or by hand. Rules may share a queue.',
      ),
    queueAccount: connectionSchema
      .default(HOST_STORAGE)
      .describe(
        'Connection of the queue, as Azure Functions names connections: an app setting with a connection string, ' +
          'or `<name>__queueServiceUri`. Default: the host storage of the app.',
      ),
  }),
  ['blobTrigger', 'queue'],
  'no source of events is set; add "blobTrigger", "queue" or both, or remove "events", and only the ' +
    'reconciliation archives uploads',
);

const receiptsSchema = z.strictObject({
  keepDays: count(10_000).describe(
    'Days to keep the receipt of a version that the source no longer has, deleted or overwritten, and the entry ' +
      'of a poison upload that is settled.',
  ),
  account: alias
    .exactOptional()
    .describe(
      'Another alias of the vault, with an identity or key that may delete. Default: the alias of the destination.',
    ),
});

/** One archive rule: uploads to a container are copied to another container as they arrive. */
export const archiveRuleSchema = z.strictObject({
  name: nameOf('an archive rule').describe('Name of the rule: lower case, unique among jobs and archive rules.'),
  source: ruleSourceSchema.describe('The uploads to archive.'),
  destination: ruleDestinationSchema.describe('The vault, and the container of the archived blobs in it.'),
  events: eventsSchema
    .exactOptional()
    .describe(
      'Source of upload events, so that uploads are archived within seconds. Without `events`, only the ' +
        'reconciliation archives uploads.',
    ),
  reconcile: text(scheduleProblem)
    .default('0 0 * * * *')
    .describe(
      'Schedule of the reconciliation, which archives every upload without a receipt: six fields. Default: hourly.',
    ),
  timeZone: text(timeZoneProblem)
    .default('UTC')
    .describe('IANA time zone of `reconcile`, for example `Europe/Berlin`. Folder names use UTC.'),
  method: methodSchema,
  quietMinutes: count(1440)
    .exactOptional()
    .describe(
      'Archive a blob only after it has not changed for so many minutes, or when it is sealed: a log that grows all ' +
        'day is then not archived after each write. 1 to 1440. Default: at once.',
    ),
  receipts: receiptsSchema
    .exactOptional()
    .describe('How long Strongroom keeps receipts that it no longer needs. Without `receipts`, it keeps all receipts.'),
  ping: checkSchema,
});

/** One rule with all defaults. */
export type ArchiveRule = z.output<typeof archiveRuleSchema>;

/**
 * Problems of blob triggers of different kinds: one listener of the host serves all of them. `rules` may be any value.
 */
export function unlikeTriggers(rules: unknown): ConfigurationProblem[] {
  if (!Array.isArray(rules)) return [];
  const triggers = rules.flatMap((rule: unknown, index) => {
    const found = triggerSchema.safeParse(rule);
    return found.success ? [{ place: `archives[${index}]`, trigger: found.data.events.blobTrigger }] : [];
  });
  const [first, ...others] = triggers;
  return others
    .filter(({ trigger }) => trigger !== first!.trigger)
    .map(({ place, trigger }) => ({
      place: `${place}.events.blobTrigger`,
      message:
        `"${trigger}" differs from the blob trigger of ${first!.place}: all blob triggers of the app share one ` +
        `listener, so set this to "${first!.trigger}" as well, or use "queue"`,
    }));
}
