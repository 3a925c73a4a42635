import { ValueType } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality, DataPointType } from '@opentelemetry/sdk-metrics';
import type { Sample } from '#domain/metrics/metric.ts';
import { METRICS, type MetricName } from '#domain/metrics/metric.ts';

/** Sends samples, and throws if they are not taken. The message has no address and no header. */
export type SendSamples = (samples: readonly Sample[], at: Date) => Promise<void>;

/**
 * A collector that takes OTLP, in a bundle of its own like Application Insights. The package reads where it is, and how
 * to reach it, from `OTEL_EXPORTER_OTLP_…`. It gets the metrics of GET /api/metrics, and Application Insights gets none
 * of those: nothing is sent twice.
 */
export function connectOtlp(version: string, instance: string): SendSamples {
  const exporter = new OTLPMetricExporter();
  const own = { 'service.name': 'strongroom', 'service.version': version, 'service.instance.id': instance };
  // What operators set has the last word.
  const resource = resourceFromAttributes(own).merge(detectResources({ detectors: [envDetector] }));
  const scope = { name: 'strongroom', version };
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
  const ms = at.getTime();
  const time: [number, number] = [Math.floor(ms / 1000), (ms % 1000) * 1e6];
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

function reasonOf(error: Error & { code?: unknown }): string {
  const { code } = error;
  if (typeof code === 'number') return `HTTP ${code}`;
  return typeof code === 'string' ? `no connection (${code})` : 'no connection, or no answer in time';
}
