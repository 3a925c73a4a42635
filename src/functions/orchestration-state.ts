import { type DurableClient, OrchestrationRuntimeStatus } from 'durable-functions';

const ENDED = new Set<OrchestrationRuntimeStatus>([
  OrchestrationRuntimeStatus.Completed,
  OrchestrationRuntimeStatus.Failed,
  OrchestrationRuntimeStatus.Canceled,
  OrchestrationRuntimeStatus.Terminated,
]);

/** Whether a run's orchestration is at work; `unknown` when there is none of this id (yet, or any more). */
export async function orchestrationState(client: DurableClient, id: string): Promise<'active' | 'ended' | 'unknown'> {
  try {
    const status = await client.getStatus(id);
    return ENDED.has(status.runtimeStatus) ? 'ended' : 'active';
  } catch (error) {
    // The client tells a missing instance from other failures only by its message.
    if (/HTTP 404/.test((error as Error).message)) return 'unknown';
    throw error;
  }
}
