import { join } from 'node:path';
import { startClientApi } from '../durable/client-api.ts';
import { clientBinding } from '../durable/client-binding.ts';
import { DurableEngine } from '../durable/engine.ts';
import type { Unfinished } from '../durable/unfinished.ts';
import type { HostError } from '../host-error.ts';
import { writeLog } from '../log.ts';
import type { TypedData } from '../worker/core-api.ts';
import type { HostedFunction, Listener, TriggerHost } from './trigger.ts';

export interface DurableListener extends Listener {
  /** The data of durableClient bindings. */
  clientData: TypedData;
  unfinished(): Unfinished[];
}

/** Runs orchestrations and activities, and serves the client with which the app starts them. */
export async function durableListener(
  functions: HostedFunction[],
  { settings, dataDirectory, resumes }: TriggerHost,
  fatal: (error: HostError) => void,
): Promise<DurableListener> {
  const invokes = (type: string) =>
    new Map(functions.filter(({ trigger }) => trigger.type === type).map(({ name, invoke }) => [name, invoke]));
  const engine = await DurableEngine.open({
    journalFile: join(dataDirectory, 'durable.journal'),
    orchestrators: invokes('orchestrationTrigger'),
    activities: invokes('activityTrigger'),
    maxConcurrentActivities: settings.maxConcurrentActivityFunctions,
    maxConcurrentOrchestrators: settings.maxConcurrentOrchestratorFunctions,
    fatal,
  });
  const api = await startClientApi(engine);
  return {
    clientData: { string: clientBinding(settings.hubName, api.rpcBaseUrl) },
    unfinished: () => engine.unfinished(),
    start() {
      const running = engine.start(resumes);
      if (running > 0) writeLog('information', `Resuming ${running} orchestration${running === 1 ? '' : 's'}.`);
    },
    stop: () => engine.stop(),
    async close() {
      await api.stop();
      await engine.close();
    },
  };
}
