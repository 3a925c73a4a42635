import { ManagedIdentityCredential } from '@azure/identity';
import appInsights from 'applicationinsights';
import type { TelemetrySink } from './telemetry.ts';

/**
 * Application Insights, in a bundle of its own, since loading it takes longer than loading the rest of the app. The app
 * loads it only if `APPLICATIONINSIGHTS_CONNECTION_STRING` is set. It sends events and metrics only: the Functions host
 * reports requests itself. `identity` signs in if the resource accepts no key.
 */
export function connectApplicationInsights(connectionString: string, identity?: { clientId?: string }): TelemetrySink {
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
  const { config } = appInsights.defaultClient;
  if (identity) config.aadTokenCredential = new ManagedIdentityCredential(identity);
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
