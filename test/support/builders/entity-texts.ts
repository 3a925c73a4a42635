import fc from 'fast-check';

/** Text of entities as the table service writes them, at the edges of every type. */

/** A property's value as its annotation, '' for none, and its token. */
export type Written = [type: string, token: string];

export const EDGES: readonly Written[] = [
  ['', '0'],
  ['', '2147483647'],
  ['', '-2147483648'],
  ['', '0.0'],
  ['', '3.0'],
  ['', '-1.5'],
  ['', '0.1'],
  ['', '5E-324'],
  ['', '2.2250738585072014E-308'],
  ['', '1.7976931348623157E+308'],
  ['', '123456789012345680000.0'],
  ['', '4294967296.0'],
  ['', '1E+21'],
  ['Edm.Double', '"NaN"'],
  ['Edm.Double', '"Infinity"'],
  ['Edm.Double', '"-Infinity"'],
  ['Edm.Int64', '"0"'],
  ['Edm.Int64', '"9007199254740993"'],
  ['Edm.Int64', '"9223372036854775807"'],
  ['Edm.Int64', '"-9223372036854775808"'],
  ['Edm.DateTime', '"1601-01-01T00:00:00Z"'],
  ['Edm.DateTime', '"2026-11-01T12:34:56.1234567Z"'],
  ['Edm.DateTime', '"2026-11-01T12:34:56.1000000Z"'],
  ['Edm.DateTime', '"9999-12-31T23:59:59.9999999Z"'],
  ['Edm.Guid', '"c9da6455-213d-42c9-9a79-3e9149a57833"'],
  ['Edm.Guid', '"C9DA6455-213D-42C9-9A79-3E9149A57833"'],
  ['Edm.Binary', '""'],
  ['Edm.Binary', '"//79/A=="'],
  ['', 'true'],
  ['', 'false'],
  ['', '""'],
  ['', '"3.0"'],
  ['', '"NaN"'],
  ['', '"2026-11-01T12:34:56.1234567Z"'],
  ['', String.raw`"\"\\\/\b\f\n\r\t\u0000\u001f"`],
  ['', String.raw`"\ud800 half \udfff"`],
  ['', '"\u2028\u{1f600}é\ufeff\u007f"'],
  ['', '"{},[]:\'%41 HTTP/1.1 500 --changeset_ --batch_ <b>&amp;"'],
  ['', String.raw`"\\"`],
  ['', String.raw`"\"Timestamp\":\"2020-01-01T00:00:00Z\",\"PartitionKey\":\"x\",\"odata.etag\":\"y\""`],
  ['', `"${'x'.repeat(32_768)}"`],
];

const FIRST = [...'abcXYZ_é日'];
const LATER = [...FIRST, ...'0123456789'];

const name = fc.oneof(
  fc
    .tuple(fc.constantFrom(...FIRST), fc.array(fc.constantFrom(...LATER), { maxLength: 12 }))
    .map(([first, rest]) => first + rest.join('')),
  fc.constantFrom('value', 'odata', 'odata_etag', 'partitionKey', 'timestamp', 'Etag', 'key', 'x'.repeat(255)),
);

const string = fc.string({ unit: fc.constantFrom(...'ab "\\/{}[]:,\n\u0000é日\u{1f600}', '\ud800') });

const written: fc.Arbitrary<Written> = fc.oneof(
  fc.constantFrom(...EDGES),
  string.map((text): Written => ['', JSON.stringify(text)]),
  fc.integer().map((number): Written => ['', String(number + 0)]),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number): Written => ['', doubleToken(number)]),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((number): Written => ['Edm.Int64', `"${number}"`]),
  fc.uint8Array().map((bytes): Written => ['Edm.Binary', `"${Buffer.from(bytes).toString('base64')}"`]),
  fc.uuid().map((guid): Written => ['Edm.Guid', `"${guid}"`]),
);

/** With a point or an exponent, which distinguishes a Double from an Int32. The emulator has no -0. */
function doubleToken(number: number): string {
  const token = String(Object.is(number, -0) ? 0 : number);
  return /[.e]/.test(token) ? token : `${token}.0`;
}

/** Members of an entity other than its key, such as `"n":1` or `"n@odata.type":"Edm.Int64","n":"1"`. */
export const properties: fc.Arbitrary<string[]> = fc
  .uniqueArray(fc.tuple(name, written), { selector: ([each]) => each, maxLength: 8 })
  .map((all) => all.map(([each, value]) => member(each, value)));

export function member(name: string, [type, token]: Written): string {
  const quoted = JSON.stringify(name);
  return type === '' ? `${quoted}:${token}` : `"${name}@odata.type":"${type}",${quoted}:${token}`;
}

export function entityText(partition: string, row: string, members: readonly string[] = []): string {
  return `{${[`"PartitionKey":${JSON.stringify(partition)}`, `"RowKey":${JSON.stringify(row)}`, ...members].join(',')}}`;
}
