import { setTimeout as sleep } from 'node:timers/promises';
import { sendEventsTo } from './otlp-logs.ts';
import { type SendSamples, sendSamplesTo } from './otlp-metrics.ts';
import { senderOf } from './otlp-resource.ts';
import { sendSpansTo } from './otlp-traces.ts';
import type { SpanSink, TelemetrySink } from './telemetry.ts';

/** A member is absent if its signal is not sent. */
export interface Collector {
  sendSamples?: SendSamples;
  spans?: SpanSink;
  events?: TelemetrySink;
}

/** An app that ends does not wait longer than this for a collector. */
const PATIENCE_MS = 2_000;

/**
 * A collector that takes OTLP, in a bundle of its own like Application Insights. The packages read where it is, and how
 * to reach it, from `OTEL_EXPORTER_OTLP_…`. `noticed` is called when it no longer takes spans or events; the message
 * has no address and no header.
 */
export function connectOtlp(
  signals: ReadonlySet<'metrics' | 'traces' | 'logs'>,
  { version, instance }: { version: string; instance: string },
  noticed: (signal: 'traces' | 'logs', reason: string) => void,
): Collector {
  const sender = senderOf(version, instance);
  return {
    ...(signals.has('metrics') && { sendSamples: sendSamplesTo(sender) }),
    ...(signals.has('traces') && { spans: inTime(sendSpansTo(sender, (reason) => noticed('traces', reason))) }),
    ...(signals.has('logs') && { events: inTime(sendEventsTo(sender, (reason) => noticed('logs', reason))) }),
  };
}

/** What fails has been noticed. */
function inTime<Sink extends { flush(): Promise<void> }>(sink: Sink): Sink {
  const flush = () => Promise.race([sink.flush().catch(() => {}), sleep(PATIENCE_MS, undefined, { ref: false })]);
  return { ...sink, flush };
}
