import type { KeySelection } from '../run/tasks.ts';
import type { EntityKey, KeyRange } from './table-key.ts';

export function isChosen({ partition, from, to }: KeySelection, key: EntityKey): boolean {
  if (partition !== undefined && key.partition !== partition) return false;
  const place = partition === undefined ? key.partition : key.row;
  return (from === undefined || place >= from) && (to === undefined || place <= to);
}

/** False only if no selected entity can be in the key range, under any order that the service may use. */
export function mayHoldChosen({ after, upTo }: KeyRange, { partition, from, to }: KeySelection): boolean {
  const first = partition ?? from;
  const last = partition ?? to;
  if (upTo !== undefined && first !== undefined) {
    if (isBefore(upTo.partition, first)) return false;
    const withinRows = upTo.partition === partition && upTo.row !== undefined && from !== undefined;
    if (withinRows && isBefore(upTo.row!, from!)) return false;
  }
  if (after !== undefined && last !== undefined) {
    if (isBefore(last, after.partition)) return false;
    if (after.partition === last && after.row === undefined && (partition !== undefined || isPlain(last))) return false;
    const withinRows = after.partition === partition && after.row !== undefined && to !== undefined;
    if (withinRows && ((after.row === to && isPlain(to!)) || isBefore(to!, after.row!))) return false;
  }
  return true;
}

/** Whether everything up to the one is before everything from the other on, by UTF-16 and by code point. */
function isBefore(a: string, b: string): boolean {
  return a < b && (isPlain(a) || isPlain(b));
}

/** The orders differ only about text that starts with a surrogate. */
function isPlain(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) >= 0xd800) return false;
  return true;
}
