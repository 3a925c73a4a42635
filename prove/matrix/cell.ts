import { FATES } from '../../test/support/faults/azure-copies.ts';
import { FAULTS, type Fault, LIES, STORMS } from '../../test/support/faults/faults.ts';
import { nameOf, type StorageOperation } from '../../test/support/faults/storage-operation.ts';

/** One fault on one operation of one scenario. */
export interface Cell {
  scenario: string;
  /** The operation by its name; `any` for a fault of the whole run. */
  operation: string;
  fault: string;
  /** The first request of the operation that it hits, counted from 1; for storms, the seed. */
  nth: number;
  /** A second fault in the same run. */
  second?: { operation: string; fault: string };
}

export const ORPHANED_COPY = 'orphaned-copy';

/** `incremental/vault.CopyBlobFromURL/lost-answer`, with `#2` for a later occurrence and `+…` for a second fault. */
export function cellName({ scenario, operation, fault, nth, second }: Cell): string {
  const more = second ? `+${second.operation}/${second.fault}` : '';
  return `${scenario}/${operation}/${fault}${nth > 1 ? `#${nth}` : ''}${more}`;
}

export function cellNamed(name: string): Cell {
  const match = /^([^/]+)\/([^/]+)\/([^/#+]+)(?:#(\d+))?(?:\+([^/]+)\/([^/]+))?$/.exec(name);
  if (!match) throw new Error(`"${name}" is no cell: it should look like full/control.PutBlob:summary/lost-answer`);
  const [, scenario = '', operation = '', fault = '', nth, otherOperation, otherFault] = match;
  const second = otherOperation && otherFault ? { second: { operation: otherOperation, fault: otherFault } } : {};
  return { scenario, operation, fault, nth: Number(nth ?? 1), ...second };
}

/** Cells in which the judges must find a violation, or the judges are blind. */
export const IMPOSSIBLE: readonly Cell[] = [
  'full/vault.CopyBlobFromURL/swallowed',
  'blocks/vault.PutBlockList/swallowed',
  'incremental/vault.SnapshotBlob/swallowed',
  'full/source.ListBlobs/forgetful',
].map(cellNamed);

/** The operations of a scenario without faults, with their counts. Those of the watch come by its timer, if at all. */
export type Recording = ReadonlyMap<string, { operation: StorageOperation; count: number }>;

export function recordingOf(operations: StorageOperation[]): Recording {
  const recording = new Map<string, { operation: StorageOperation; count: number }>();
  for (const operation of operations) {
    if (operation.side === 'control' && operation.blob.startsWith('watch/')) continue;
    const name = nameOf(operation);
    const known = recording.get(name);
    if (known) known.count++;
    else recording.set(name, { operation, count: 1 });
  }
  return recording;
}

export function faultNamed(name: string): Fault {
  const fault = [...FAULTS, ...LIES].find((each) => each.name === name);
  if (!fault) throw new Error(`There is no fault "${name}".`);
  return fault;
}

/** Every fault on every operation to which it applies. */
export function cellsOf(scenario: string, recording: Recording, storms = 1): Cell[] {
  const cells: Cell[] = [];
  for (const [name, { operation }] of recording) {
    for (const fault of FAULTS) {
      if (fault.applies(operation) && canStrike(scenario, operation, fault)) {
        cells.push({ scenario, operation: name, fault: fault.name, nth: 1 });
      }
    }
  }
  if (recording.has('vault.CopyBlob')) {
    for (const fault of Object.keys(FATES)) cells.push({ scenario, operation: 'vault.CopyBlob', fault, nth: 1 });
  }
  if (scenario !== 'retry') cells.push({ scenario, operation: 'any', fault: ORPHANED_COPY, nth: 1 });
  for (const { name } of STORMS) {
    for (let nth = 1; nth <= storms; nth++) cells.push({ scenario, operation: 'any', fault: name, nth });
  }
  return cells;
}

/** Some listings are too short for these faults. */
function canStrike(scenario: string, operation: StorageOperation, fault: Fault): boolean {
  if (scenario === 'retry' && fault.name === 'lying-md5') return false;
  return !(scenario === 'full' && operation.side === 'vault' && /page|md5/.test(fault.name));
}
