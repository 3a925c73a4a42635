/** The orders in which services list names and compare keys: by UTF-16 unit, by code point, and odder ones. */
export const NAME_ORDERS = {
  utf16: (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0),
  codePoint: (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b)),
  /** Folder by folder. */
  segment: (a: string, b: string) => {
    const [x, y] = [a, b].map((name) => name.replaceAll('/', '\u0000'));
    return x! < y! ? -1 : x! > y! ? 1 : 0;
  },
  caseless: (a: string, b: string) => {
    const [x, y] = [a, b].map((name) => `${name.toLowerCase()}\u0000${name}`);
    return x! < y! ? -1 : x! > y! ? 1 : 0;
  },
};

export type NameOrder = keyof typeof NAME_ORDERS;
