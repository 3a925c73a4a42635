import { ValueType } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { AggregationTemporality, DataPointType } from '@opentelemetry/sdk-metrics';
import { METRICS, type MetricName, type Sample } from '#domain/metrics/metric.ts';
import { reasonOf, type Sender, timeOf } from './otlp-resource.ts';

/** Sends samples, and throws if they are not taken. The message has no address and no header. */
export type SendSamples = (samples: readonly Sample[], at: Date) => Promise<void>;

/**
 * A collector of metrics. It gets those of GET /api/metrics, and Application Insights gets none of them: nothing is
 * sent twice.
 */
export function sendSamplesTo({ resource, scope }: Sender): SendSamples {
  const exporter = new OTLPMetricExporter();
  return async (samples, at) => {
    const metrics = metricsOf(samples, at);
    const { error } = await new Promise<{ error?: Error }>((resolve) => {
      exporter.export({ resource, scopeMetrics: [{ scope, metrics }] }, resolve);
    });
    if (error) throw new Error(reasonOf(error));
  };
}

/** The same names as for Prometheus, so that dashboards and alerts fit both. */
function metricsOf(samples: readonly Sample[], at: Date) {
  const time = timeOf(at);
  return [...Map.groupBy(samples, ({ metric }) => metric)].map(([name, own]) => ({
    descriptor: { name, description: METRICS[name].help, unit: unitOf(name), valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPointType: DataPointType.GAUGE as const,
    dataPoints: own.map(({ labels, value }) => ({
      startTime: time,
      endTime: time,
      attributes: Object.fromEntries(Object.entries(labels).filter(([, text]) => text !== '')),
      value,
    })),
  }));
}

function unitOf(name: MetricName): string {
  if (name.endsWith('_seconds')) return 's';
  return name.endsWith('_bytes') ? 'By' : '1';
}
