import type { ProxiedRequest } from '../faults/fault-proxy.ts';
import { nameOf, type StorageOperation, storageOperation } from '../faults/storage-operation.ts';

/** A rule of the protocol that a history breaks. */
export interface Breach {
  rule: keyof typeof RULES;
  message: string;
}

/** What the app may do to storage, judged by its requests and the answers of the service, not by its reports. */
export const RULES = {
  'source-untouched': 'nothing is written to the source',
  'nothing-deleted': 'nothing is deleted in the vault',
  'copy-pinned': 'every copy names the version of the source that it is of',
  'backup-pinned': 'every change of a backup blob names the version that was seen before',
  'lock-by-swap': 'the lock is only replaced by compare-and-swap',
  'create-only': 'parts, plans and summaries are never overwritten',
  'watch-by-swap': 'what the watch keeps is only replaced by compare-and-swap',
  'published-once': 'a run has one summary',
  'published-last': 'a restore point is published after all its parts, and its manifest changes no more',
  'one-copy-at-a-time': 'no copy is meant to replace one that is known to be pending',
  'retry-after': 'a request is not sent again before the service wants it to be',
  'tries-bounded': 'a request is not sent again and again',
  'set-when-marked': 'tier and tags, which take no condition, are set only where the record said so first',
  'signs-while-alive': 'a run gives no sign of life once it is over',
  'overwritten-kept': 'what an overwrite takes away lies in a snapshot',
} as const;

/** The most attempts of one request, including the first. */
const MOST_TRIES = 5;
/** Timers may fire a little early, in milliseconds. */
const EARLY = 30;
/** The app ignores a wait that is longer than this. */
const LONGEST_WAIT = 30_000;

/**
 * How long after the end of its run an activity may still give a sign, in milliseconds. Another execution of it may
 * have ended the run; it reads the lock every five seconds, and its request may be on its way for as long again.
 */
const SIGN_ON_ITS_WAY = 10_000;

/** Judges all recorded requests of an app, from the first one that it sent to this vault. */
export function judgeHistory(requests: readonly ProxiedRequest[], sourceAccount: string): Breach[] {
  const breaches: Breach[] = [];
  const steps = requests.map((request) => ({ request, operation: storageOperation(request, sourceAccount) }));
  for (const step of steps) {
    const say = (rule: Breach['rule']) => {
      breaches.push({ rule, message: `${RULES[rule]}, but ${shown(step)}` });
    };
    judgeWrite(step, say);
  }
  judgePublishing(steps, breaches);
  judgeTries(steps, breaches);
  judgeSigns(steps, breaches);
  judgeCopies(steps, breaches);
  return breaches;
}

interface Step {
  request: ProxiedRequest;
  operation: StorageOperation;
}

function shown({ request, operation }: Step): string {
  const about = [operation.container, operation.blob].filter(Boolean).join('/');
  return `${nameOf(operation)} ${about} (${request.served?.status ?? 'never arrived'})`;
}

function judgeWrite({ request, operation }: Step, say: (rule: Breach['rule']) => void): void {
  const { side, name, kind } = operation;
  const { headers, method } = request;
  const isPinned = 'if-match' in headers || headers['if-none-match'] === '*';
  if (side === 'source') {
    if (method !== 'GET' && method !== 'HEAD' && name !== 'GetUserDelegationKey') say('source-untouched');
    return;
  }
  if (method === 'DELETE') say('nothing-deleted');
  if ('x-ms-copy-source' in headers && !('x-ms-source-if-match' in headers)) say('copy-pinned');
  if (side === 'vault' && PINNED.has(name) && !isPinned) say('backup-pinned');
  if (name !== 'PutBlob' || side !== 'control') return;
  if (kind === 'lock' && !isPinned) say('lock-by-swap');
  if (operation.blob.startsWith('watch/')) {
    if (!isPinned) say('watch-by-swap');
    return;
  }
  if (kind !== 'lock' && kind !== 'progress' && headers['if-none-match'] !== '*') say('create-only');
}

const PINNED = new Set(['CopyBlob', 'CopyBlobFromURL', 'PutBlockList', 'SnapshotBlob', 'SetBlobMetadata', 'PutBlob']);

interface Published {
  run: string;
  restorePoint: boolean;
}

function judgePublishing(steps: Step[], breaches: Breach[]): void {
  const written = new Set<string>();
  const published = new Map<string, Published>();
  // The answers of the service, in their order.
  for (const step of inOrderOfEffect(steps)) {
    const { request, operation } = step;
    if (operation.side !== 'control' || operation.name !== 'PutBlob') continue;
    const run = operation.blob.split('/').slice(0, 4).join('/');
    if (operation.kind === 'manifest') {
      written.add(operation.blob);
      if (published.get(run)?.restorePoint) {
        breaches.push({ rule: 'published-last', message: `${RULES['published-last']}, but ${shown(step)} came after` });
      }
    }
    if (operation.kind !== 'summary') continue;
    if (published.has(run)) {
      breaches.push({
        rule: 'published-once',
        message: `${RULES['published-once']}, but ${shown(step)} is the second`,
      });
    }
    const { restorePoint, parts } = JSON.parse(request.body.toString()) as {
      restorePoint: boolean;
      parts: { path: string }[];
    };
    published.set(run, { run, restorePoint });
    for (const { path } of parts) {
      if (path.startsWith(`${run}/`) && !written.has(path)) {
        breaches.push({ rule: 'published-last', message: `${RULES['published-last']}, but ${path} was not there yet` });
      }
    }
  }
}

/** A run is over when its lock is released or taken over, or when it is published by whoever it may be. */
function judgeSigns(steps: Step[], breaches: Breach[]): void {
  const holders = new Map<string, string | undefined>();
  const overAt = new Map<string, number>();
  const end = (run: string | undefined, at: number) => {
    if (run !== undefined && !overAt.has(run)) overAt.set(run, at);
  };
  for (const { request, operation } of inOrderOfEffect(steps)) {
    const { side, name, kind, blob } = operation;
    if (side !== 'control' || name !== 'PutBlob') continue;
    const { at } = request.served!;
    if (kind === 'summary') end(runOf(blob), at);
    if (kind !== 'lock' && !/^jobs\/[^/]+\/readers\//.test(blob)) continue;
    const { run } = JSON.parse(request.body.toString()) as { run: { id: string } | null };
    if (holders.get(blob) !== run?.id) end(holders.get(blob), at);
    holders.set(blob, run?.id);
  }
  for (const step of steps) {
    const { request, operation } = step;
    if (operation.kind !== 'signs' || request.method === 'GET' || request.method === 'HEAD') continue;
    const late = request.at - (overAt.get(runOf(operation.blob)) ?? Number.POSITIVE_INFINITY);
    if (late <= SIGN_ON_ITS_WAY) continue;
    const message = `${RULES['signs-while-alive']}, but ${shown(step)} came ${Math.round(late)} ms after`;
    breaches.push({ rule: 'signs-while-alive', message });
  }
}

function runOf(path: string): string {
  return path.split('/')[3] ?? '';
}

function inOrderOfEffect(steps: Step[]): Step[] {
  return steps
    .filter(({ request: { served } }) => served !== undefined && served.status < 300)
    .sort((one, other) => one.request.served!.at - other.request.served!.at);
}

/** All attempts of one request carry the same id. */
function judgeTries(steps: Step[], breaches: Breach[]): void {
  const attempts = new Map<string, Step[]>();
  for (const step of steps) {
    const id = step.request.headers['x-ms-client-request-id'];
    if (id === undefined) continue;
    const key = `${id} ${step.request.method} ${step.request.path}`;
    const before = attempts.get(key) ?? [];
    const last = before.at(-1)?.request.received;
    const wait = Math.min(Number(last?.headers['retry-after'] ?? 0) * 1000, LONGEST_WAIT);
    if (last && wait > 0 && step.request.at - last.at < wait - EARLY) {
      const early = `${shown(step)} came ${Math.round(step.request.at - last.at)} ms after, not ${wait}`;
      breaches.push({ rule: 'retry-after', message: `${RULES['retry-after']}, but ${early}` });
    }
    attempts.set(key, [...before, step]);
  }
  for (const tries of attempts.values()) {
    if (tries.length <= MOST_TRIES) continue;
    const often = `${shown(tries[0]!)} was sent ${tries.length} times`;
    breaches.push({ rule: 'tries-bounded', message: `${RULES['tries-bounded']}, but ${often}` });
  }
}

/** One version of a backup blob. */
interface Version {
  /** ETag of the source version that it is a copy of. */
  of: string | undefined;
  /** False while its copy is pending, and after a failed copy. */
  whole: boolean;
  /** An empty blob that the same version replaces is no loss. */
  empty?: boolean;
}

const ATOMIC = new Set(['CopyBlobFromURL', 'PutBlockList']);
const COPIES = new Set(['CopyBlob', ...ATOMIC]);

/** Follows each backup blob: its versions by ETag, those with a snapshot, and copies known to be pending. */
function judgeCopies(steps: Step[], breaches: Breach[]): void {
  const versions = new Map<string, Version>();
  const kept = new Set<string>();
  /** By blob: the ETag under which the app has seen a copy as pending. */
  const pending = new Map<string, string | undefined>();
  const marked = new Set<string>();
  const events = steps.flatMap((step) => [
    { at: step.request.at, step, moment: 'sent' as const },
    ...(step.request.served ? [{ at: step.request.served.at, step, moment: 'served' as const }] : []),
    ...(step.request.received ? [{ at: step.request.received.at, step, moment: 'received' as const }] : []),
  ]);
  events.sort((one, other) => one.at - other.at);
  for (const { step, moment } of events) {
    const { request, operation } = step;
    const { side, name, container, blob } = operation;
    if (side !== 'vault') continue;
    const key = `${container}/${blob}`;
    const version = (etag: string | undefined) => `${key} ${bare(etag)}`;
    if (moment === 'sent') {
      if ((name === 'SetBlobTier' || name === 'SetBlobTags') && !marked.has(key)) {
        breaches.push({ rule: 'set-when-marked', message: `${RULES['set-when-marked']}, but ${shown(step)} was sent` });
      }
      // An activity that runs again may try with an old ETag: the service refuses, and the activity reads it again.
      const seen = bare(request.headers['if-match']);
      if (!COPIES.has(name) || seen === undefined || pending.get(key) !== seen) continue;
      const message = `${RULES['one-copy-at-a-time']}, but ${shown(step)} was sent`;
      breaches.push({ rule: 'one-copy-at-a-time', message });
      continue;
    }
    if (moment === 'received') {
      noteWhatIsKnown(step, key, pending);
      continue;
    }
    const { status, headers, body } = request.served!;
    if (name === 'ListBlobs' && body !== undefined) noteListed(container, body, { versions, kept });
    if (status >= 300 || blob === '') continue;
    const ifMatch = request.headers['if-match'];
    if (name === 'GetBlobProperties') {
      versions.set(version(headers.etag), {
        of: bare(headers['x-ms-meta-strongroom_etag']),
        whole: (headers['x-ms-copy-status'] ?? 'success') === 'success',
        empty: headers['content-length'] === '0',
      });
    }
    if (name === 'SnapshotBlob') kept.add(version(ifMatch));
    if (name === 'SetBlobMetadata') {
      marked.add(key);
      const before = versions.get(version(ifMatch));
      versions.set(version(headers.etag), { whole: true, ...before, of: bare(recordIn(request)) });
      // The same content now has another ETag. The same snapshot holds it.
      if (kept.has(version(ifMatch))) kept.add(version(headers.etag));
    }
    if (!COPIES.has(name)) continue;
    marked.delete(key);
    const source = bare(request.headers['x-ms-source-if-match'] ?? recordIn(request));
    const overwritten = ifMatch === undefined ? undefined : versions.get(version(ifMatch));
    const isVersion = overwritten?.of !== undefined && overwritten.of === source;
    const isSame = isVersion && (ATOMIC.has(name) || overwritten.empty === true);
    if (ifMatch !== undefined && overwritten?.whole !== false && !isSame && !kept.has(version(ifMatch))) {
      const message = `${RULES['overwritten-kept']}, but ${shown(step)} overwrote ${bare(ifMatch)}, kept nowhere`;
      breaches.push({ rule: 'overwritten-kept', message });
    }
    const whole = name !== 'CopyBlob' || headers['x-ms-copy-status'] === 'success';
    versions.set(version(headers.etag), { of: source, whole });
  }
}

/** What an answer shows the app of one of its copies. */
function noteWhatIsKnown({ request, operation }: Step, key: string, pending: Map<string, string | undefined>): void {
  const { status, headers } = request.received!;
  const isPending = headers['x-ms-copy-status'] === 'pending';
  switch (operation.name) {
    case 'CopyBlob':
      if (status < 300 && isPending) pending.set(key, bare(headers.etag));
      return;
    case 'GetBlobProperties':
      if (status < 300 && isPending) pending.set(key, bare(headers.etag));
      else if (status === 404 || status < 300) pending.delete(key);
      return;
    case 'AbortCopyBlob':
      if (status < 300 || status === 409 || status === 404) pending.delete(key);
  }
}

function noteListed(
  container: string,
  body: string,
  { versions, kept }: { versions: Map<string, Version>; kept: Set<string> },
): void {
  for (const [item] of body.matchAll(/<Blob>.*?<\/Blob>/gs)) {
    const field = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`, 'i').exec(item)?.[1];
    const name = (field('Name') ?? '').replace(/&(amp|lt|gt|quot|apos);/g, (_, entity) => ENTITIES[entity] ?? '');
    const version = `${container}/${name} ${bare(field('Etag'))}`;
    if (item.includes('<Snapshot>')) {
      kept.add(version);
      continue;
    }
    versions.set(version, {
      of: bare(field('strongroom_etag')),
      whole: (field('CopyStatus') ?? 'success') === 'success',
      empty: field('Content-Length') === '0',
    });
  }
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function recordIn({ headers }: ProxiedRequest): string | undefined {
  return headers['x-ms-meta-strongroom_etag'];
}

function bare(etag: string | undefined): string | undefined {
  return etag?.replaceAll('"', '').replaceAll('&quot;', '');
}
