import { type DurableClient, OrchestrationRuntimeStatus } from 'durable-functions';

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
  try {
    const status = await client.getStatus(id);
    const custom = status.customStatus as { containers?: number } | null | undefined;
    return {
      state: ENDED.has(status.runtimeStatus) ? 'ended' : 'active',
      ...(custom?.containers !== undefined && { containers: custom.containers }),
    };
  } catch (error) {
    // The client distinguishes a missing instance from other failures only by the message.
    if (/HTTP 404/.test((error as Error).message)) return { state: 'unknown' };
    throw error;
  }
}
