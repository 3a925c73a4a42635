import appInsights from 'applicationinsights';
import type { TelemetrySink } from './telemetry.ts';

/**
 * Application Insights, in a bundle of its own: it is most of the start-up time and size, and is loaded only where
 * `APPLICATIONINSIGHTS_CONNECTION_STRING` is set. Events and metrics only: the Functions host reports requests itself.
 */
export function connectApplicationInsights(connectionString: string): TelemetrySink {
  appInsights
    .setup(connectionString)
    .setAutoCollectRequests(false)
    .setAutoCollectDependencies(false)
    .setAutoCollectConsole(false)
    .setAutoCollectExceptions(false)
    .setAutoCollectPerformance(false, false)
    .start();
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
