import { expect, test } from 'vitest';
import type { ProxiedRequest } from '../../support/faults/fault-proxy.ts';
import { type Breach, judgeHistory, RULES } from '../../support/judge/history.ts';

/** Each rule with a history that breaks it and one that only nearly does: a judge that passes everything is none. */
let clock = 0;

interface Wire {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: unknown;
  status?: number;
  answer?: Record<string, string>;
  /** What the listing said. */
  listed?: string;
  /** The answer was lost on the way. */
  lost?: boolean;
  /** Milliseconds since the request before. */
  after?: number;
}

const wire = ({ method = 'PUT', path, headers = {}, body, status = 201, answer = {}, ...more }: Wire) => {
  const [at, query = ''] = path.split('?') as [string, string?];
  const arrived = clock + (more.after ?? 10);
  clock = arrived + 1;
  const answered = { status, headers: answer, at: clock, ...(more.listed && { body: more.listed }) };
  const request: ProxiedRequest = {
    service: 'blob',
    method,
    url: path,
    path: at,
    query: new URLSearchParams(query),
    headers,
    rawHeaders: [],
    body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
    at: arrived,
    served: answered,
    ...(!more.lost && { received: answered, status }),
  };
  return request;
};

const CONTROL = '/vault/strongroom';
const RUN = `${CONTROL}/jobs/nightly/runs/r1`;
const BLOB = '/vault/databackup/a';
const ABSENT = { 'if-none-match': '*' };
const copy = (more: Partial<Wire> = {}, headers: Record<string, string> = {}): Wire => ({
  path: BLOB,
  headers: {
    'x-ms-copy-source': 'http://host/source/data/a?sig=x',
    'x-ms-source-if-match': '"s2"',
    'x-ms-requires-sync': 'true',
    ...(!('if-match' in headers) && ABSENT),
    ...headers,
  },
  answer: { etag: '"v2"' },
  ...more,
});
const started = (id: string, headers: Record<string, string> = {}, more: Partial<Wire> = {}): Wire =>
  copy(
    { answer: { etag: '"v2"', 'x-ms-copy-status': 'pending', 'x-ms-copy-id': 'c1' }, status: 202, ...more },
    { 'x-ms-requires-sync': 'false', 'x-ms-client-request-id': id, ...headers },
  );
const part = { path: `${RUN}/manifest/data/000000-slice.ndjson.gz`, headers: ABSENT };
const summary = (...parts: string[]): Wire => ({
  path: `${RUN}/run.json`,
  headers: ABSENT,
  body: { restorePoint: true, parts: parts.map((path) => ({ path })) },
});
const sign = (after = 10): Wire => ({ path: `${RUN}/signs?comp=appendblock`, after });
const lockOf = (id: string | null, place = 'locks/nightly.json'): Wire => ({
  path: `${CONTROL}/${place}`,
  headers: { 'if-match': '"l"' },
  body: { run: id && { id } },
});
const PART = 'jobs/nightly/runs/r1/manifest/data/000000-slice.ndjson.gz';

const look = (status: string): Wire => ({
  method: 'HEAD',
  path: BLOB,
  status: 200,
  answer: { etag: '"v3"', 'x-ms-copy-status': status, 'x-ms-copy-id': 'c1' },
});
const kept: Wire = { path: `${BLOB}?comp=snapshot`, headers: { 'if-match': '"v1"' } };
const marking: Wire = { path: `${BLOB}?comp=metadata`, headers: { 'if-match': '"v1"' }, status: 200 };
const listedAs = (etag: string, more = ''): Wire => ({
  method: 'GET',
  path: '/vault/databackup?restype=container&comp=list',
  status: 200,
  listed: `<Blobs><Blob><Name>a</Name><Properties><Etag>${etag}</Etag>${more}</Properties><Metadata><strongroom_etag>s1</strongroom_etag></Metadata></Blob></Blobs>`,
});

const BROKEN: Record<Breach['rule'], Wire[][]> = {
  'source-untouched': [[{ path: '/source/data/a' }], [{ path: '/source/data/a?comp=tags' }]],
  'nothing-deleted': [
    [{ method: 'DELETE', path: BLOB, status: 202 }],
    [{ method: 'DELETE', path: `${BLOB}?snapshot=2026`, status: 202 }],
    [{ method: 'DELETE', path: '/vault/databackup?restype=container', status: 202 }],
  ],
  'copy-pinned': [[{ path: BLOB, headers: { ...ABSENT, 'x-ms-copy-source': 'http://host/source/data/a' } }]],
  'backup-pinned': [
    [{ path: BLOB, headers: { 'x-ms-copy-source': 'http://h/s/d/a', 'x-ms-source-if-match': '"s"' } }],
    [{ path: `${BLOB}?comp=snapshot` }],
    [{ path: `${BLOB}?comp=metadata`, status: 200 }],
    [{ path: `${BLOB}?comp=blocklist` }],
  ],
  'lock-by-swap': [[{ path: `${CONTROL}/locks/nightly.json`, body: { run: null } }]],
  'create-only': [[{ ...part, headers: {} }], [{ ...part, headers: { 'if-match': '"e"' } }]],
  'watch-by-swap': [[{ path: `${CONTROL}/watch/state.json`, body: {} }]],
  'published-once': [[part, summary(PART), summary(PART)]],
  'published-last': [
    [summary(PART), part],
    [summary(PART)],
    [part, summary(PART), { ...part, path: `${RUN}/manifest/data/000001-slice.ndjson.gz` }],
  ],
  'one-copy-at-a-time': [
    [started('1'), started('2', { 'if-match': '"v2"' })],
    [started('1'), look('pending'), copy({}, { 'if-match': '"v3"' })],
  ],
  'retry-after': [
    [
      {
        path: part.path,
        headers: { ...ABSENT, 'x-ms-client-request-id': '1' },
        status: 503,
        answer: { 'retry-after': '1' },
      },
      { path: part.path, headers: { ...ABSENT, 'x-ms-client-request-id': '1' }, after: 900 },
    ],
  ],
  'tries-bounded': [
    Array.from({ length: 6 }, () => ({ ...part, headers: { ...ABSENT, 'x-ms-client-request-id': '1' }, status: 500 })),
  ],
  'set-when-marked': [
    [{ path: `${BLOB}?comp=tier`, status: 200 }],
    [{ path: `${BLOB}?comp=tags`, status: 204 }],
    [
      { ...marking, status: 412 },
      { path: `${BLOB}?comp=tags`, status: 204 },
    ],
    [marking, kept, copy({}, { 'if-match': '"v1"' }), { path: `${BLOB}?comp=tier`, status: 200 }],
  ],
  'signs-while-alive': [
    [part, summary(PART), sign(10_100)],
    [lockOf('r1'), sign(), lockOf('r2'), sign(10_100)],
    [lockOf('r1'), lockOf(null), { ...sign(10_100), path: `${RUN}/signs` }],
    [lockOf('r1', 'jobs/nightly/readers/r1.json'), lockOf(null, 'jobs/nightly/readers/r1.json'), sign(10_100)],
  ],
  'overwritten-kept': [
    [copy({}, { 'if-match': '"v1"' })],
    [listedAs('v1'), copy({}, { 'if-match': '"v1"' })],
    [listedAs('v1'), started('1', { 'if-match': '"v1"', 'x-ms-source-if-match': '"s1"' })],
    [listedAs('v1', '<Content-Length>0</Content-Length>'), started('1', { 'if-match': '"v1"' })],
    [kept, look('success'), copy({}, { 'if-match': '"v3"' })],
    [copy({}, { 'if-match': '"v1"' }), kept],
  ],
};

const ALLOWED: Wire[][] = [
  [part, summary(PART)],
  [{ path: `${CONTROL}/locks/nightly.json`, body: { run: null }, headers: { 'if-match': '"e"' } }],
  [
    { path: `${CONTROL}/watch/state.json`, body: {}, headers: ABSENT },
    { path: `${CONTROL}/watch/state.json`, body: {}, headers: { 'if-match': '"e"' } },
  ],
  [{ path: `${RUN}/progress/data/000000-chunk-00-000000` }],
  [lockOf('r1'), sign(), lockOf('r1'), sign(60_000), { ...lockOf('r2'), status: 412 }, sign(60_000)],
  // Another execution of the activity has published the run meanwhile.
  [lockOf('r1'), part, summary(PART), sign(5_000), lockOf(null), lockOf('r2')],
  // Refused by the service: nothing has come of it.
  [part, summary(PART), { ...summary(PART), status: 409 }, { ...part, status: 409 }],
  // The same attempt again, when its answer was lost.
  [started('1', {}, { lost: true }), started('1', {}, { status: 409, answer: {} })],
  // An activity that runs a second time does not know of the copy, and is refused.
  [started('1'), started('2', {}, { status: 409, answer: {} })],
  [started('1'), look('failed'), started('2', { 'if-match': '"v3"' })],
  [
    started('1'),
    { path: `${BLOB}?comp=copy&copyid=c1`, status: 204 },
    look('aborted'),
    copy({}, { 'if-match': '"v3"' }),
  ],
  [kept, copy({}, { 'if-match': '"v1"' })],
  [marking, { path: `${BLOB}?comp=tier`, status: 200 }, { path: `${BLOB}?comp=tags`, status: 204 }],
  [listedAs('v1'), copy({}, { 'if-match': '"v1"', 'x-ms-source-if-match': '"s1"' })],
  // Empty, it is what a broken-off copy of the same version left.
  [
    listedAs('v1', '<Content-Length>0</Content-Length>'),
    started('1', { 'if-match': '"v1"', 'x-ms-source-if-match': '"s1"' }),
  ],
  [listedAs('v1', '<CopyStatus>failed</CopyStatus>'), copy({}, { 'if-match': '"v1"' })],
  [
    {
      path: part.path,
      headers: { ...ABSENT, 'x-ms-client-request-id': '1' },
      status: 503,
      answer: { 'retry-after': '1' },
    },
    { path: part.path, headers: { ...ABSENT, 'x-ms-client-request-id': '1' }, after: 1001 },
  ],
];

for (const [rule, histories] of Object.entries(BROKEN)) {
  test.each(histories.map((history, index) => [index + 1, history] as const))(
    `${RULES[rule as Breach['rule']]}: history %i breaks it`,
    (_, history) => {
      const breaches = judgeHistory(history.map(wire), 'source');
      expect(breaches.map((breach) => breach.rule)).toContain(rule);
    },
  );
}

test.each(ALLOWED.map((history, index) => [index + 1, history] as const))(
  'allowed history %i breaks no rule',
  (_, history) => {
    expect(judgeHistory(history.map(wire), 'source')).toEqual([]);
  },
);
