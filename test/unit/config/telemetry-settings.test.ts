import { expect, it, test } from 'vitest';
import { hasCollector, telemetryProblems, telemetrySettings } from '#config/telemetry-settings.ts';

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

test('a collector of OTLP needs an address', () => {
  const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';
  const METRICS = 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT';
  for (const settings of [{}, { [ENDPOINT]: ' ' }]) {
    expect(telemetryProblems(settings)).toEqual([]);
    expect(hasCollector(settings)).toBe(false);
  }
  for (const name of [ENDPOINT, METRICS]) {
    for (const address of ['http://localhost:4318', 'https://otlp.example.net/v1/metrics']) {
      expect(telemetryProblems({ [name]: address })).toEqual([]);
      expect(hasCollector({ [name]: address })).toBe(true);
    }
    for (const wrong of ['localhost:4318', 'otlp.example.net', 'grpc://otlp.example.net:4317', 'a-secret']) {
      const problems = telemetryProblems({ [name]: wrong });
      expect(problems).toEqual([{ place: name, message: expect.stringContaining('address') }]);
      expect(JSON.stringify(problems)).not.toContain(wrong);
    }
  }
});
