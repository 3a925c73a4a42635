import { type Context, ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import type { TracePlace } from '#domain/run/trace.ts';
import { type Noticed, noticing } from './otlp-failures.ts';
import type { Sender } from './otlp-resource.ts';
import type { TelemetrySink } from './telemetry.ts';

const SEVERITIES: Record<string, SeverityNumber> = {
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
};

/**
 * A collector of logs. It gets the events. Records wait in memory, at most 2,048 of them, and work never waits for the
 * collector.
 */
export function sendEventsTo({ resource, scope }: Sender, noticed: Noticed): TelemetrySink {
  const processor = new BatchLogRecordProcessor({ exporter: noticing(new OTLPLogExporter(), noticed) });
  const logger = new LoggerProvider({ resource, processors: [processor] }).getLogger(scope.name, scope.version);
  const emit = (name: string, level: string, attributes: Record<string, string | number>, place?: TracePlace) =>
    logger.emit({
      eventName: `strongroom.${name}`,
      body: name,
      severityNumber: SEVERITIES[level] ?? SeverityNumber.INFO,
      severityText: level.toUpperCase(),
      attributes,
      timestamp: new Date(),
      context: contextOf(place),
    });
  return {
    isLossy: true,
    event: (name, { level = 'info', trace: _, ...properties }, numbers, place) =>
      emit(name, level, { ...properties, ...numbers }, place),
    // A collector of metrics has those of GET /api/metrics.
    metric() {},
    exception: ({ message, stack = '' }, properties, place) => {
      const about = { 'exception.message': message, 'exception.stacktrace': stack };
      emit('exception', 'error', { ...properties, ...about }, place);
    },
    flush: () => processor.forceFlush(),
  };
}

function contextOf(place: TracePlace | undefined): Context {
  if (!place) return ROOT_CONTEXT;
  const { id: traceId, span: spanId } = place;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED });
}
