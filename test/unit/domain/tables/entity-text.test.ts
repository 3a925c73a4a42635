import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EntityTextError,
  propertiesOf,
  sameEntity,
  splitEntities,
  timestampOf,
  withDoublesNamed,
} from '#domain/tables/entity-text.ts';
import { EDGES, entityText, member, properties } from '../../../support/builders/entity-texts.ts';

const key = fc.string({ unit: fc.constantFrom(...'ab \'"\\é日\u{1f600}'), maxLength: 20 });
const entity = fc.record({ partition: key, row: key, members: properties });
type Entity = typeof entity extends fc.Arbitrary<infer T> ? T : never;
const textOf = ({ partition, row, members }: Entity) => entityText(partition, row, members);

/** Members that the service writes for itself. */
const own = fc.constantFrom(
  `"odata.etag":"W/\\"datetime'2026-11-01T12%3A34%3A56.1234567Z'\\""`,
  '"odata.type":"a.orders"',
  '"odata.id":"https://a.table.core.windows.net/orders(PartitionKey=\'a\')"',
);
const space = fc.constantFrom('', '', ' ', '\t ', '\r\n  ');

/** A response with these lists of members, and with what the service adds, and white space between them. */
function answerOf(items: fc.Arbitrary<Entity[]>): fc.Arbitrary<{ body: string; entities: Entity[] }> {
  return items.chain((entities) =>
    fc
      .tuple(
        fc.array(fc.tuple(fc.nat(), own), { maxLength: 2 * entities.length }),
        fc.infiniteStream(space),
        fc.constantFrom(0, 1, 2),
      )
      .map(([added, spaces, place]) => {
        const next = () => spaces.next().value as string;
        const objects = entities.map(({ partition, row, members }, index) => {
          const all = [`"PartitionKey":${JSON.stringify(partition)}`, `"RowKey":${JSON.stringify(row)}`, ...members];
          for (const [at, extra] of added.slice(2 * index, 2 * index + 2)) all.splice(at % (all.length + 1), 0, extra);
          return `{${next()}${all.map((each) => each + next()).join(`,${next()}`)}}`;
        });
        const list = `"value"${next()}:${next()}[${next()}${objects.join(`${next()},${next()}`)}${next()}]`;
        const others = ['"odata.metadata":"https://a.example/$metadata#orders"', '"x":{"value":[{}],"y":[1,"]"]}'];
        others.splice(place, 0, list);
        return { body: `${next()}{${next()}${others.join(`,${next()}`)}${next()}}${next()}`, entities };
      }),
  );
}

const answer = answerOf(fc.array(entity, { maxLength: 4 }));

describe('splitEntities', () => {
  it('gives each entity’s text as it came', () => {
    fc.assert(
      fc.property(fc.array(entity, { maxLength: 5 }), (entities) => {
        const texts = entities.map(textOf);
        const found = splitEntities(`{"odata.metadata":"x","value":[${texts.join(',')}]}`);
        expect(found).toEqual(
          entities.map(({ partition, row }, index) => ({ key: { partition, row }, text: texts[index] })),
        );
      }),
    );
  });

  it('finds what JSON.parse finds, whatever stands around it, in one line each', () => {
    fc.assert(
      fc.property(answer, ({ body, entities }) => {
        const found = splitEntities(body);
        expect(found.map(({ text }) => /[\r\n]/.test(text))).toEqual(found.map(() => false));
        expect(found.map(({ text }) => JSON.parse(text))).toEqual(entities.map((each) => JSON.parse(textOf(each))));
        expect(found.map(({ key }) => key)).toEqual(entities.map(({ partition, row }) => ({ partition, row })));
      }),
    );
  });

  it('takes no part of an answer for the whole', () => {
    fc.assert(
      fc.property(answer, fc.nat(), ({ body }, at) => {
        expect(() => splitEntities(body.trim().slice(0, at % body.trim().length))).toThrow(EntityTextError);
      }),
    );
  });

  it('refuses what JSON.parse refuses: a character outside of strings that is missing, or there twice', () => {
    fc.assert(
      fc.property(answer, fc.nat(), fc.boolean(), ({ body }, choice, twice) => {
        const places = outsideStrings(body);
        const at = places[choice % places.length]!;
        const changed = body.slice(0, at) + (twice ? body[at]!.repeat(2) : '') + body.slice(at + 1);
        let parsed: unknown[] | undefined;
        try {
          parsed = JSON.parse(changed).value;
        } catch {
          expect(() => splitEntities(changed)).toThrow(EntityTextError);
          return;
        }
        expect(splitEntities(changed)).toHaveLength(parsed!.length);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['nothing', ''],
    ['no object', '[]'],
    ['no list', '{"odata.metadata":"x"}'],
    ['no list of objects', '{"value":[1]}'],
    ['another kind of list', '{"value":{}}'],
    ['an entity without a key', '{"value":[{"PartitionKey":"p"}]}'],
    ['an empty entity', '{"value":[{}]}'],
    ['a key that is a number', '{"value":[{"PartitionKey":"p","RowKey":1}]}'],
    ['something else for a comma', '{"value":[{"PartitionKey":"p";"RowKey":"r"}]}'],
    ['a key that is not escaped right', String.raw`{"value":[{"PartitionKey":"p","RowKey":"\x"}]}`],
    ['a page of HTML', '<html><p>Service unavailable'],
    ['something behind the end', '{"value":[]}{'],
    ['a line break within a string', '{"value":[{"PartitionKey":"p","RowKey":"a\nb"}]}'],
    ['a word that JSON has not', '{"value":[{"PartitionKey":"p","RowKey":"r","x":Infinity}]}'],
    ['a number with a leading zero', '{"value":[{"PartitionKey":"p","RowKey":"r","x":012}]}'],
  ])('refuses %s', (_what, body) => {
    expect(() => splitEntities(body)).toThrow(EntityTextError);
  });

  it('distinguishes keys that look the same when one is escaped', () => {
    const keys = ['a\\"', 'a"', 'a"', '\\\\', '\\'].map((partition) => ({ partition, row: 'r' }));
    const body = `{"value":[${keys.map(({ partition, row }) => entityText(partition, row)).join(',')}]}`;
    expect(splitEntities(body).map(({ key: found }) => found)).toEqual(keys);
  });

  it('keeps the types beside the values, and an entity of nothing but its key', () => {
    const text = entityText('p', 'r', ['"n@odata.type":"Edm.Int64","n":"1"', '"odata_x":1']);
    const first = `{"odata.type":"a",${text.slice(1, -1)},"odata.id":"x"}`;
    const body = `{"value":[${first},{"odata.etag":"e","PartitionKey":"","RowKey":""}]}`;
    expect(splitEntities(body)).toEqual([
      { key: { partition: 'p', row: 'r' }, text },
      { key: { partition: '', row: '' }, text: entityText('', '') },
    ]);
  });
});

function outsideStrings(body: string): number[] {
  const places: number[] = [];
  let inside = false;
  for (let at = 0; at < body.length; at++) {
    if (body[at] === '"') inside = !inside;
    else if (!inside) places.push(at);
    else if (body[at] === '\\') at++;
  }
  return places;
}

describe('values within values', () => {
  const nested = (depth: number) =>
    `{"value":[{"PartitionKey":"a","RowKey":"b","x":${'{"y":['.repeat(depth)}${']}'.repeat(depth)}}]}`;

  it('do not matter to the service, and cannot exhaust the stack', () => {
    expect(splitEntities(nested(50))).toHaveLength(1);
    expect(() => splitEntities(nested(51))).toThrow(EntityTextError);
    expect(() => splitEntities(nested(100_000))).toThrow(EntityTextError);
    const beside = `{"value":[{"PartitionKey":"a","RowKey":"b"${',"x":[],"y":{}'.repeat(200)}}]}`;
    expect(splitEntities(beside)).toHaveLength(1);
  });
});

describe('propertiesOf', () => {
  it('knows the type of each, keys included, Timestamp not', () => {
    const text = `{"odata.etag":"e","PartitionKey":"p","RowKey":"r","Timestamp":"2026-11-01T00:00:00Z",
      "i":1,"d":1.0,"e":1E+20,"n@odata.type":"Edm.Double","n":"NaN","l@odata.type":"Edm.Int64","l":"5","b":true,
      "s":"a\\"b","0":null,"1@odata.type":"Edm.Guid","1":null,
      "t@odata.type":"Edm.DateTime","t":"2026-11-01T00:00:00.1234567Z","Timestamp@odata.type":"Edm.DateTime"}`;
    expect(Object.fromEntries(propertiesOf(text))).toEqual({
      PartitionKey: { type: 'Edm.String', value: 'p' },
      RowKey: { type: 'Edm.String', value: 'r' },
      i: { type: 'Edm.Int32', value: '1' },
      d: { type: 'Edm.Double', value: '1.0' },
      e: { type: 'Edm.Double', value: '1E+20' },
      n: { type: 'Edm.Double', value: 'NaN' },
      l: { type: 'Edm.Int64', value: '5' },
      b: { type: 'Edm.Boolean', value: 'true' },
      s: { type: 'Edm.String', value: 'a"b' },
      0: { type: 'Edm.Null', value: 'null' },
      1: { type: 'Edm.Null', value: 'null' },
      t: { type: 'Edm.DateTime', value: '2026-11-01T00:00:00.1234567Z' },
    });
  });

  it('refuses text that is not whole', () => {
    expect(() => propertiesOf('{"a":1')).toThrow(EntityTextError);
    expect(() => propertiesOf('{"a":1} x')).toThrow(EntityTextError);
  });
});

describe('sameEntity', () => {
  const with1 = (...members: string[]) => entityText('p', 'r', members);
  const typed = (type: string, value: string) => member('x', [type, JSON.stringify(value)]);

  it.each<[string, string[], string[]]>([
    ['another order', ['"a":1', '"b":2'], ['"b":2', '"a":1']],
    ['another time of writing', ['"Timestamp":"2026-11-01T00:00:00Z"'], ['"Timestamp":"2026-11-02T00:00:00Z"']],
    ['none at all', [], ['"Timestamp":"2026-11-02T00:00:00Z"']],
    ['a type that was told', ['"x":3.0'], ['"x@odata.type":"Edm.Double","x":3.0']],
    ['a type that came behind', ['"x@odata.type":"Edm.Int64","x":"1"'], ['"x":"1","x@odata.type":"Edm.Int64"']],
    ['another way to write a Double', ['"x":1E+3'], ['"x":1000.0']],
    ['a Double that is not a number', [typed('Edm.Double', 'NaN')], [typed('Edm.Double', 'NaN')]],
    [
      'fractions of zero',
      [typed('Edm.DateTime', '2026-11-01T00:00:00.5Z')],
      [typed('Edm.DateTime', '2026-11-01T00:00:00.5000000Z')],
    ],
    [
      'no fractions',
      [typed('Edm.DateTime', '2026-11-01T00:00:00Z')],
      [typed('Edm.DateTime', '2026-11-01T00:00:00.000Z')],
    ],
    [
      'letters of a Guid',
      [typed('Edm.Guid', 'c9da6455-213d-42c9-9a79-3e9149a57833')],
      [typed('Edm.Guid', 'C9DA6455-213D-42C9-9A79-3E9149A57833')],
    ],
    ['zeros before an Int64', [typed('Edm.Int64', '007')], [typed('Edm.Int64', '7')]],
    ['another way to escape', ['"x":"\\u00e9\\/"'], ['"x":"é/"']],
  ])('takes no notice of %s', (_what, a, b) => {
    expect(sameEntity(with1(...a), with1(...b))).toBe(true);
    expect(sameEntity(with1(...b), with1(...a))).toBe(true);
  });

  it.each<[string, string[], string[]]>([
    ['a property more', ['"a":1'], ['"a":1', '"b":2']],
    ['a property of another name', ['"a":1'], ['"b":1']],
    ['another value', ['"a":1'], ['"a":2']],
    ['a Double for an Int32', ['"a":3'], ['"a":3.0']],
    ['a string for a number', ['"a":3'], ['"a":"3"']],
    ['an Int64 for a string', ['"x":"3"'], [typed('Edm.Int64', '3')]],
    [
      'an Int64 beyond what a Double can hold',
      [typed('Edm.Int64', '9007199254740993')],
      [typed('Edm.Int64', '9007199254740992')],
    ],
    [
      'a tick',
      [typed('Edm.DateTime', '2026-11-01T00:00:00.1234567Z')],
      [typed('Edm.DateTime', '2026-11-01T00:00:00.1234568Z')],
    ],
    ['a second', [typed('Edm.DateTime', '2026-11-01T00:00:00Z')], [typed('Edm.DateTime', '2026-11-01T00:00:10Z')]],
    ['the sign of zero', ['"x":0.0'], ['"x":-0.0']],
    ['a bit of a Double', ['"x":0.1'], ['"x":0.10000000000000002']],
    ['NaN the string', ['"x":"NaN"'], [typed('Edm.Double', 'NaN')]],
    ['letters of a string', ['"x":"a"'], ['"x":"A"']],
    ['letters of base64', [typed('Edm.Binary', 'AAAA')], [typed('Edm.Binary', 'AAaA')]],
    ['letters of a property’s name', ['"x":1'], ['"X":1']],
    ['no value', ['"x":"null"'], ['"x":null']],
  ])('notices %s', (_what, a, b) => {
    expect(sameEntity(with1(...a), with1(...b))).toBe(false);
    expect(sameEntity(with1(...b), with1(...a))).toBe(false);
  });

  it('notices another key', () => {
    expect(sameEntity(entityText('p', 'r'), entityText('p', 'R'))).toBe(false);
    expect(sameEntity(entityText('p', 'r'), entityText('P', 'r'))).toBe(false);
  });

  it('distinguishes all edges from each other', () => {
    const texts = EDGES.map((edge) => with1(member('x', edge)));
    for (const [a, one] of texts.entries()) {
      for (const [b, other] of texts.entries()) {
        const bothGuid = EDGES[a]![0] === 'Edm.Guid' && EDGES[b]![0] === 'Edm.Guid';
        expect([one, other, sameEntity(one, other)]).toEqual([one, other, a === b || bothGuid]);
      }
    }
  });
});

describe('timestampOf', () => {
  it('is not taken in by what strings say', () => {
    const decoys = ['"a":"\\"Timestamp\\":\\"2020-01-01T00:00:00Z\\""', '"b":"Timestamp"', '"c":"x\\\\\\"Timestamp"'];
    const real = '"Timestamp":"2026-11-01T12:34:56.1234567Z"';
    expect(timestampOf(entityText('Timestamp', '"Timestamp":"x"', decoys))).toBeUndefined();
    for (let at = 0; at <= decoys.length; at++) {
      const members: string[] = decoys.toSpliced(at, 0, real);
      expect(timestampOf(entityText('p', 'r', members))).toBe('2026-11-01T12:34:56.1234567Z');
    }
    expect(timestampOf('{"Timestamp" : "2026-11-01T00:00:00Z"}')).toBe('2026-11-01T00:00:00Z');
  });

  it('finds it among all kinds of properties', () => {
    fc.assert(
      fc.property(properties, fc.nat(), (members, at) => {
        const all = members.toSpliced(at % (members.length + 1), 0, '"Timestamp":"2026-11-01T00:00:00.5Z"');
        expect(timestampOf(entityText('p', 'r', all))).toBe('2026-11-01T00:00:00.5Z');
        expect(timestampOf(entityText('p', 'r', members))).toBeUndefined();
      }),
    );
  });
});

describe('withDoublesNamed', () => {
  it('names Doubles and touches nothing else', () => {
    expect(withDoublesNamed('{"PartitionKey":"1.5","a":1,"b":1.0,"c":-2E-7,"d":"1.0","e":true}')).toBe(
      '{"PartitionKey":"1.5","a":1,"b@odata.type":"Edm.Double","b":1.0,"c@odata.type":"Edm.Double","c":-2E-7,' +
        '"d":"1.0","e":true}',
    );
  });

  it.each(['{"a":1}', '{}', '{"x@odata.type":"Edm.Double","x":1.0}', '{"x":1.0,"x@odata.type":"Edm.Double"}'])(
    'leaves %s as it is',
    (text) => {
      expect(withDoublesNamed(text)).toBe(text);
    },
  );

  it('changes no entity', () => {
    fc.assert(
      fc.property(entity, (each) => {
        const text = textOf(each);
        const named = withDoublesNamed(text);
        expect(sameEntity(named, text)).toBe(true);
        expect(withDoublesNamed(named)).toBe(named);
      }),
    );
  });
});
