/** A table whose entities exist only as numbers, with the texts and types of the service. */

export const GENERATED_TABLE = 'Orders';
export const PER_PARTITION = 100;
const PAGE = 1000;
/** Long before any backup. */
const WRITTEN = '2026-11-01T08:00:00.1234567Z';

export interface EntityQueried {
  /** The filter without percent-encoding; empty for all entities. */
  filter: string;
  top: number;
  /** Whether only the keys are requested. */
  keysOnly: boolean;
  /** The continuation of the previous page. */
  nextRow?: string;
}

export interface EntityAnswer {
  body: string;
  next?: Key;
}

interface Key {
  partition: string;
  row: string;
}

/**
 * Both keys rise with an entity's number, so any key range is a range of numbers. An overwritten entity changes only
 * its time.
 */
export class GeneratedTable {
  readonly #entities: number;
  /** The times of overwritten entities, by number. */
  readonly #rewritten = new Map<number, string>();

  constructor(entities: number) {
    this.#entities = entities;
  }

  rewrite(row: string): void {
    this.#rewritten.set(Number(row), new Date().toISOString().replace('Z', '0000Z'));
  }

  /** Throws for a filter that no backup uses. */
  page({ filter, top, keysOnly, nextRow }: EntityQueried): EntityAnswer {
    const { from, to, since } = this.#range(filter);
    const first = Math.max(from, nextRow === undefined ? 0 : Number(nextRow));
    const wanted = Math.min(top, PAGE);
    const numbers: number[] = [];
    if (since <= WRITTEN) {
      for (let number = first; number < to && numbers.length <= wanted; number++) numbers.push(number);
    } else {
      for (const [number, written] of this.#rewritten) {
        if (number >= first && number < to && written >= since) numbers.push(number);
      }
      numbers.sort((a, b) => a - b);
    }
    const next = numbers[wanted];
    const entities = numbers.slice(0, wanted).map((number) => this.#entity(number, keysOnly));
    return {
      body: `{"odata.metadata":"http://127.0.0.1/$metadata#${GENERATED_TABLE}","value":[${entities.join(',')}]}`,
      ...(next !== undefined && { next: keyOf(next) }),
    };
  }

  #range(filter: string): { from: number; to: number; since: string } {
    const total = this.#entities;
    const partitions = Math.ceil(total / PER_PARTITION);
    const range = { from: 0, to: total, since: '' };
    for (const condition of filter === '' ? [] : filter.split(' and ')) {
      const [, field, comparison, value = ''] = CONDITION.exec(condition) ?? [];
      if (field === 'Timestamp' && comparison === 'ge') {
        range.since = value;
        continue;
      }
      const below = (orEqual: boolean) =>
        field === 'PartitionKey'
          ? PER_PARTITION * countBelow(value, orEqual, partitions, partitionOf)
          : countBelow(value, orEqual, total, rowOf);
      if (field === undefined || field === 'Timestamp')
        throw new Error(`The stand-in server does not know the filter "${condition}"`);
      if (comparison === 'eq') range.from = Math.max(range.from, below(false));
      if (comparison === 'gt') range.from = Math.max(range.from, below(true));
      if (comparison === 'le' || comparison === 'eq') range.to = Math.min(range.to, below(true));
      if (comparison === 'lt') range.to = Math.min(range.to, below(false));
    }
    return range;
  }

  #entity(number: number, keysOnly: boolean): string {
    const written = this.#rewritten.get(number) ?? WRITTEN;
    const { partition, row } = keyOf(number);
    const keys =
      `{"odata.etag":"W/\\"datetime'${encodeURIComponent(written)}'\\"",` +
      `"PartitionKey":"${partition}","RowKey":"${row}"`;
    if (keysOnly) return `${keys},"Timestamp":"${written}"}`;
    const mixed = Math.imul(number + 1, 0x9e3779b1) >>> 0;
    const day = String(1 + (mixed % 28)).padStart(2, '0');
    return (
      `${keys},"Timestamp":"${written}","Amount":${mixed % 10_000}.${10 + (number % 90)},"Quantity":${number % 40},` +
      `"Total@odata.type":"Edm.Int64","Total":"${mixed}${number}","Placed@odata.type":"Edm.DateTime",` +
      `"Placed":"2026-10-${day}T09:30:00.${String(mixed % 10_000_000).padStart(7, '0')}Z","Id@odata.type":"Edm.Guid",` +
      `"Id":"${guidOf(mixed, number)}","Paid":${number % 3 === 0},"Customer":"${WORDS[mixed % 16]} ${WORDS[(mixed >>> 4) % 16]}",` +
      `"Note":"Leave it with ${WORDS[(mixed >>> 8) % 16]}, or \\"${WORDS[(mixed >>> 12) % 16]}\\" & Söhne; ring ${mixed % 97} times"}`
    );
  }
}

const CONDITION = /^(PartitionKey|RowKey|Timestamp) (eq|gt|ge|lt|le) (?:datetime)?'([^']*)'$/;

const WORDS =
  'Adler Birke Castor Dohle Eiche Falke Ginster Habicht Iltis Kiefer Linde Marder Nelke Otter Pappel Rabe'.split(' ');

function keyOf(number: number): Key {
  return { partition: partitionOf(Math.floor(number / PER_PARTITION)), row: rowOf(number) };
}

function partitionOf(number: number): string {
  return `customer-${String(number).padStart(8, '0')}`;
}

function rowOf(number: number): string {
  return String(number).padStart(8, '0');
}

/** How many of the first `total` numbers have a name up to this one. */
function countBelow(name: string, orEqual: boolean, total: number, nameOf: (number: number) => string): number {
  let [low, high] = [0, total];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = nameOf(middle);
    if (other < name || (orEqual && other === name)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function guidOf(mixed: number, number: number): string {
  const digits = mixed.toString(16).padStart(8, '0');
  const more = Math.imul(number + 7, 0x85ebca6b) >>> 0;
  const tail = (more.toString(16) + digits).padStart(16, '0');
  return `${digits}-${tail.slice(0, 4)}-4${tail.slice(1, 4)}-a${digits.slice(2, 5)}-${tail.slice(4)}`;
}
