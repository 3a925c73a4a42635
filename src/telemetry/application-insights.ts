import { ManagedIdentityCredential } from '@azure/identity';
import appInsights from 'applicationinsights';
import type { TelemetrySink } from './telemetry.ts';

/**
 * Application Insights, in a bundle of its own, since loading it takes longer than loading the rest of the app. The app
 * loads it only if `APPLICATIONINSIGHTS_CONNECTION_STRING` is set. It sends events and metrics only: the Functions host
 * reports requests itself. `authentication` is `ClientId=…;Authorization=AAD` if the resource accepts no key.
 */
export function connectApplicationInsights(
  connectionString: string,
  authentication: string | undefined,
): TelemetrySink {
  const setup = appInsights
    .setup(connectionString)
    .setAutoCollectRequests(false)
    .setAutoCollectDependencies(false)
    .setAutoCollectConsole(false)
    .setAutoCollectExceptions(false)
    .setAutoCollectPerformance(false, false)
    // Each worker would keep a channel open for live metrics. The host has one of its own.
    .setSendLiveMetrics(false);
  // The package reads this setting only in its own agent. Here, we must set the credential before the start.
  const clientId = /ClientId=([^;]+)/.exec(authentication ?? '')?.[1];
  if (clientId) appInsights.defaultClient.config.aadTokenCredential = new ManagedIdentityCredential({ clientId });
  setup.start();
  const client = appInsights.defaultClient;
  return {
    event: (name, properties, measurements) =>
      client.trackEvent({ name: `strongroom-${name}`, properties, measurements }),
    metric: (name, value, properties) => client.trackMetric({ name: `strongroom-${name}`, value, properties }),
    exception: (exception, properties) => client.trackException({ exception, properties }),
    flush: async () => {
      await client.flush();
    },
  };
}
