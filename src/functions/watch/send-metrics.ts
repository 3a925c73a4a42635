import type { DurableClient } from 'durable-functions';
import type { Dependencies } from '#app/dependencies.ts';
import { samplesNow } from './samples-now.ts';

/** Sends the metrics to a collector. A timer runs in one process, however many there are, so each is sent once. */
export function sendMetricsHandler(deps: Dependencies, send: NonNullable<Dependencies['sendSamples']>) {
  const samples = samplesNow(deps);
  return async (_timer: unknown, client: DurableClient): Promise<void> => {
    const found = await samples(client);
    try {
      await send(found, deps.now());
    } catch (error) {
      deps.telemetry.warn('metrics-not-sent', { message: (error as Error).message });
    }
  };
}
