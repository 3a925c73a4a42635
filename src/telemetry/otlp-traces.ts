import { createTraceState, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { type Noticed, noticing } from './otlp-failures.ts';
import { type Sender, timeOf } from './otlp-resource.ts';
import type { Span, SpanSink } from './telemetry.ts';

/** A collector of traces. Spans wait in memory, at most 2,048 of them, and work never waits for the collector. */
export function sendSpansTo(sender: Sender, noticed: Noticed): SpanSink {
  const processor = new BatchSpanProcessor(noticing(new OTLPTraceExporter(), noticed));
  return {
    span: (span) => processor.onEnd(readable(span, sender)),
    flush: () => processor.forceFlush(),
  };
}

function readable({ place, name, start, end, attributes, error }: Span, { resource, scope }: Sender): ReadableSpan {
  const { id: traceId, span: spanId, parent, state } = place;
  // Every run is reported, whatever its caller samples.
  const context = { traceId, traceFlags: TraceFlags.SAMPLED, ...(state && { traceState: createTraceState(state) }) };
  return {
    name,
    kind: SpanKind.INTERNAL,
    spanContext: () => ({ ...context, spanId }),
    ...(parent !== undefined && { parentSpanContext: { ...context, spanId: parent } }),
    startTime: timeOf(start),
    endTime: timeOf(end),
    duration: timeOf(new Date(Math.max(end.getTime() - start.getTime(), 0))),
    status: error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: error },
    attributes,
    ...{ links: [], events: [], ended: true, resource, instrumentationScope: scope },
    ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
  };
}
