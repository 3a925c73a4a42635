import { createHash } from 'node:crypto';
import type { DurableClient, DurableOrchestrationStatus } from 'durable-functions';
import type { Upload } from '#activities/archive/archive-upload.ts';
import type { Activities } from '#activities/index.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { mayPass } from '#domain/archive/passing.ts';
import type { FinishUploadInput } from '#orchestrations/finish-upload.ts';
import { hasEnded, statusOf } from '../run/orchestration-state.ts';

export type Archives = Pick<Activities, 'archiveUpload'>;

/**
 * Archives an upload, or hands it on to an orchestration that waits for what keeps it from being archived. Returns the
 * reason of a failure that does not pass by waiting, for the host's log.
 */
export async function archiveOrWait(
  deps: Dependencies,
  { archiveUpload }: Archives,
  client: DurableClient,
  upload: Upload,
): Promise<string | undefined> {
  const { rule, name, etag, owner } = upload;
  const result = await archiveUpload(upload);
  switch (result.is) {
    case 'pending':
      await startOnce(client, idOf(rule, name, etag, owner), { upload, delay: 1 });
      return undefined;
    case 'held':
      // The holder of the claim may die: the event stays until the upload is archived. One orchestration watches for
      // all.
      await startOnce(client, idOf(rule, name, result.etag, 'waiting'), { upload, delay: result.seconds });
      return undefined;
    case 'changing':
      await finishWhenQuiet(deps, client, { upload, delay: result.seconds, version: result.etag });
      return undefined;
    case 'failed':
      if (!mayPass(result.code)) return `${rule}: ${result.code}: ${result.message}`;
      await finishWhenPassed(deps, client, upload);
      return undefined;
    default:
      return undefined;
  }
}

/** The tries of the host end within minutes, those of a blob trigger within seconds: too soon for an outage. */
async function finishWhenPassed(deps: Dependencies, client: DurableClient, upload: Upload): Promise<void> {
  const { rule, name, etag, owner } = upload;
  const input = { upload, delay: 1, failingSince: deps.now().toISOString() };
  const configured = deps.configuration.archives.find((each) => each.name === rule);
  // A growing blob may have an event for each of its versions.
  if (configured?.quietMinutes !== undefined) await finishWhenQuiet(deps, client, input);
  else await startOnce(client, idOf(rule, name, etag, owner), input);
}

/** Differences of clocks, and the time until the status of an orchestration shows what it does. */
const MARGIN_MS = 30_000;

/** One orchestration waits for all versions of a blob that still changes. */
async function finishWhenQuiet(deps: Dependencies, client: DurableClient, input: FinishUploadInput): Promise<void> {
  const { version, delay, ...rest } = input;
  const { etag: _, ...upload } = input.upload;
  const now = deps.now().getTime();
  const until = new Date(now + delay * 1000).toISOString();
  const id = idOf(upload.rule, upload.name, 'quiet');
  const running = await startOnce(client, id, { ...rest, upload, delay, until });
  if (running === undefined || checksAfter(running, now + MARGIN_MS)) return;
  // It may have checked the blob before this version was written, and be about to end.
  await startOnce(client, idOf(upload.rule, upload.name, version ?? upload.owner, 'quiet'), { ...input, upload });
}

function checksAfter({ input }: DurableOrchestrationStatus, time: number): boolean {
  const { until }: Partial<FinishUploadInput> = typeof input === 'object' && input !== null ? input : {};
  return until !== undefined && Date.parse(until) > time;
}

/** Starts an orchestration, or returns the status of the one of this id that is in progress: one is enough. */
async function startOnce(
  client: DurableClient,
  instanceId: string,
  input: FinishUploadInput,
): Promise<DurableOrchestrationStatus | undefined> {
  try {
    await client.startNew('finishUpload', { instanceId, input });
    return undefined;
  } catch (error) {
    const status = await statusOf(client, instanceId);
    if (!status || hasEnded(status)) throw error;
    return status;
  }
}

function idOf(...parts: (string | undefined)[]): string {
  return `upload-${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)}`;
}
