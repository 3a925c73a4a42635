import { expect, it, test } from 'vitest';
import { collectedSignals, telemetryProblems, telemetrySettings } from '#config/telemetry-settings.ts';

const KEY = '00000000-1111-2222-3333-444444444444';
const CONNECTION = `InstrumentationKey=${KEY};IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/;LiveEndpoint=https://westeurope.livediagnostics.monitor.azure.com/`;
const settings = (connection?: string, authentication?: string) => ({
  APPLICATIONINSIGHTS_CONNECTION_STRING: connection,
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: authentication,
});

it.each([
  [undefined, undefined, undefined],
  ['', '  ', undefined],
  [CONNECTION, undefined, { connectionString: CONNECTION }],
  [` ${CONNECTION};`, undefined, { connectionString: `${CONNECTION};` }],
  [
    `instrumentationkey=${KEY.toUpperCase()}`,
    undefined,
    { connectionString: `instrumentationkey=${KEY.toUpperCase()}` },
  ],
  [CONNECTION, 'Authorization=AAD', { connectionString: CONNECTION, identity: {} }],
  [CONNECTION, `ClientId=${KEY};Authorization=AAD`, { connectionString: CONNECTION, identity: { clientId: KEY } }],
])('%j and %j are fit', (connection, authentication, expected) => {
  expect(telemetryProblems(settings(connection, authentication))).toEqual([]);
  expect(telemetrySettings(settings(connection, authentication))).toEqual(expected);
});

test('what Application Insights would take without a word is a problem, and shows no value', () => {
  const wrong: [string, string | undefined, string[]][] = [
    ['garbage', undefined, ['InstrumentationKey']],
    [KEY, undefined, ['InstrumentationKey']],
    [CONNECTION.replace(KEY, KEY.slice(1)), undefined, ['InstrumentationKey']],
    [`"${CONNECTION}"`, undefined, ['InstrumentationKey']],
    [CONNECTION.replace('https:', 'http:'), undefined, ['IngestionEndpoint']],
    [CONNECTION.replace('https://westeurope-5', 'westeurope-5'), undefined, ['IngestionEndpoint']],
    [CONNECTION, 'ClientId=id-strongroom;Authorization=AAD', ['ClientId']],
    [CONNECTION, `ClientId=${KEY}`, ['Authorization=AAD']],
    ['garbage', 'garbage', ['InstrumentationKey', 'Authorization=AAD']],
  ];
  for (const [connection, authentication, texts] of wrong) {
    const problems = telemetryProblems(settings(connection, authentication));
    expect(problems).toHaveLength(texts.length);
    for (const [index, text] of texts.entries()) expect(problems[index]!.message).toContain(text);
    expect(JSON.stringify(problems)).not.toContain(KEY.slice(1));
    expect(telemetrySettings(settings(connection, authentication))).toBeUndefined();
  }
});

const SIGNALS = ['METRICS', 'TRACES', 'LOGS'];

test('a collector of OTLP needs an address', () => {
  const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';
  for (const settings of [{}, { [ENDPOINT]: ' ' }]) {
    expect(telemetryProblems(settings)).toEqual([]);
    expect([...collectedSignals(settings)]).toEqual([]);
  }
  for (const name of [ENDPOINT, ...SIGNALS.map((signal) => `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`)]) {
    for (const address of ['http://localhost:4318', 'https://otlp.example.net/v1/metrics']) {
      expect(telemetryProblems({ [name]: address })).toEqual([]);
      expect(collectedSignals({ [name]: address }).size).toBe(name === ENDPOINT ? 3 : 1);
    }
    for (const wrong of ['localhost:4318', 'otlp.example.net', 'grpc://otlp.example.net:4317', 'a-secret']) {
      const problems = telemetryProblems({ [name]: wrong });
      expect(problems).toEqual([{ place: name, message: expect.stringContaining('address') }]);
      expect(JSON.stringify(problems)).not.toContain(wrong);
      expect([...collectedSignals({ [ENDPOINT]: 'http://localhost', [name]: wrong })]).toEqual([]);
    }
  }
});

const ALL = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' };
it.each([
  [ALL, ['metrics', 'traces', 'logs']],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://localhost:4318/v1/traces' }, ['traces']],
  [{ ...ALL, OTEL_TRACES_EXPORTER: 'none' }, ['metrics', 'logs']],
  [{ ...ALL, OTEL_METRICS_EXPORTER: 'prometheus', OTEL_LOGS_EXPORTER: 'console, otlp' }, ['traces', 'logs']],
  [{ ...ALL, OTEL_TRACES_EXPORTER: ' ' }, ['metrics', 'traces', 'logs']],
  [{ ...ALL, OTEL_SDK_DISABLED: 'TRUE' }, []],
  [{ ...ALL, OTEL_SDK_DISABLED: 'false' }, ['metrics', 'traces', 'logs']],
  // Application Insights has the events.
  [{ ...ALL, APPLICATIONINSIGHTS_CONNECTION_STRING: CONNECTION }, ['metrics', 'traces']],
  [{ ...ALL, APPLICATIONINSIGHTS_CONNECTION_STRING: 'garbage' }, []],
])('with %j, a collector gets %j', (settings, signals) => {
  expect([...collectedSignals(settings)]).toEqual(signals);
});
