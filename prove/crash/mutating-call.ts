import { DROP, type FaultRule, type ProxiedRequest } from '../../test/support/faults/fault-proxy.ts';
import { nameOf, storageOperation } from '../../test/support/faults/storage-operation.ts';

/** Before the service sees the request, or after it has carried it out and before the app knows. */
export type Moment = 'before' | 'after';
export const MOMENTS: readonly Moment[] = ['before', 'after'];

/**
 * A call that changes storage, by a label that is the same in every run of one kind: operation and target, with
 * everything random replaced, and a number among equal calls.
 */
export function labelsOf(requests: readonly ProxiedRequest[], sourceAccount: string): string[] {
  const number = callNumber(sourceAccount);
  return requests.flatMap((request) => number(request) ?? []);
}

/** Labels calls in order; undefined for calls that change nothing. */
export function callNumber(sourceAccount: string): (request: ProxiedRequest) => string | undefined {
  const seen = new Map<string, number>();
  return (request) => {
    if (!isMutating(request)) return undefined;
    const label = labelOf(request, sourceAccount);
    const count = (seen.get(label) ?? 0) + 1;
    seen.set(label, count);
    return count === 1 ? label : `${label} (${count})`;
  };
}

/** The label without the number. */
export function kindOfCall(label: string): string {
  return label.replace(/ \(\d+\)$/, '');
}

export function isMutating({ method }: ProxiedRequest): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

/** Kills the process at exactly one call. */
export interface Strike {
  readonly rule: FaultRule;
  /** Resolves with the call that was hit, once the process has died. */
  readonly done: Promise<ProxiedRequest>;
}

export function strikeAt(
  isIt: (label: string) => boolean,
  moment: Moment,
  sourceAccount: string,
  kill: () => Promise<void>,
): Strike {
  const number = callNumber(sourceAccount);
  const { promise, resolve } = Promise.withResolvers<ProxiedRequest>();
  const strike = async (request: ProxiedRequest): Promise<typeof DROP> => {
    await kill();
    resolve(request);
    return DROP;
  };
  const match = (request: ProxiedRequest) => {
    const label = number(request);
    return label !== undefined && isIt(label);
  };
  const rule: FaultRule = { match, times: 1, ...(moment === 'before' ? { answer: strike } : { after: strike }) };
  return { rule, done: promise };
}

function labelOf(request: ProxiedRequest, sourceAccount: string): string {
  const operation = storageOperation(request, sourceAccount);
  const { side, container, blob } = operation;
  // The name of a catalog row holds the time.
  const path = side === 'table' ? '' : `${container}/${blob}`;
  const block = request.query.has('blockid') ? ' a block' : '';
  return `${nameOf(operation)} ${path}${block}`
    .replace(/[a-z0-9-]+-\d{8}T\d{6}Z-[a-z0-9]{6}/g, '{run}')
    .replace(/(\/(?:plan|pending)\/.*)-[a-z0-9]{6}(?=(?:-r\d+)?\.ndjson\.gz)/, '$1-{random}')
    .replace(/locks\/[a-z0-9-]+\.json/, 'locks/{job}.json')
    .replace(/jobs\/[a-z0-9-]+\//, 'jobs/{job}/')
    .trim();
}
