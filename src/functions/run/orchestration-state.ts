import { type DurableClient, type DurableOrchestrationStatus, OrchestrationRuntimeStatus } from 'durable-functions';
import { workId } from '#domain/run/run-id.ts';

const ENDED = new Set<OrchestrationRuntimeStatus>([
  OrchestrationRuntimeStatus.Completed,
  OrchestrationRuntimeStatus.Failed,
  OrchestrationRuntimeStatus.Canceled,
  OrchestrationRuntimeStatus.Terminated,
]);

export interface OrchestrationState {
  /** `unknown` if there is no orchestration of this id (yet, or any more). */
  state: 'active' | 'ended' | 'unknown';
  /** How many containers and tables it processes, once this is known. */
  containers?: number;
}

export async function orchestrationState(client: DurableClient, id: string): Promise<OrchestrationState> {
  const status = await statusOf(client, id);
  if (!status) return { state: 'unknown' };
  if (hasEnded(status)) return { state: 'ended' };
  // The orchestration that does the work of a run knows it.
  const work = await statusOf(client, workId(id));
  const custom = work?.customStatus as { containers?: number } | null | undefined;
  return { state: 'active', ...(custom?.containers !== undefined && { containers: custom.containers }) };
}

export function hasEnded({ runtimeStatus }: DurableOrchestrationStatus): boolean {
  return ENDED.has(runtimeStatus);
}

/** Undefined if there is no orchestration of this id. */
export async function statusOf(client: DurableClient, id: string): Promise<DurableOrchestrationStatus | undefined> {
  try {
    return await client.getStatus(id);
  } catch (error) {
    // The client distinguishes a missing instance from other failures only by the message.
    if (/HTTP 404/.test((error as Error).message)) return undefined;
    throw error;
  }
}
