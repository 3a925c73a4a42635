import type { StorageError } from '#storage/storage-error.ts';
import type { Random } from '../../test/support/builders/random.ts';
import { refusal } from '../memory/memory-account.ts';

/** What the service refuses for long, without any fault of the network. */
export interface Hardships {
  /** The portion of the source blobs whose content is denied for good. */
  denied: number;
  /** Milliseconds from the beginning for which the service still deletes earlier containers of the vault. */
  deletion: number;
  /** How the table service of the vault answers all the time; undefined if the catalog is within reach. */
  catalog: StorageError | undefined;
  /** The number of restores, verifications and drills beside the backups. */
  readers: number;
  /** How often the selection of the job changes to another one of the same blobs, and back. */
  setups: number;
}

const MINUTE = 60_000;
/** So many that more refusals in a row than a run accepts can come before a blob that is served. */
const MANY = 40;

export function drawHardships(random: Random): Hardships {
  return {
    denied: random.chance(0.8) ? 0 : random.pick([0.1, 0.6, 0.95]),
    deletion: random.chance(0.8) ? 0 : random.between(1, 9 * MINUTE),
    catalog: random.chance(0.8) ? undefined : random.pick(ABSENT)(),
    readers: random.chance(0.7) ? 0 : random.between(1, 6),
    setups: random.chance(0.8) ? 0 : random.between(1, 4),
  };
}

const ABSENT = [
  () => refusal('unreachable', 0, 'ENOTFOUND'),
  () => refusal('access-denied', 403, 'AuthorizationFailure'),
  () => refusal('not-created', 404, 'ResourceNotFound'),
];

export function manyNames(): string[] {
  return Array.from({ length: MANY }, (_, index) => `m/${String(index).padStart(2, '0')}`);
}
