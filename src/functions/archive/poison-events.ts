import type { DurableClient } from 'durable-functions';
import type { Activities } from '#activities/index.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { ArchiveRule } from '#config/configuration.ts';
import { rulesFor } from '#domain/archive/archive-event.ts';
import { defined } from '#domain/run/defined.ts';
import { traceOfUpload } from '#domain/run/trace.ts';
import { messageText, uploadOf, uploadsIn } from './archive-events.ts';
import { type Archives, archiveOrWait } from './archive-or-wait.ts';

/** The queue for messages that a blob trigger could not process; all blob triggers share it. */
export const BLOB_POISON_QUEUE = 'webjobs-blobtrigger-poison';

type Keeping = Pick<Activities, 'keepPoison'>;

/**
 * Stores the uploads of messages that the host moved to a poison queue, each with its reason, so that operators can
 * list and reprocess them: a queue shows 32 messages at most.
 */
export function queuePoisonHandler(
  deps: Dependencies,
  { keepPoison }: Keeping,
  queue: string,
  rules: readonly ArchiveRule[],
) {
  return async (message: unknown): Promise<void> => {
    for (const { rule, name, etag, trace } of uploadsIn(deps, queue, rules, message, 'poison')) {
      await keepPoison({ rule, name, ...defined({ etag, trace }) });
    }
  };
}

/**
 * The same for blob triggers. The tries of the host end within seconds, also if it could not read the blob itself, so
 * each upload is tried once more. `functionOf` returns the name of the function of a rule.
 */
export function blobPoisonHandler(
  deps: Dependencies,
  activities: Archives & Keeping,
  rules: readonly ArchiveRule[],
  functionOf: (rule: ArchiveRule) => string,
) {
  return async (message: unknown, client: DurableClient): Promise<void> => {
    const { FunctionId, ContainerName, BlobName, ETag } = blobMessage(message);
    const rule = rules.find((each) => FunctionId === `Host.Functions.${functionOf(each)}`);
    if (!rule || ContainerName === undefined || BlobName === undefined) {
      deps.telemetry.eventIgnored(BLOB_POISON_QUEUE, 'the message is of no function of this app');
      return;
    }
    const etag = ETag?.replaceAll('"', '');
    const event = { container: ContainerName, name: BlobName, ...(etag && { etag }) };
    if (rulesFor(event, [rule], (alias) => deps.blobs(alias).endpoint).length === 0) return;
    const upload = uploadOf(rule.name, event, `poison-${deps.random()}`);
    const failure = await archiveOrWait(deps, activities, client, upload);
    if (failure === undefined) return;
    await activities.keepPoison({
      rule: rule.name,
      name: BlobName,
      ...(etag && { etag }),
      trace: traceOfUpload(upload),
    });
  };
}

type BlobMessage = Partial<Record<'FunctionId' | 'ContainerName' | 'BlobName' | 'ETag', string>>;

function blobMessage(message: unknown): BlobMessage {
  let value: unknown;
  try {
    value = JSON.parse(messageText(message));
  } catch {
    return {};
  }
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([, each]) => typeof each === 'string'));
}
