/**
 * A cursor over the XML of the storage service. It visits elements in order and returns their text. It is fast because
 * it builds no tree. It is strict: XML that is cut off or not well-formed throws `XmlError`. It supports no document
 * types, and so no entities except the five of XML and character references.
 *
 * It reads the UTF-8 bytes directly. The strings that it returns are copies and do not keep the body in memory.
 */
export class XmlCursor {
  readonly #bytes: Buffer;
  #at = 0;
  /** The text between the name and the `>` of the current element. */
  #attributes = '';
  #empty = false;
  /**
   * The elements so far. A listing repeats few elements in the same order, so the cursor guesses the next one first.
   */
  readonly #known = new Map<string, Element>();
  #latest: Element = { name: '', value: '', next: undefined };

  constructor(body: Buffer) {
    this.#bytes = body;
    if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) this.#at = 3;
  }

  /** Visits the whole document, which must have exactly one root element of this name. */
  document(root: string, visit: (child: string) => void): void {
    this.#skipMisc();
    const name = this.#open();
    if (name !== root) throw new XmlError(`the root element is ${name}, not ${root}`);
    this.children(root, visit);
    this.#skipMisc();
    if (this.#at < this.#bytes.length) throw new XmlError('there is more after the root element');
  }

  /** Calls `visit` for each child of the current element. `visit` must read or skip the child. */
  children(parent: string, visit: (child: string) => void): void {
    if (this.#empty) {
      this.#empty = false;
      return;
    }
    const bytes = this.#bytes;
    for (;;) {
      this.#skipMisc();
      if (bytes[this.#at] !== LESS) throw new XmlError(`there is text directly inside ${parent}`);
      if (bytes[this.#at + 1] === SLASH) break;
      visit(this.#open());
    }
    this.#close(parent);
  }

  /** The decoded text of the current element, which must not have child elements. */
  content(element: string): string {
    if (this.#empty) {
      this.#empty = false;
      return '';
    }
    const bytes = this.#bytes;
    const start = this.#at;
    const latest = this.#latest;
    let plain = true;
    let end = start;
    for (; end < bytes.length; end++) {
      const byte = bytes[end]!;
      if (byte === LESS) break;
      if (byte === AMPERSAND || byte >= 0x80) plain = false;
    }
    if (end >= bytes.length) throw new XmlError(`${element} is cut off`);
    if (bytes[end + 1] !== SLASH) return this.#mixedContent(element);
    this.#at = end;
    this.#close(element);
    if (!plain) return decoded(bytes.toString('utf8', start, end));
    if (isAt(bytes, start, end, latest.value)) return latest.value;
    latest.value = bytes.toString('latin1', start, end);
    return latest.value;
  }

  /** Skips the current element and everything in it. */
  skip(element: string): void {
    if (this.#empty) {
      this.#empty = false;
      return;
    }
    const bytes = this.#bytes;
    for (;;) {
      while (this.#at < bytes.length && bytes[this.#at] !== LESS) this.#at++;
      if (this.#at >= bytes.length) throw new XmlError(`${element} is cut off`);
      const next = bytes[this.#at + 1];
      if (next === SLASH) break;
      if (next === EXCLAMATION || next === QUESTION) this.#skipMarkup();
      else this.skip(this.#open());
    }
    this.#close(element);
  }

  /** The value of an attribute of the current element. */
  attribute(name: string): string | undefined {
    if (this.#attributes === '') return undefined;
    const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(this.#attributes);
    return found ? decoded(found[1] ?? found[2] ?? '') : undefined;
  }

  /** Text in several parts: between comments, or as CDATA. */
  #mixedContent(element: string): string {
    const bytes = this.#bytes;
    let content = '';
    for (;;) {
      const end = bytes.indexOf(LESS, this.#at);
      if (end < 0) throw new XmlError(`${element} is cut off`);
      content += decoded(bytes.toString('utf8', this.#at, end));
      this.#at = end;
      const next = bytes[end + 1];
      if (next === SLASH) {
        this.#close(element);
        return content;
      }
      if (isAt(bytes, end, end + 9, '<![CDATA[')) {
        const close = bytes.indexOf(']]>', end + 9);
        if (close < 0) throw new XmlError(`${element} is cut off`);
        content += bytes.toString('utf8', end + 9, close);
        this.#at = close + 3;
      } else if (next === EXCLAMATION || next === QUESTION) {
        this.#skipMarkup();
      } else {
        throw new XmlError(`${element} has elements where text belongs`);
      }
    }
  }

  #open(): string {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    if (bytes[this.#at] !== LESS) throw new XmlError('an element was expected');
    const guess = this.#latest.next;
    if (guess !== undefined) {
      const after = start + guess.name.length;
      if (isAt(bytes, start, after, guess.name)) {
        // `<Name>`, `<Name/>` and `<Name />`. All other tags take the slow path.
        const slash = bytes[after] === SPACE ? after + 1 : after;
        const empty = bytes[slash] === SLASH;
        const close = empty ? slash + 1 : after;
        if (bytes[close] === GREATER) {
          this.#latest = guess;
          this.#attributes = '';
          this.#empty = empty;
          this.#at = close + 1;
          return guess.name;
        }
      }
    }
    let end = start;
    while (isNameByte(bytes[end])) end++;
    if (end === start) throw new XmlError('a tag is malformed or cut off');
    const element = this.#elementOf(bytes.toString('utf8', start, end));
    if (bytes[end] === GREATER) {
      this.#attributes = '';
      this.#empty = false;
      this.#at = end + 1;
      return element.name;
    }
    // The value of an attribute may contain `>`, so the tag ends where its attributes end.
    const close = endOfTag(bytes, end);
    const rest = REST_OF_TAG.exec(bytes.toString('utf8', end, close));
    if (!rest) throw new XmlError('a tag is malformed or cut off');
    this.#attributes = rest[1]!;
    this.#empty = rest[2] === '/';
    this.#at = close;
    return element.name;
  }

  #elementOf(name: string): Element {
    let element = this.#known.get(name);
    if (element === undefined) {
      element = { name, value: '', next: undefined };
      // Metadata keys are elements, too, and there may be any number of them.
      if (this.#known.size < 256) this.#known.set(name, element);
    }
    this.#latest.next = element;
    this.#latest = element;
    return element;
  }

  #close(name: string): void {
    const bytes = this.#bytes;
    const start = this.#at + 2;
    let end = start + name.length;
    if (!isAt(bytes, start, end, name)) {
      const encoded = Buffer.from(name);
      end = start + encoded.length;
      if (!bytes.subarray(start, end).equals(encoded)) throw new XmlError(`${name} is not closed`);
    }
    while (isSpace(bytes[end])) end++;
    if (bytes[end] !== GREATER) throw new XmlError(`${name} is not closed`);
    this.#at = end + 1;
  }

  /** White space, comments and processing instructions. */
  #skipMisc(): void {
    for (;;) {
      const first = this.#bytes[this.#at];
      if (first === LESS) {
        const next = this.#bytes[this.#at + 1];
        if (next !== EXCLAMATION && next !== QUESTION) return;
        this.#skipMarkup();
      } else if (isSpace(first)) this.#at++;
      else return;
    }
  }

  #skipMarkup(): void {
    const bytes = this.#bytes;
    for (const [start, end] of MARKUP) {
      if (!isAt(bytes, this.#at, this.#at + start.length, start)) continue;
      const close = bytes.indexOf(end, this.#at + start.length);
      if (close < 0) throw new XmlError('markup is cut off');
      this.#at = close + end.length;
      return;
    }
    throw new XmlError('it contains a document type or other markup that the service never sends');
  }
}

interface Element {
  name: string;
  /** Its latest text. If the next blob has the same text, it reuses this string. */
  value: string;
  /** The element that followed it last. */
  next: Element | undefined;
}

/** Whether the bytes from `start` to `end` are this ASCII text. */
function isAt(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let index = 0; index < text.length; index++) {
    if (bytes[start + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

/** The index after the `>` that ends a tag. A `>` inside quotes does not end it. */
function endOfTag(bytes: Buffer, from: number): number {
  let quote: number | undefined;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (quote !== undefined) {
      if (byte === quote) quote = undefined;
    } else if (byte === 0x22 || byte === 0x27) quote = byte;
    else if (byte === GREATER) return at + 1;
  }
  throw new XmlError('a tag is malformed or cut off');
}

export class XmlError extends Error {
  override readonly name = 'XmlError';
}

const SPACE = 0x20;
const LESS = 0x3c;
const GREATER = 0x3e;
const SLASH = 0x2f;
const AMPERSAND = 0x26;
const EXCLAMATION = 0x21;
const QUESTION = 0x3f;
const REST_OF_TAG = /^((?:\s+[^\s"'<>=&/]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>$/;
const MARKUP = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
] as const;

/** Everything except white space, `/`, `<`, `>`, `=`, `&`, quotes and the end of the body. */
function isNameByte(byte: number | undefined): boolean {
  return byte !== undefined && (byte > 0x3e || (byte > 0x27 && byte < 0x3c && byte !== SLASH));
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

const ENTITIES = new Map(Object.entries({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }));

function decoded(text: string): string {
  let plain = '';
  let from = 0;
  for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', from)) {
    const end = text.indexOf(';', at);
    const body = text.slice(at + 1, end);
    const character = end < 0 ? undefined : (ENTITIES.get(body) ?? referenced(body));
    if (character === undefined) throw new XmlError(`${text.slice(at, at + 20)} is not an entity`);
    plain += text.slice(from, at) + character;
    from = end + 1;
  }
  return from === 0 ? text : plain + text.slice(from);
}

function referenced(body: string): string | undefined {
  const found = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(body);
  if (!found) return undefined;
  const code = found[1] ? Number.parseInt(found[1], 16) : Number(found[2]);
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
