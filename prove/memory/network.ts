import { noteRequest } from '#storage/requests.ts';
import { isStorageError, StorageError, type StorageErrorKind } from '#storage/storage-error.ts';
import type { Random } from '../../test/support/builders/random.ts';
import type { Call, Network } from './memory-blobs.ts';
import { type Owner, running, type Scheduler } from './scheduler.ts';

/** The likelihood of each fault, per attempt of a request. */
export interface FaultRates {
  /** The request does not arrive, or is refused for the moment. */
  before: number;
  /** The request is carried out, and its answer is lost. */
  lost: number;
  /** The sender stops waiting, and the request is carried out later. */
  late: number;
  /** The account denies access for a while. */
  denied: number;
  /** The request takes very long. */
  slow: number;
}

export const NO_FAULTS: FaultRates = { before: 0, lost: 0, late: 0, denied: 0, slow: 0 };

/** The number of attempts that the storage adapter makes. */
const TRIES = 3;
const LAST_ANSWERS: [StorageErrorKind, number, string][] = [
  ['server', 500, 'InternalError'],
  ['throttled', 503, 'ServerBusy'],
  ['unreachable', 0, 'ECONNRESET'],
];

export interface Faults {
  rates: FaultRates;
  /** If given, faults hit these operations only. */
  only: ReadonlySet<string> | undefined;
  /** Milliseconds that a request takes without any fault. */
  delay?: (call: Call) => number;
  /** Called with every fault. */
  met(what: string, call: Call): void;
}

/**
 * The way from a process to its storage. Every request waits until the scheduler picks it, so all orders are possible.
 * The answers are those of the storage adapter: it repeats a failed attempt with the same conditions, and the repeated
 * attempt may meet the effect of a lost one.
 */
export function networkOf(scheduler: Scheduler, random: Random, faults: Faults): Network {
  return async (call, carryOut) => {
    // The request belongs to the process that sends it.
    const owner = running.getStore();
    const about = `${call.operation} ${call.account}${call.name !== undefined ? ` ${call.container}/${call.name}` : ''}`;
    for (let attempt = 1; ; attempt++) {
      const fault = pick(faults, call, random);
      noteRequest(call.operation);
      if (fault) faults.met(fault, call);
      const slow = fault === 'slow' ? random.between(1_000, 120_000) : (faults.delay?.(call) ?? 0);
      // A request of a process that dies may be on its way already.
      const orphan = () => {
        if (!call.writes || !random.chance(0.5)) return;
        const ms = random.chance(0.5) ? 1 : random.between(1, 20_000);
        faults.met('carried out after its sender died', call);
        scheduler.add({ label: `${about} (its sender is dead)`, owner: undefined, run: () => quietly(carryOut) }, ms);
      };
      await waitFor(scheduler, { about, owner, slow, orphan, signal: call.signal });
      switch (fault) {
        case 'denied':
          throw new StorageError('access-denied', `Could not ${about}: 403 AuthorizationFailure`, 403, 'Denied');
        case 'before':
          break;
        case 'lost':
          quietly(carryOut);
          break;
        case 'late':
          scheduler.add(
            { label: `${about} (its sender no longer waits)`, owner: undefined, run: () => quietly(carryOut) },
            random.between(1, 20_000),
          );
          break;
        default:
          return carryOut();
      }
      if (attempt === TRIES) {
        faults.met('request failed', call);
        const [kind, status, code] = random.pick(LAST_ANSWERS);
        throw new StorageError(kind, `Could not ${about}: ${status} ${code}`, status, code);
      }
      await waitFor(scheduler, { about: 'before trying again', owner, slow: random.between(400, 3_000) });
    }
  };
}

function pick({ rates, only }: Faults, call: Call, random: Random): keyof FaultRates | undefined {
  // Draw in any case: later draws must not depend on the operation.
  let draw = random.next();
  if (only && !only.has(call.operation)) return undefined;
  for (const kind of ['before', 'lost', 'late', 'denied', 'slow'] as const) {
    if (draw < rates[kind]) return (kind === 'lost' || kind === 'late') && !call.writes ? 'before' : kind;
    draw -= rates[kind];
  }
  return undefined;
}

function waitFor(
  scheduler: Scheduler,
  wait: {
    about: string;
    owner: Owner | undefined;
    slow: number;
    orphan?: () => void;
    signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const { about, owner, slow, orphan, signal } = wait;
  return new Promise((resolve, reject) => {
    const aborted = () => new StorageError('aborted', `Could not ${about}: it was stopped`, 0, 'ABORT_ERR');
    if (signal?.aborted) return reject(aborted());
    const step = scheduler.add({ label: about, owner, run: resolve, dropped: orphan }, slow);
    signal?.addEventListener(
      'abort',
      () => {
        if (!scheduler.remove(step)) return;
        orphan?.();
        reject(aborted());
      },
      { once: true },
    );
  });
}

/** Carries a request out, and drops its answer. */
function quietly(carryOut: () => unknown): void {
  try {
    carryOut();
  } catch (error) {
    if (!isStorageError(error)) throw error;
  }
}
