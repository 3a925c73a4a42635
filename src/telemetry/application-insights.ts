import { ManagedIdentityCredential } from '@azure/identity';
import appInsights from 'applicationinsights';
import type { TelemetrySink } from './telemetry.ts';

/**
 * Application Insights, in a bundle of its own: it is most of the start-up time and size, and is loaded only where
 * `APPLICATIONINSIGHTS_CONNECTION_STRING` is set. Events and metrics only: the Functions host reports requests itself.
 * `authentication` is `ClientId=…;Authorization=AAD` where the resource takes no key.
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
    .setAutoCollectPerformance(false, false);
  // The package reads this setting only in its own agent; here the credential has to be given, and before the start.
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
