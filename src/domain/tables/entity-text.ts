import type { EntityKey } from './table-key.ts';

/**
 * The text of entities, as the table service writes it: a JSON object whose members are strings, numbers, `true`,
 * `false` or `null`, with the type of some members next to them (`"big@odata.type":"Edm.Int64"`). Strongroom stores it
 * and sends it back unchanged, because JavaScript would change numbers: `3.0` is a Double, `3` is an Int32, and neither
 * has room for an Int64.
 */

/** The response of the service is incomplete, or an entity has no key. */
export class EntityTextError extends Error {
  override readonly name = 'EntityTextError';
}

/** Such as `Edm.Int64`. `Edm.Null` means a property without a value. */
export type EdmType = `Edm.${string}`;

export interface Property {
  type: EdmType;
  /** The characters of a string, or a number as written. */
  value: string;
}

/** An entity as the service returns it. */
export interface StoredEntity {
  key: EntityKey;
  /**
   * One line: the JSON of the entity, with its `…@odata.type` annotations and `Timestamp`, without members that start
   * with `odata.`.
   */
  text: string;
}

/**
 * The entities of a response to a query, `{"odata.metadata":…,"value":[…]}`, each as a line of text without members
 * that start with `odata.`. Throws `EntityTextError` if the response is incomplete: a missing entity would look
 * deleted.
 *
 * The lines are slices of the response: a caller that keeps one keeps the whole response in memory. Keys are strings of
 * their own.
 */
export function splitEntities(body: string): StoredEntity[] {
  const json = new JsonCursor(inOneLine(body));
  let entities: StoredEntity[] | undefined;
  for (let more = json.open(OPEN_OBJECT, CLOSE_OBJECT); more; more = json.next(CLOSE_OBJECT)) {
    const from = json.at;
    json.name();
    if (json.text.startsWith('"value"', from)) entities = readList(json);
    else json.value();
  }
  json.end();
  if (!entities) throw new EntityTextError('it has no list of entities');
  return entities;
}

/** The properties and both keys by name, without `Timestamp`, which belongs to the service. */
export function propertiesOf(text: string): Map<string, Property> {
  const types = new Map<string, EdmType>();
  const properties = new Map<string, Property>();
  const json = new JsonCursor(text);
  for (let more = json.open(OPEN_OBJECT, CLOSE_OBJECT); more; more = json.next(CLOSE_OBJECT)) {
    const from = json.at;
    const name = stringIn(text.slice(from, json.name()));
    const start = json.at;
    json.value();
    const token = text.slice(start, json.at);
    if (name.endsWith(TYPE_OF)) types.set(name.slice(0, -TYPE_OF.length), stringIn(token) as EdmType);
    else if (!name.startsWith('odata.') && name !== 'Timestamp') properties.set(name, propertyOf(token));
  }
  json.end();
  for (const [name, type] of types) {
    const property = properties.get(name);
    if (property && property.type !== 'Edm.Null') property.type = type;
  }
  return properties;
}

/**
 * Whether both have the same keys and the same properties, of the same types and values. The time of the write, the
 * order of properties and the spelling of a value make no difference.
 */
export function sameEntity(a: string, b: string): boolean {
  if (a === b) return true;
  const ours = propertiesOf(a);
  const theirs = propertiesOf(b);
  if (ours.size !== theirs.size) return false;
  for (const [name, property] of ours) {
    const other = theirs.get(name);
    if (!other || other.type !== property.type) return false;
    if (other.value !== property.value && valueId(other) !== valueId(property)) return false;
  }
  return true;
}

/**
 * When the service wrote the entity, as in its text: ISO 8601 with up to seven digits of fractions. Undefined if the
 * text has no time.
 */
export function timestampOf(text: string): string | undefined {
  // Within a string, every quote has a backslash before it, and only a name has a colon after it.
  const token = /"Timestamp"\s*:\s*("[^"\\]*")/.exec(text)?.[1];
  // Parsed to get a string of its own: see `keyIn`.
  return token && JSON.parse(token);
}

/**
 * The text for sending, with the type next to every Double that lacks it: the service recognizes one by its decimal
 * point, and the emulator reads `3.0` as an Int32 without the type.
 */
export function withDoublesNamed(text: string): string {
  const named = new Set<string>();
  const doubles: { name: string; from: number }[] = [];
  const json = new JsonCursor(text);
  for (let more = json.open(OPEN_OBJECT, CLOSE_OBJECT); more; more = json.next(CLOSE_OBJECT)) {
    const from = json.at;
    const name = text.slice(from + 1, json.name() - 1);
    const start = json.at;
    json.value();
    if (name.endsWith(TYPE_OF)) named.add(name.slice(0, -TYPE_OF.length));
    else if (text.charCodeAt(start) !== QUOTE && DOUBLE.test(text.slice(start, json.at))) doubles.push({ name, from });
  }
  json.end();
  let whole = '';
  let to = 0;
  for (const { name, from } of doubles) {
    if (named.has(name)) continue;
    whole += `${text.slice(to, from)}"${name}${TYPE_OF}":"Edm.Double",`;
    to = from;
  }
  return whole + text.slice(to);
}

const TYPE_OF = '@odata.type';
/** A number with a point or an exponent. */
const DOUBLE = /^-?[0-9][0-9.+eE-]*[.eE]/;

function readList(json: JsonCursor): StoredEntity[] {
  const entities: StoredEntity[] = [];
  let before: StoredEntity | undefined;
  for (let more = json.open(OPEN_LIST, CLOSE_LIST); more; more = json.next(CLOSE_LIST)) {
    before = readEntity(json, before);
    entities.push(before);
  }
  return entities;
}

function readEntity(json: JsonCursor, before: StoredEntity | undefined): StoredEntity {
  const { text } = json;
  const start = json.at;
  let partition: string | undefined;
  let row: string | undefined;
  // Text of the members that stay: everything before the last removed one, and the bounds of those after it.
  let kept: string | undefined;
  let run = -1;
  let runEnd = -1;
  for (let more = json.open(OPEN_OBJECT, CLOSE_OBJECT); more; more = json.next(CLOSE_OBJECT)) {
    const from = json.at;
    json.name();
    const value = json.at;
    json.value();
    switch (text.charCodeAt(from + 1)) {
      case LOWER_O:
        if (!text.startsWith('"odata.', from)) break;
        kept = joined(kept ?? '', run < 0 ? '' : text.slice(run, runEnd));
        run = -1;
        continue;
      case UPPER_P:
        if (text.startsWith('"PartitionKey"', from)) partition = keyIn(text, value, json.at, before?.key.partition);
        break;
      case UPPER_R:
        if (text.startsWith('"RowKey"', from)) row = keyIn(text, value, json.at);
    }
    if (run < 0) run = from;
    runEnd = json.at;
  }
  if (partition === undefined || row === undefined) throw new EntityTextError('an entity has no key');
  return {
    key: { partition, row },
    text: kept === undefined ? text.slice(start, json.at) : `{${joined(kept, run < 0 ? '' : text.slice(run, runEnd))}}`,
  };
}

function joined(before: string, more: string): string {
  return before === '' || more === '' ? before + more : `${before},${more}`;
}

/**
 * Parsed even if nothing is escaped: a slice would keep the whole response in memory as long as the key. Most keys are
 * those of the entity `before`.
 */
function keyIn(text: string, from: number, to: number, before?: string): string {
  if (text.charCodeAt(from) !== QUOTE) throw new EntityTextError('a key is not a string');
  if (
    before !== undefined &&
    to - from === before.length + 2 &&
    text.startsWith(before, from + 1) &&
    !before.includes('\\')
  )
    return before;
  return stringIn(text.slice(from, to));
}

function stringIn(token: string): string {
  try {
    return JSON.parse(token);
  } catch {
    throw new EntityTextError('a string is not escaped as JSON has it');
  }
}

/** JSON escapes line breaks in strings: the others mean nothing. */
function inOneLine(body: string): string {
  if (!body.includes('\n') && !body.includes('\r')) return body;
  try {
    JSON.parse(body);
  } catch {
    throw new EntityTextError('it is not JSON');
  }
  return body.replace(/[\r\n]/g, ' ');
}

function propertyOf(token: string): Property {
  if (token.startsWith('"')) return { type: 'Edm.String', value: stringIn(token) };
  if (token === 'true' || token === 'false') return { type: 'Edm.Boolean', value: token };
  if (token === 'null') return { type: 'Edm.Null', value: token };
  return { type: DOUBLE.test(token) ? 'Edm.Double' : 'Edm.Int32', value: token };
}

/** Equal for equal values only, however they are written. */
function valueId({ type, value }: Property): string {
  switch (type) {
    case 'Edm.Double': {
      const number = Number(value);
      return Object.is(number, -0) ? '-0' : String(number);
    }
    case 'Edm.Int32':
    case 'Edm.Int64':
      return /^[+-]?[0-9]{1,40}$/.test(value) ? String(BigInt(value.replace('+', ''))) : value;
    case 'Edm.DateTime':
      return timeId(value);
    case 'Edm.Guid':
      return value.toLowerCase();
    default:
      return value;
  }
}

/** `2026-11-01T00:00:00.5000000Z` → `2026-11-01T00:00:00.5Z`. */
function timeId(time: string): string {
  const parts = /^(.*?:\d\d)(?:\.(\d+))?Z$/.exec(time);
  if (!parts) return time;
  const [, seconds, fraction = ''] = parts;
  const ticks = fraction.slice(0, 7).replace(/0+$/, '');
  return `${seconds}${ticks && '.'}${ticks}Z`;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACE = 0x20;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const TAB = 0x09;

const LOWER_O = 0x6f;
const UPPER_P = 0x50;
const UPPER_R = 0x52;

/** Steps through JSON text. `at` is the start of the next token: white space after each token is skipped. */
class JsonCursor {
  readonly text: string;
  at = 0;
  #depth = 0;

  constructor(text: string) {
    this.text = text;
    this.#space();
  }

  /** Steps into an object or a list; false if it is empty, and then it is skipped. */
  open(opening: number, closing: number): boolean {
    this.#step(opening);
    if (this.#space() !== closing) return true;
    this.at++;
    return false;
  }

  /** Skips the comma; false at the end of the object or list, which is skipped. `at` is then right after it. */
  next(closing: number): boolean {
    const code = this.#space();
    if (code !== COMMA && code !== closing) throw this.#broken();
    this.at++;
    if (code === closing) return false;
    this.#space();
    return true;
  }

  /** Skips the name of a member and the colon. Returns the offset after the name. */
  name(): number {
    const end = this.#string();
    if (this.text.charCodeAt(end) !== COLON) this.#space();
    this.#step(COLON);
    this.#space();
    return end;
  }

  /** Skips a value of any kind: `at` is right after it. */
  value(): void {
    switch (this.text.charCodeAt(this.at)) {
      case QUOTE:
        this.#string();
        return;
      case OPEN_OBJECT:
        this.#enter();
        for (let more = this.open(OPEN_OBJECT, CLOSE_OBJECT); more; more = this.next(CLOSE_OBJECT)) {
          this.name();
          this.value();
        }
        this.#depth--;
        return;
      case OPEN_LIST:
        this.#enter();
        for (let more = this.open(OPEN_LIST, CLOSE_LIST); more; more = this.next(CLOSE_LIST)) this.value();
        this.#depth--;
        return;
      default:
        this.#plain();
    }
  }

  end(): void {
    this.#space();
    if (this.at !== this.text.length) throw this.#broken();
  }

  /** The service never nests this deep, and deeper values would overflow the stack. */
  #enter(): void {
    if (++this.#depth > DEEPEST) throw this.#broken();
  }

  /** The code of the character after white space; not a number at the end. */
  #space(): number {
    for (; ; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code > SPACE || (code !== SPACE && code !== NEWLINE && code !== RETURN && code !== TAB)) return code;
    }
  }

  #step(code: number): void {
    if (this.text.charCodeAt(this.at) !== code) throw this.#broken();
    this.at++;
  }

  /** Returns the offset after it. */
  #string(): number {
    const { text } = this;
    this.#step(QUOTE);
    // A search is faster than checking each character, even over a few.
    let end = text.indexOf('"', this.at);
    while (end > 0 && text.charCodeAt(end - 1) === BACKSLASH && isEscaped(text, end)) end = text.indexOf('"', end + 1);
    if (end < 0) {
      this.at = text.length;
      throw this.#broken();
    }
    this.at = end + 1;
    return this.at;
  }

  /** A number, `true`, `false` or `null`. */
  #plain(): void {
    const { text } = this;
    const from = this.at;
    let digits = true;
    for (; ; this.at++) {
      const code = text.charCodeAt(this.at);
      if (code >= 0x30 && code <= 0x39) continue;
      if (code === COMMA || code === CLOSE_OBJECT || code === CLOSE_LIST || code <= SPACE || Number.isNaN(code)) break;
      digits = false;
    }
    if (digits && this.at > from && (text.charCodeAt(from) !== 0x30 || this.at === from + 1)) return;
    const token = text.slice(from, this.at);
    if (!PLAIN.test(token)) {
      this.at = from;
      throw this.#broken();
    }
  }

  #broken(): EntityTextError {
    const where = this.at >= this.text.length ? 'it ends too early' : `it is not JSON from character ${this.at} on`;
    return new EntityTextError(where);
  }
}

/** Whether the backslash before the quote is not itself escaped. */
function isEscaped(text: string, quote: number): boolean {
  let from = quote;
  while (text.charCodeAt(from - 1) === BACKSLASH) from--;
  return (quote - from) % 2 === 1;
}

/** Maximum nesting of values. The values of entities are not nested. */
const DEEPEST = 100;
const PLAIN = /^(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)$/;
