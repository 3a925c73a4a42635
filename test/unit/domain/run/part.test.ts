import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DamagedPartError, PartWriter, readPart } from '#domain/run/part.ts';

const anyItem = fc
  .dictionary(fc.string({ unit: 'binary' }), fc.jsonValue(), { noNullPrototype: true })
  .map((item) => JSON.parse(JSON.stringify(item)) as object);

function written(items: object[], end: object = { next: 7 }) {
  const writer = new PartWriter<object>();
  for (const item of items) writer.add(item);
  return writer.finish(end);
}

describe('a part', () => {
  it('gives back what was written, whatever the items', () => {
    fc.assert(
      fc.property(fc.array(anyItem, { maxLength: 20 }), (items) => {
        const { body, sha256 } = written(items);
        expect(readPart(body, 'p')).toEqual({ items, end: { items: items.length, next: 7 } });
        expect(sha256).toBe(createHash('sha256').update(body).digest('hex'));
      }),
    );
  });

  it('keeps names with line breaks, separators and broken surrogates on one line each', () => {
    const items = ['a\nb', 'a\r\nb', '\u2028', '\ud800', '"', '\\n', '😀'].map((name) => ({ name }));
    const { body } = written(items);
    expect(readPart(body, 'p').items).toEqual(items);
    expect(gunzipSync(body).toString().split('\n').length).toBe(items.length + 2);
  });

  it('of several gzip members is read as one, also by zcat', () => {
    const items = Array.from({ length: 4000 }, (_, index) => ({ name: `${index}-${'x'.repeat(200)}` }));
    const { body } = written(items);
    expect(members(body)).toBeGreaterThan(2);
    expect(readPart(body, 'p').items).toEqual(items);
    const lines = execFileSync('zcat', { input: body, maxBuffer: 2 ** 26 })
      .toString()
      .trimEnd()
      .split('\n');
    expect(lines.length).toBe(items.length + 1);
    expect(JSON.parse(lines.at(-1)!)).toEqual({ end: { next: 7, items: 4000 } });
  });

  it('counts its items itself, whatever its end is given to say', () => {
    const { body } = written([{ a: 1 }], { items: 99 });
    expect(readPart(body, 'p').items).toEqual([{ a: 1 }]);
  });
});

describe('I6: a damaged part', () => {
  const items = Array.from({ length: 60 }, (_, index) => ({
    name: `n${index}`,
    pad: createHash('md5').update(`${index}`).digest('hex'),
  }));
  const lines = [...items.map((item) => JSON.stringify(item)), JSON.stringify({ end: { items: 60 } })];
  // Three members, so that a cut can fall exactly between two of them.
  const body = Buffer.concat([
    gzipSync(`${lines.slice(0, 20).join('\n')}\n`),
    gzipSync(`${lines.slice(20, 40).join('\n')}\n`),
    gzipSync(`${lines.slice(40).join('\n')}\n`),
  ]);

  it('is sound before it is damaged', () => {
    expect(readPart(body, 'p').items).toEqual(items);
  });

  it('cut off after any byte is an error, never a shorter list', () => {
    for (let length = 0; length < body.length; length++) {
      expect(() => readPart(body.subarray(0, length), 'p'), `after ${length} bytes`).toThrow(DamagedPartError);
    }
  });

  it('with any one byte altered is an error, or gives the very same items', () => {
    for (let index = 0; index < body.length; index++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const altered = Buffer.from(body);
        altered[index]! ^= mask;
        let found: unknown;
        try {
          found = readPart(altered, 'p').items;
        } catch (error) {
          expect(error).toBeInstanceOf(DamagedPartError);
          continue;
        }
        expect(found, `byte ${index} xor ${mask}`).toEqual(items);
      }
    }
  });

  it.each([
    ['a member less in the middle', () => Buffer.concat(membersOf().filter((_, index) => index !== 1))],
    ['the first member twice', () => Buffer.concat([membersOf()[0]!, ...membersOf()])],
    ['no end', () => gzipSync(`${lines.slice(0, -1).join('\n')}\n`)],
    ['no last line break', () => gzipSync(lines.join('\n'))],
    ['a line that is not JSON', () => gzipSync(`{"a":1}\n{"b"\n${lines.at(-1)}\n`)],
    ['an item too few', () => gzipSync(`${lines.slice(1).join('\n')}\n`)],
    ['an end that is null', () => gzipSync('null\n')],
    ['an end without a count', () => gzipSync('{"end":{}}\n')],
    ['an end that is no object', () => gzipSync('{"end":null}\n')],
    ['nothing', () => gzipSync('')],
    ['plain text', () => Buffer.from(`${lines.join('\n')}\n`)],
  ])('with %s is an error that names the part', (_what, make) => {
    let error: unknown;
    try {
      readPart(make(), 'strongroom/p');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(DamagedPartError);
    expect((error as Error).message).toContain('strongroom/p is damaged');
  });

  function membersOf(): Buffer[] {
    return [lines.slice(0, 20), lines.slice(20, 40), lines.slice(40)].map((some) => gzipSync(`${some.join('\n')}\n`));
  }
});

function members(body: Buffer): number {
  let count = 0;
  for (let at = body.indexOf('1f8b08', 0, 'hex'); at >= 0; at = body.indexOf('1f8b08', at + 1, 'hex')) count++;
  return count;
}
