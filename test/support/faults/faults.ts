import { setTimeout as sleep } from 'node:timers/promises';
import { DROP, type FaultRule, type ProxiedRequest, type ProxiedResponse } from './fault-proxy.ts';
import type { StorageOperation } from './storage-operation.ts';

/** What a fault may need of the test that uses it. */
export interface FaultContext {
  /** How long the app waits for one answer, in milliseconds. */
  requestMs: number;
  /** Seeded: from 0 to below 1. */
  random(): number;
  /** Writes new content to a blob of the source, or deletes it, as another writer. */
  overwriteSource(): Promise<void>;
  deleteSource(): Promise<void>;
  /** Adds a rule that goes before the others. */
  addRule(rule: FaultRule): void;
}

/** What happens to a request that is struck. An `after` that returns its answer unchanged has not struck. */
export interface Strike extends Pick<FaultRule, 'answer' | 'before' | 'after'> {
  /** Of the requests for the operation, only these. */
  match?(request: ProxiedRequest): boolean;
}

export interface Fault {
  name: string;
  /** A sentence that describes it. */
  what: string;
  applies(operation: StorageOperation): boolean;
  /** How many requests it strikes; one by default. */
  times?: number;
  strike(context: FaultContext): Strike;
}

const any = () => true;
const isListing = ({ name }: StorageOperation) => name === 'ListBlobs' || name === 'ListContainers';
const isCopy = ({ name }: StorageOperation) => /^(CopyBlob|CopyBlobFromURL|PutBlockFromURL)$/.test(name);
const isWrite = ({ name }: StorageOperation) => !/^(Get|List|Query)/.test(name);
const isConditional = ({ name, side }: StorageOperation) =>
  side !== 'table' && /^(PutBlob|CopyBlob|CopyBlobFromURL|PutBlockList|SnapshotBlob|SetBlobMetadata)$/.test(name);
const isTable = ({ side }: StorageOperation) => side === 'table';
const hasBody = (operation: StorageOperation) =>
  isListing(operation) || /^(GetBlob|GetBlobTags|GetBlockList|QueryEntities)$/.test(operation.name);

/** A refusal, as the service answers it. */
export function refusal(status: number, code: string, headers: Record<string, string> = {}): ProxiedResponse {
  return {
    status,
    headers: { 'x-ms-error-code': code, 'content-type': 'application/xml', ...headers },
    body: `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}.</Message></Error>`,
  };
}

function refuses(name: string, status: number, code: string, applies: Fault['applies'] = any, times = 1): Fault {
  const often = times === Number.POSITIVE_INFINITY ? ', however often it is asked' : `, ${times} times in a row`;
  const what = `answers ${status} ${code}${times > 1 ? often : ''}, and does nothing`;
  return { name, what, applies, times, strike: () => ({ answer: () => refusal(status, code) }) };
}

/** So often that the request fails permanently: one time more than the app tries. */
const STUBBORN = 6;

const REFUSALS: Fault[] = [
  refuses('500', 500, 'InternalError'),
  refuses('500-stubborn', 500, 'InternalError', any, STUBBORN),
  {
    name: '503',
    what: 'answers 503 ServerBusy and asks to come back in a second',
    applies: any,
    strike: () => ({ answer: () => refusal(503, 'ServerBusy', { 'retry-after': '1' }) }),
  },
  refuses('429', 429, 'TooManyRequests'),
  refuses('403', 403, 'AuthorizationFailure'),
  {
    name: '409',
    what: 'answers 409, as the service does while another operation runs on the same blob',
    applies: isWrite,
    strike: () => ({ answer: (request) => refusal(409, conflictOf(request)) }),
  },
  refuses('412', 412, 'ConditionNotMet', isConditional),
  refuses('being-deleted', 409, 'ContainerBeingDeleted', ({ name }) => name === 'CreateContainer', 2),
  refuses('no-tables', 404, 'ResourceNotFound', isTable, Number.POSITIVE_INFINITY),
  {
    name: 'tables-refused',
    what: 'no connection to the table service is accepted',
    applies: isTable,
    times: Number.POSITIVE_INFINITY,
    strike: () => ({ answer: () => DROP }),
  },
  {
    name: '403-single',
    what: 'answers 403 AuthorizationFailure for one blob, however often it is asked for',
    applies: isCopy,
    times: Number.POSITIVE_INFINITY,
    strike: () => {
      let denied: string | undefined;
      return {
        match: ({ path }) => {
          denied ??= path;
          return path === denied;
        },
        answer: () =>
          refusal(403, 'CannotVerifyCopySource', {
            'x-ms-copy-source-status-code': '403',
            'x-ms-copy-source-error-code': 'AuthorizationFailure',
          }),
      };
    },
  },
];

function conflictOf({ headers, query }: ProxiedRequest): string {
  if (query.get('comp') === 'copy') return 'NoPendingCopyOperation';
  if (query.get('comp') === 'snapshot') return 'SnapshotCountExceeded';
  if (query.get('restype') === 'container') return 'ContainerBeingDeleted';
  return 'x-ms-copy-source' in headers ? 'PendingCopyOperation' : 'OperationNotAllowedOnBlob';
}

const CONNECTIONS: Fault[] = [
  {
    name: 'reset',
    what: 'the connection ends before the service has seen the request',
    applies: any,
    strike: () => ({ answer: () => DROP }),
  },
  {
    name: 'reset-stubborn',
    what: `the connection ends before the service has seen the request, ${STUBBORN} times in a row`,
    applies: any,
    times: STUBBORN,
    strike: () => ({ answer: () => DROP }),
  },
  {
    name: 'stall',
    what: 'no answer comes for longer than one is waited for',
    applies: any,
    strike: ({ requestMs }) => ({
      answer: async (request): Promise<typeof DROP> => {
        await sleep(patience(request, requestMs) + 500);
        return DROP;
      },
    }),
  },
  {
    name: 'late',
    what: 'the service gets the request only after the app has given it up and sent it again',
    applies: isWrite,
    strike: ({ requestMs }) => ({ before: (request) => sleep(patience(request, requestMs) + 300) }),
  },
  {
    name: 'lost-answer',
    what: 'the service does what was asked, and the answer is lost',
    applies: any,
    strike: () => ({ after: () => DROP }),
  },
];

/** The client waits during a synchronous copy, so it waits five times as long. */
function patience({ headers }: ProxiedRequest, requestMs: number): number {
  return 'x-ms-copy-source' in headers ? 5 * requestMs : requestMs;
}

const GARBLED: Fault[] = [
  {
    name: 'cut-answer',
    what: 'the connection ends in the middle of an answer',
    applies: hasBody,
    strike: () => ({
      after: (_, response) => {
        const body = Buffer.from(response.body);
        return body.length < 2 ? response : { ...response, body: half(body), announced: body.length };
      },
    }),
  },
  {
    name: 'shortened-answer',
    what: 'half of the body is missing, and the length says that this is all',
    applies: hasBody,
    strike: () => ({
      after: (_, response) => {
        const body = Buffer.from(response.body);
        return body.length < 2 ? response : { ...response, body: half(body) };
      },
    }),
  },
  {
    name: 'broken-xml',
    what: 'the answer to a listing is not XML',
    applies: isListing,
    strike: () => ({ after: (_, response) => ({ ...response, body: '<html><p>Service <b>unavailable' }) }),
  },
  {
    name: 'sign-in-page',
    what: `a page that is not the service's answers a listing with 200, ${STUBBORN} times in a row`,
    applies: isListing,
    times: STUBBORN,
    strike: () => ({
      answer: () => ({
        status: 200,
        headers: { 'content-type': 'text/html' },
        body: '<html><head><title>Sign in</title></head><body><p>Sign in</p></body></html>',
      }),
    }),
  },
  {
    name: 'bare-500',
    what: 'does what was asked and answers 500 with a body that is no error of the service',
    applies: isWrite,
    strike: () => ({ after: () => ({ status: 500, headers: { 'content-type': 'text/html' }, body: '<p>Oops' }) }),
  },
];

const PAGES: Fault[] = [
  {
    name: 'short-page',
    what: 'a listing ends after its first item, with a marker to go on from',
    applies: isListing,
    strike: (context) => ({ after: (request, response) => paged(context, request, response, 1) }),
  },
  {
    name: 'empty-page',
    what: 'a listing begins with an empty page and a marker to go on from',
    applies: isListing,
    strike: (context) => ({ after: (request, response) => paged(context, request, response, 0) }),
  },
  {
    name: 'lying-md5',
    what: 'a listing tells an MD5 that is not that of the content',
    applies: ({ name, side }) => name === 'ListBlobs' && (side === 'source' || side === 'vault'),
    strike: () => ({
      after: (_, response) => {
        const text = response.body.toString();
        const lying = text.replace(/<Content-MD5>[^<]+</g, '<Content-MD5>AAAAAAAAAAAAAAAAAAAAAA==<');
        return lying === text ? response : { ...response, body: lying };
      },
    }),
  },
];

const ITEM = /<(Blob|Container)>.*?<\/\1>/gs;

/** Cuts a listing after `length` items. A request with its marker gets the rest. */
function paged(
  { addRule }: FaultContext,
  request: ProxiedRequest,
  response: ProxiedResponse,
  length: number,
): ProxiedResponse {
  const whole = response.body.toString();
  const items = whole.match(ITEM) ?? [];
  if (response.status !== 200 || items.length <= length || items.length === 0) return response;
  const page = (some: string[], marker: string) => {
    let first = true;
    const text = whole.replace(/<NextMarker\s*\/>|<NextMarker>[^<]*<\/NextMarker>/, '').replace(ITEM, () => {
      if (!first) return '';
      first = false;
      return some.join('');
    });
    return text.replace('</EnumerationResults>', `<NextMarker>${marker}</NextMarker></EnumerationResults>`);
  };
  const [, next = ''] = /<NextMarker>([^<]*)</.exec(whole) ?? [];
  const marker = `rest-${length}-of-${items.length}`;
  addRule({
    match: ({ path, query }) => path === request.path && query.get('marker') === marker,
    answer: () => ({ ...response, body: page(items.slice(length), next) }),
  });
  return { ...response, body: page(items.slice(0, length), marker) };
}

const SOURCES: Fault[] = [
  {
    name: 'source-overwritten',
    what: 'a blob of the source gets other content just before',
    applies: ({ side, name }) => side !== 'table' && name !== 'AbortCopyBlob',
    strike: ({ overwriteSource }) => ({ before: overwriteSource }),
  },
  {
    name: 'source-deleted',
    what: 'a blob of the source is deleted just before',
    applies: (operation) => operation.side !== 'table' && (isCopy(operation) || isListing(operation)),
    strike: ({ deleteSource }) => ({ before: deleteSource }),
  },
  {
    name: 'expired-sas',
    what: 'the source refuses the signature that a copy carries, until another one has been minted',
    applies: isCopy,
    times: Number.POSITIVE_INFINITY,
    strike: () => {
      let expired: string | undefined;
      return {
        match: (request) => {
          const signature = /[?&]sig=([^&]+)/.exec(request.headers['x-ms-copy-source'] ?? '')?.[1];
          expired ??= signature;
          return signature === expired;
        },
        answer: () =>
          refusal(403, 'CannotVerifyCopySource', {
            'x-ms-copy-source-status-code': '403',
            'x-ms-copy-source-error-code': 'AuthenticationFailed',
          }),
      };
    },
  },
];

function half(body: Buffer): Buffer {
  return body.subarray(0, Math.floor(body.length / 2));
}

/** Every fault that strikes one request, or a few in a row. */
export const FAULTS: readonly Fault[] = [...REFUSALS, ...CONNECTIONS, ...GARBLED, ...PAGES, ...SOURCES];

/**
 * Answers that no service gives and no run can survive. A judge that finds nothing wrong under one of these is blind.
 */
export const LIES: readonly Fault[] = [
  {
    name: 'swallowed',
    what: 'says that it was done, and does nothing',
    applies: (operation) => operation.side === 'vault' && isConditional(operation),
    strike: () => ({
      answer: (request) => ({
        status: 'x-ms-copy-source' in request.headers ? 202 : 201,
        headers: {
          etag: '"0x0000000DEADBEEF"',
          'x-ms-snapshot': '2026-01-01T00:00:00.0000000Z',
          'x-ms-copy-id': '0badc0de-0000-4000-8000-000000000000',
          'x-ms-copy-status': 'success',
        },
        body: '',
      }),
    }),
  },
  {
    name: 'forgetful',
    what: 'a listing looks complete, and its last item is missing',
    applies: isListing,
    strike: () => ({
      after: (_, response) => {
        const text = response.body.toString();
        const last = text.lastIndexOf('<Blob>');
        if (last < 0) return response;
        return { ...response, body: text.slice(0, last) + text.slice(text.indexOf('</Blob>', last) + 7) };
      },
    }),
  },
];

/** A fault that affects a whole run. */
export interface Storm {
  name: string;
  what: string;
  /** `side` is the account of the request. An `after` that returns its answer unchanged has not struck. */
  strike(context: FaultContext, side: (request: ProxiedRequest) => StorageOperation['side']): Strike;
}

/** Strikes a portion of all requests, by the seed and the order of the requests. */
function share(name: string, what: string, part: number, strike: Strike): Storm {
  return { name, what, strike: ({ random }) => ({ ...strike, match: () => random() < part }) };
}

export const STORMS: readonly Storm[] = [
  share('throttled-share', '30 % of all requests are answered 503', 0.3, {
    answer: () => refusal(503, 'ServerBusy'),
  }),
  share('failing-share', '20 % of all requests are answered 500', 0.2, {
    answer: () => refusal(500, 'InternalError'),
  }),
  share('lost-share', '15 % of all answers are lost, whatever was done', 0.15, { after: () => DROP }),
  share('reset-share', '15 % of all requests never arrive', 0.15, { answer: () => DROP }),
  ...(['source', 'vault'] as const).map(
    (side): Storm => ({
      name: `${side}-clock-ahead`,
      what: `the clock of the ${side} account is an hour ahead`,
      strike: (_, sideOf) => ({
        match: (request) => (sideOf(request) === 'source') === (side === 'source'),
        after: (_request, response) => anHourAhead(response),
      }),
    }),
  ),
];

function anHourAhead(response: ProxiedResponse): ProxiedResponse {
  const later = (date: string) => new Date(Date.parse(date) + 3_600_000).toUTCString();
  const headers = { ...response.headers };
  for (const name of ['date', 'last-modified']) if (headers[name]) headers[name] = later(headers[name]);
  const isXml = /xml/.test(headers['content-type'] ?? '');
  const body = isXml
    ? response.body.toString().replace(/<Last-Modified>([^<]+)</g, (_, date) => `<Last-Modified>${later(date)}<`)
    : response.body;
  return { ...response, headers, body };
}
