import { type AppSettings, settingOf } from './app-settings.ts';
import type { ConfigurationProblem } from './configuration-error.ts';

const CONNECTION = 'APPLICATIONINSIGHTS_CONNECTION_STRING';
const AUTHENTICATION = 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING';
const COLLECTOR = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const SIGNALS = ['metrics', 'traces', 'logs'] as const;

/** What can go to a collector by OTLP. */
export type Signal = (typeof SIGNALS)[number];

export interface TelemetrySettings {
  connectionString: string;
  /** Present if the resource accepts no key: the client id of a user-assigned identity, or none for the app's own. */
  identity?: { clientId?: string };
}

/** These take any text, send nothing by it, and say so nowhere. */
export function telemetryProblems(settings: AppSettings): ConfigurationProblem[] {
  return [
    ...[COLLECTOR, ...SIGNALS.map(collectorOf)].flatMap((name) => collectorProblem(settings, name)),
    ...problemOf(settings, CONNECTION, connectionProblem),
    ...problemOf(settings, AUTHENTICATION, authenticationProblem),
  ];
}

/**
 * What goes to a collector by OTLP: nothing if a setting is wrong. Application Insights gets the events if it is set,
 * and the collector then gets no logs: nothing is sent twice.
 */
export function collectedSignals(settings: AppSettings): Set<Signal> {
  if (settingOf(settings, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return new Set();
  if (telemetryProblems(settings).length > 0) return new Set();
  const isSent = (signal: Signal) => {
    const address = settingOf(settings, collectorOf(signal)) ?? settingOf(settings, COLLECTOR);
    const exporters = settingOf(settings, `OTEL_${signal.toUpperCase()}_EXPORTER`) ?? 'otlp';
    const isOtlp = exporters.split(',').some((each) => each.trim().toLowerCase() === 'otlp');
    const isElsewhere = signal === 'logs' && settingOf(settings, CONNECTION) !== undefined;
    return address !== undefined && isOtlp && !isElsewhere;
  };
  return new Set(SIGNALS.filter(isSent));
}

/** The setting with the address for one signal alone, which goes before the common one. */
function collectorOf(signal: Signal): string {
  return `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`;
}

/** A collector is often beside the app, without TLS. */
function collectorProblem(settings: AppSettings, name: string): ConfigurationProblem[] {
  const value = settingOf(settings, name);
  if (value === undefined || /^https?:$/.test(URL.parse(value)?.protocol ?? '')) return [];
  return [
    { place: name, message: `the app setting "${name}" needs an http or https address, such as that of port 4318` },
  ];
}

/** Undefined without a connection string, or if a setting is wrong. */
export function telemetrySettings(settings: AppSettings): TelemetrySettings | undefined {
  const connectionString = settingOf(settings, CONNECTION);
  if (connectionString === undefined || telemetryProblems(settings).length > 0) return undefined;
  const parts = partsOf(settingOf(settings, AUTHENTICATION) ?? '');
  const clientId = parts.get('clientid');
  return { connectionString, ...(parts.has('authorization') && { identity: { ...(clientId && { clientId }) } }) };
}

function problemOf(
  settings: AppSettings,
  name: string,
  find: (parts: ReadonlyMap<string, string>) => string | undefined,
): ConfigurationProblem[] {
  const value = settingOf(settings, name);
  const problem = value === undefined ? undefined : find(partsOf(value));
  return problem === undefined ? [] : [{ place: name, message: `the app setting "${name}" ${problem}` }];
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function connectionProblem(parts: ReadonlyMap<string, string>): string | undefined {
  if (!UUID.test(parts.get('instrumentationkey') ?? ''))
    return 'needs InstrumentationKey=<a UUID>; copy the whole connection string of the Application Insights resource';
  const endpoint = parts.get('ingestionendpoint');
  if (endpoint === undefined || URL.parse(endpoint)?.protocol === 'https:') return undefined;
  return 'has an IngestionEndpoint that is no https address';
}

function authenticationProblem(parts: ReadonlyMap<string, string>): string | undefined {
  if (parts.get('authorization')?.toUpperCase() !== 'AAD')
    return 'needs Authorization=AAD, with ClientId=<a UUID> or without';
  const clientId = parts.get('clientid');
  return clientId === undefined || UUID.test(clientId) ? undefined : 'has a ClientId that is no UUID';
}

/** The parts of `Key=value;Key=value`, by key in lower case. */
function partsOf(text: string): Map<string, string> {
  return new Map(
    text
      .split(';')
      .map((part) => part.split('='))
      .filter(([key = '']) => key.trim() !== '')
      .map(([key, ...value]) => [key!.trim().toLowerCase(), value.join('=').trim()]),
  );
}
