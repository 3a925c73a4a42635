import { z } from 'zod';
import { FOLDERS } from '#domain/archive/archive-name.ts';
import { CONTROL_CONTAINER, isValidContainerName } from '#domain/blobs/container-pattern.ts';
import { containerTemplateProblem, prefixTemplateProblem } from '#domain/blobs/container-template.ts';
import { scheduleProblem, timeZoneProblem } from '#domain/run/schedule.ts';
import { atLeastOne } from './at-least-one.ts';
import { blobChoice } from './blob-choice.ts';
import type { ConfigurationProblem } from './configuration-error.ts';
import { count } from './count.ts';
import { methodSchema } from './method.ts';
import { nameOf } from './name.ts';
import { alias, text } from './text.ts';

function sourceContainerProblem(name: string): string | undefined {
  if (name === CONTROL_CONTAINER) {
    return `"${CONTROL_CONTAINER}" keeps what a vault knows of itself, and is not archived`;
  }
  if (isValidContainerName(name)) return undefined;
  return `${JSON.stringify(name)} is not a container name: 3 to 63 lower-case letters, digits and single hyphens (or $web, $root); a rule has one container, and patterns are for jobs`;
}

function queueProblem(name: string): string | undefined {
  const quoted = JSON.stringify(name);
  if (!/^(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name)) {
    return `${quoted} is not a queue name: 3 to 63 lower-case letters, digits and single hyphens`;
  }
  if (name.endsWith('-poison')) {
    return `${quoted} is where another queue's messages end up that failed too often; name the queue that events are put into`;
  }
  // The host puts what fails too often into a queue of this name with "-poison" behind it.
  return `${name}-poison`.length > 63
    ? `${quoted} has ${name.length} characters; at most 56 leave room for "-poison"`
    : undefined;
}

function connectionProblem(name: string): string | undefined {
  if (/^[A-Za-z_][\w.:-]{0,126}$/.test(name)) return undefined;
  return 'a connection is named by an app setting, such as "AzureWebJobsStorage": a letter, then letters, digits and "_"';
}

export const ruleSourceSchema = z.strictObject({
  account: alias.describe('Alias of the account whose uploads are archived; resolved like those of jobs.'),
  container: text(sourceContainerProblem).describe('The container whose uploads are archived, by name.'),
  ...blobChoice,
});

export const ruleDestinationSchema = z
  .strictObject({
    account: alias.describe('Alias of the vault, the account to archive to.'),
    container: text(containerTemplateProblem).describe(
      'The container to archive to, where `{container}` stands for the name of the source container, such as `{container}archive`.',
    ),
    prefix: text(prefixTemplateProblem)
      .default('')
      .describe('Put in front of every blob name; may hold `{container}`, such as `{container}/`.'),
    tier: z
      .enum(['Hot', 'Cool', 'Cold', 'Archive'])
      .exactOptional()
      .describe('The access tier of what is archived; `Archive` needs folders `version`.'),
    folders: z
      .enum(FOLDERS)
      .default('none')
      .describe(
        'What is put between prefix and name: `none`; the `day` of the upload, `2026/11/21/`; or, with `version`, its time and ETag, so that every version has a name of its own.',
      ),
  })
  .refine(({ tier, folders }) => tier !== 'Archive' || folders === 'version', {
    path: ['tier'],
    error:
      'a blob in tier Archive can be neither overwritten nor kept as a snapshot, so every version needs a name of its own: add "folders": "version", or choose "Cold"',
    when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value),
  });

const blobTriggerSchema = z.enum(['scan', 'event-grid']);
const triggerSchema = z.object({ events: z.object({ blobTrigger: blobTriggerSchema }) });

const eventsSchema = atLeastOne(
  z.strictObject({
    blobTrigger: blobTriggerSchema
      .exactOptional()
      .describe(
        'A blob trigger: `scan` looks through the container and suits small ones, `event-grid` is told by an event subscription. Either loads every blob into the app; for large ones use `queue`.',
      ),
    queue: text(queueProblem)
      .exactOptional()
      .describe('The storage queue that Event Grid, or anyone by hand, puts events into. Rules may share one.'),
    queueAccount: text(connectionProblem)
      .default('AzureWebJobsStorage')
      .describe(
        "The account of the queue, as Azure Functions name connections: an app setting with a connection string, or `<name>__queueServiceUri`. Without it, the app's own storage.",
      ),
  }),
  ['blobTrigger', 'queue'],
  'nothing says where events come from; give "blobTrigger", or "queue", or both; or leave "events" out, and only the reconcile archives',
);

const receiptsSchema = z.strictObject({
  keepDays: count(10_000).describe(
    'Receipts of versions that are gone from the source, or followed by one that is archived, are removed after so many days.',
  ),
  account: alias
    .exactOptional()
    .describe(
      'Alias of the vault again, for an identity or key that may delete; without it, that of the destination is used.',
    ),
});

/** One archive rule: what is uploaded to a container is copied elsewhere as it arrives. */
export const archiveRuleSchema = z.strictObject({
  name: nameOf('an archive rule').describe('The name of the rule: unique among jobs and rules, in lower case.'),
  source: ruleSourceSchema.describe('What to archive.'),
  destination: ruleDestinationSchema.describe('Where to archive it.'),
  events: eventsSchema
    .exactOptional()
    .describe('What tells of uploads, so that they are archived soon; without it, only the reconcile archives.'),
  reconcile: text(scheduleProblem)
    .default('0 0 * * * *')
    .describe('When to look for uploads that no event told of: six fields; hourly, if nothing else is said.'),
  timeZone: text(timeZoneProblem)
    .default('UTC')
    .describe('The IANA time zone of `reconcile`, such as `Europe/Berlin`. Folders are in UTC.'),
  method: methodSchema,
  receipts: receiptsSchema
    .exactOptional()
    .describe('How long to keep receipts that are no longer needed; without it, for ever.'),
});

/** One rule, every default filled in. */
export type ArchiveRule = z.output<typeof archiveRuleSchema>;

/** One listener of the host serves all blob triggers, and cannot be of two kinds. `rules` may be anything at all. */
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
      message: `"${trigger}" is not what ${first!.place} has: all blob triggers of the app share one listener, so make this "${first!.trigger}" too, or use "queue"`,
    }));
}
