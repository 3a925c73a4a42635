/**
 * A cursor over the XML that the storage service writes. It visits elements in order and hands out their text; it
 * builds no tree, which is what makes it quick. Strict about structure: whatever is cut short or not nested well
 * throws `XmlError`. It knows no document types and so no entities but the five of XML and character references.
 */
export class XmlCursor {
  readonly #text: string;
  #at = 0;
  /** Of the element that was entered last: the text between its name and its `>`. */
  #attributes = '';
  #empty = false;

  constructor(text: string) {
    this.#text = text;
    if (text.charCodeAt(0) === 0xfeff) this.#at = 1;
  }

  /** Goes over the whole document, which must have exactly one root element of this name. */
  document(root: string, visit: (child: string) => void): void {
    this.#skipMisc();
    const name = this.#open();
    if (name !== root) throw new XmlError(`the root element is ${name}, not ${root}`);
    this.children(root, visit);
    this.#skipMisc();
    if (this.#at < this.#text.length) throw new XmlError('there is more after the root element');
  }

  /** Calls `visit` for each child of the element just entered. It must read or skip the child before returning. */
  children(parent: string, visit: (child: string) => void): void {
    if (this.#empty) {
      this.#empty = false;
      return;
    }
    const text = this.#text;
    for (;;) {
      this.#skipMisc();
      if (text.charCodeAt(this.#at) !== LESS) throw new XmlError(`there is text directly inside ${parent}`);
      if (text.charCodeAt(this.#at + 1) === SLASH) break;
      visit(this.#open());
    }
    this.#close(parent);
  }

  /** The decoded text of the element just entered, which must have no child elements. */
  content(element: string): string {
    if (this.#empty) {
      this.#empty = false;
      return '';
    }
    const text = this.#text;
    const start = this.#at;
    const end = text.indexOf('<', start);
    if (end < 0) throw new XmlError(`${element} is cut short`);
    if (text.charCodeAt(end + 1) === SLASH) {
      this.#at = end;
      this.#close(element);
      return decoded(text.slice(start, end));
    }
    return this.#mixedContent(element);
  }

  /** Goes past the element just entered and everything in it. */
  skip(element: string): void {
    if (this.#empty) {
      this.#empty = false;
      return;
    }
    for (;;) {
      this.#at = this.#text.indexOf('<', this.#at);
      if (this.#at < 0) throw new XmlError(`${element} is cut short`);
      const next = this.#text.charCodeAt(this.#at + 1);
      if (next === SLASH) break;
      if (next === EXCLAMATION || next === QUESTION) this.#skipMarkup();
      else this.skip(this.#open());
    }
    this.#close(element);
  }

  /** The value of an attribute of the element just entered. */
  attribute(name: string): string | undefined {
    if (this.#attributes === '') return undefined;
    const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(this.#attributes);
    return found ? decoded(found[1] ?? found[2] ?? '') : undefined;
  }

  /** Text in several pieces: between comments, or as CDATA. */
  #mixedContent(element: string): string {
    const text = this.#text;
    let content = '';
    for (;;) {
      const end = text.indexOf('<', this.#at);
      if (end < 0) throw new XmlError(`${element} is cut short`);
      content += decoded(text.slice(this.#at, end));
      this.#at = end;
      const next = text.charCodeAt(end + 1);
      if (next === SLASH) {
        this.#close(element);
        return content;
      }
      if (text.startsWith('<![CDATA[', end)) {
        const close = text.indexOf(']]>', end + 9);
        if (close < 0) throw new XmlError(`${element} is cut short`);
        content += text.slice(end + 9, close);
        this.#at = close + 3;
      } else if (next === EXCLAMATION || next === QUESTION) {
        this.#skipMarkup();
      } else {
        throw new XmlError(`${element} has elements where text belongs`);
      }
    }
  }

  #open(): string {
    const text = this.#text;
    const start = this.#at + 1;
    if (text.charCodeAt(this.#at) !== LESS) throw new XmlError('an element was expected');
    let end = start;
    while (isNameCharacter(text.charCodeAt(end))) end++;
    if (end === start) throw new XmlError('a tag is malformed or cut short');
    const name = text.slice(start, end);
    if (text.charCodeAt(end) === GREATER) {
      this.#attributes = '';
      this.#empty = false;
      this.#at = end + 1;
      return name;
    }
    // A `>` may stand inside an attribute's value, so the tag ends where its attributes do.
    REST_OF_TAG.lastIndex = end;
    const rest = REST_OF_TAG.exec(text);
    if (!rest) throw new XmlError('a tag is malformed or cut short');
    this.#attributes = rest[1]!;
    this.#empty = rest[2] === '/';
    this.#at = REST_OF_TAG.lastIndex;
    return name;
  }

  #close(name: string): void {
    const text = this.#text;
    const after = this.#at + 2 + name.length;
    if (!text.startsWith(name, this.#at + 2)) throw new XmlError(`${name} is not closed`);
    let end = after;
    while (isSpace(text.charCodeAt(end))) end++;
    if (text.charCodeAt(end) !== GREATER) throw new XmlError(`${name} is not closed`);
    this.#at = end + 1;
  }

  /** White space, comments and processing instructions. */
  #skipMisc(): void {
    for (;;) {
      const first = this.#text.charCodeAt(this.#at);
      if (first === LESS) {
        const next = this.#text.charCodeAt(this.#at + 1);
        if (next !== EXCLAMATION && next !== QUESTION) return;
        this.#skipMarkup();
      } else if (isSpace(first)) this.#at++;
      else return;
    }
  }

  #skipMarkup(): void {
    for (const [start, end] of MARKUP) {
      if (!this.#text.startsWith(start, this.#at)) continue;
      const close = this.#text.indexOf(end, this.#at + start.length);
      if (close < 0) throw new XmlError('markup is cut short');
      this.#at = close + end.length;
      return;
    }
    throw new XmlError('it holds a document type or other markup that the service never sends');
  }
}

export class XmlError extends Error {
  override readonly name = 'XmlError';
}

const LESS = 0x3c;
const GREATER = 0x3e;
const SLASH = 0x2f;
const EXCLAMATION = 0x21;
const QUESTION = 0x3f;
const REST_OF_TAG = /((?:\s+[^\s"'<>=&/]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const MARKUP = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
] as const;

/** Everything but white space, `/`, `<`, `>`, `=`, `&`, quotes and the end of the text (which compares as NaN). */
function isNameCharacter(code: number): boolean {
  return code > 0x3e || (code > 0x27 && code < 0x3c && code !== SLASH);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decoded(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&([^;&]*)(;?)/g, (whole, body: string, end: string) => {
    const character = end ? (ENTITIES[body] ?? referenced(body)) : undefined;
    if (character === undefined) throw new XmlError(`${whole.slice(0, 20)} is not an entity`);
    return character;
  });
}

function referenced(body: string): string | undefined {
  const found = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(body);
  if (!found) return undefined;
  const code = found[1] ? Number.parseInt(found[1], 16) : Number(found[2]);
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
