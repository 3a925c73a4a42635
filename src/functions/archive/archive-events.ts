import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import type { Upload } from '#activities/archive/archive-upload.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { ArchiveRule } from '#config/configuration.ts';
import { type ArchiveEvent, readEvents, rulesFor } from '#domain/archive/archive-event.ts';
import { defined } from '#domain/run/defined.ts';
import { eventOwner } from '#domain/run/run-id.ts';
import { type Archives, archiveOrWait } from './archive-or-wait.ts';
import { uploadId } from './upload-id.ts';

/**
 * Archives the uploads that one queue message names. Throws if any of them failed: the host then tries the message
 * again, and each archived upload costs one request. Drops a message that names no upload of a rule, and logs it.
 */
export function queueEventsHandler(
  deps: Dependencies,
  archiving: Archives,
  queue: string,
  rules: readonly ArchiveRule[],
) {
  return async (message: unknown, client: DurableClient, context: InvocationContext): Promise<void> => {
    const uploads = uploadsIn(deps, queue, rules, message, eventId(deps, context));
    await archiveAll(deps, archiving, client, uploads);
  };
}

/** Archives the blob of a blob trigger. Ignores the content that the trigger passes. */
export function blobEventHandler(deps: Dependencies, archiving: Archives, rule: ArchiveRule) {
  return async (_content: unknown, client: DurableClient, context: InvocationContext): Promise<void> => {
    const { container } = rule.source;
    const path = String(context.triggerMetadata?.blobTrigger ?? '');
    if (!path.startsWith(`${container}/`)) return;
    const event = { container, name: path.slice(container.length + 1) };
    if (rulesFor(event, [rule], (alias) => deps.blobs(alias).endpoint).length === 0) return;
    const id = uploadId(event.name, context.triggerMetadata?.properties) ?? `scan-${deps.random()}`;
    await archiveAll(deps, archiving, client, [uploadOf(rule.name, event, id)]);
  };
}

/** The uploads of a message, one for each rule that archives it. */
export function uploadsIn(
  deps: Dependencies,
  queue: string,
  rules: readonly ArchiveRule[],
  message: unknown,
  id: string,
): Upload[] {
  const read = readEvents(messageText(message));
  if ('unreadable' in read) {
    deps.telemetry.eventIgnored(queue, read.unreadable);
    return [];
  }
  return read.events.flatMap((event) => {
    const matching = rulesFor(event, rules, (alias) => deps.blobs(alias).endpoint);
    if (matching.length === 0) deps.telemetry.eventIgnored(queue, 'no rule archives the blob that it names');
    return matching.map((rule) => uploadOf(rule.name, event, id));
  });
}

/**
 * The text of a message. Event Grid encodes it in Base64, while operators usually send plain text. The host may have
 * parsed it as JSON.
 */
export function messageText(message: unknown): string {
  if (typeof message !== 'string') return JSON.stringify(message ?? null);
  const isBase64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(message);
  return isBase64 ? Buffer.from(message, 'base64').toString('utf8') : message;
}

export function uploadOf(rule: string, { name, etag, trace }: ArchiveEvent, id: string): Upload {
  return { rule, name, ...defined({ etag, trace }), owner: eventOwner(rule, id) };
}

/** The id of the message, the same for each delivery. */
function eventId(deps: Dependencies, { triggerMetadata }: InvocationContext): string {
  const id = triggerMetadata?.id;
  return typeof id === 'string' && /^[\w-]{1,64}$/.test(id) ? id : deps.random();
}

async function archiveAll(
  deps: Dependencies,
  archiving: Archives,
  client: DurableClient,
  uploads: Upload[],
): Promise<void> {
  const results = await Promise.all(
    uploads.map((upload) => deps.copySlots(() => archiveOrWait(deps, archiving, client, upload))),
  );
  const failures = results.filter((failure) => failure !== undefined);
  if (failures.length > 0) throw new Error(failures.join('; '));
}
