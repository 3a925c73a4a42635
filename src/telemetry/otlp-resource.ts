import { detectResources, envDetector, type Resource, resourceFromAttributes } from '@opentelemetry/resources';

/** Who sends: this app, unless operators say otherwise in `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES`. */
export interface Sender {
  resource: Resource;
  scope: { name: string; version: string };
}

export function senderOf(version: string, instance: string): Sender {
  const own = { 'service.name': 'strongroom', 'service.version': version, 'service.instance.id': instance };
  const resource = resourceFromAttributes(own).merge(detectResources({ detectors: [envDetector] }));
  return { resource, scope: { name: 'strongroom', version } };
}

/** Seconds and nanoseconds since 1970. */
export function timeOf(at: Date): [number, number] {
  const ms = at.getTime();
  return [Math.floor(ms / 1000), (ms % 1000) * 1e6];
}

/** Why a collector did not take something, without its address and its headers. */
export function reasonOf(error: (Error & { code?: unknown }) | undefined): string {
  const code = error?.code;
  if (typeof code === 'number') return `HTTP ${code}`;
  return typeof code === 'string' ? `no connection (${code})` : 'no connection, or no answer in time';
}
