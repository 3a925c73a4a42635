import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { DamagedPartError } from '#domain/run/part.ts';
import { type EntityFileContent, EntityFileWriter, readEntityFile } from '#domain/tables/entity-file.ts';
import { type EntityFileEnd, readLine } from '#domain/tables/segment.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { MemoryAccount, MemoryStorage } from '../../../../prove/memory/memory-account.ts';
import { MemoryBlobs } from '../../../../prove/memory/memory-blobs.ts';
import { plainTraits } from '../../../support/builders/plain-traits.ts';

const PATH = 'jobs/nightly/tables/orders/nightly-20260502T000000Z-aaaaaa-000000-range-bbbbbb.ndjson.gz';
const END: Omit<EntityFileEnd['end'], 'items'> = {
  ...{ file: PATH, format: 1, table: 'orders', source: 'https://source', run: 'nightly-20260502T000000Z-aaaaaa' },
  ...{ range: { upTo: { partition: 'it\'s "a"\u2028', row: '' } }, kind: 'entities' as const },
  ...{ readFrom: '2026-05-02T00:00:00.000Z', readTo: '2026-05-02T00:00:01.000Z' },
};

const whole = ({ lines, end }: EntityFileContent) => ({ lines: [...lines()].flat(), end });

function written(lines: string[], end = END) {
  const writer = new EntityFileWriter();
  for (const line of lines) writer.add(line);
  return writer.finish(end);
}

const entity = (row: string, more: object = {}) =>
  JSON.stringify({ PartitionKey: 'p', RowKey: row, Timestamp: '2026-05-01T00:00:00.1234567Z', ...more });

describe('a file of entities', () => {
  it('F16: gives back every line as it was written, letter by letter', () => {
    const token = fc.constantFrom(
      '3.0',
      '3',
      '1E+21',
      '"9223372036854775807"',
      '"\\ud800"',
      '"\\u2028"',
      '"ü🦜"',
      '"a\\nb"',
    );
    const line = fc
      .tuple(fc.string(), token)
      .map(([row, value]) => `{"PartitionKey":"p","RowKey":${JSON.stringify(row)},"n":${value}}`);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
        const { body, sha256 } = written(lines);
        expect(whole(readEntityFile(body, 'f'))).toEqual({ lines, end: { ...END, items: lines.length } });
        expect(sha256).toBe(createHash('sha256').update(body).digest('hex'));
      }),
    );
  });

  it('I10: a long last line is refused without being parsed', () => {
    const planted = gzipSync(`{"end":${'['.repeat(60 * 1024 * 1024)}\n`);
    const began = Date.now();
    expect(() => readEntityFile(planted, 'planted')).toThrow(
      'planted is damaged: its last line is too long for an end',
    );
    expect(Date.now() - began).toBeLessThan(3_000);
  });

  it('the longest end that a file can have is read', () => {
    const key = '\u0001'.repeat(1024);
    const range = { after: { partition: key, row: key }, upTo: { partition: key, row: key } };
    const { body } = written([entity('1')], { ...END, range });
    expect(readEntityFile(body, 'f').end.range).toEqual(range);
  });

  it('holds deletions behind the entities, also of keys that look like them', () => {
    const writer = new EntityFileWriter();
    const tricky = { partition: 'deleted":{"PartitionKey', row: '\ud800"}' };
    writer.add(entity('1', { deleted: 'yes' }));
    writer.addDeletion(tricky);
    expect(writer.items).toBe(2);
    const { lines } = whole(readEntityFile(writer.finish(END).body, 'f'));
    expect(lines.map(readLine)).toEqual([
      { key: { partition: 'p', row: '1' }, timestamp: '2026-05-01T00:00:00.1234567Z' },
      { key: tricky },
    ]);
  });

  it('of several gzip members is read as one, also by zcat', () => {
    const lines = Array.from({ length: 4_000 }, (_, index) => entity(`${index}`, { text: `${index}`.repeat(40) }));
    const { body } = written(lines);
    expect(membersOf(body).length).toBeGreaterThan(2);
    expect(whole(readEntityFile(body, 'f')).lines).toEqual(lines);
    const text = execFileSync('zcat', { input: body, maxBuffer: 2 ** 26 })
      .toString()
      .trimEnd()
      .split('\n');
    expect(text.slice(0, -1)).toEqual(lines);
    expect(JSON.parse(text.at(-1)!)).toEqual({ end: { ...END, items: 4_000 } });
  });

  it('counts its text as it grows, and its lines itself, whatever its end is given to say', () => {
    const writer = new EntityFileWriter();
    writer.add('{"a":1}');
    writer.add('{"b":22}');
    expect(writer.size).toBe(17);
    expect(readEntityFile(writer.finish({ ...END, items: 99 } as typeof END).body, 'f').end.items).toBe(2);
  });
});

describe('I6: a damaged file of entities', () => {
  const lines = Array.from({ length: 40 }, (_, index) =>
    entity(`${index}`, { pad: createHash('md5').update(`${index}`).digest('hex') }),
  );
  /** In several members, so that cuts may fall between two. */
  const body = Buffer.concat([
    gzipSync(`${lines.slice(0, 20).join('\n')}\n`),
    gzipSync(`${lines.slice(20).join('\n')}\n`),
    gzipSync(`${JSON.stringify({ end: { ...END, items: 40 } })}\n`),
  ]);

  it('is never taken for a short one: cut at any byte, it is refused by name', () => {
    expect(whole(readEntityFile(body, 'the file')).lines).toEqual(lines);
    for (let length = 0; length < body.length; length++) {
      const read = () => readEntityFile(body.subarray(0, length), 'the file');
      expect(read, `${length} of ${body.length} bytes`).toThrow(DamagedPartError);
      expect(read).toThrow(/^the file is damaged: /);
    }
  });

  it('with one byte changed is refused, or the byte has no meaning', () => {
    for (let at = 0; at < body.length; at++) {
      for (const flip of [0x01, 0x80]) {
        const spoiled = Buffer.from(body);
        spoiled[at]! ^= flip;
        try {
          // Of a gzip header the time and the system are not under its checksum.
          expect(whole(readEntityFile(spoiled, 'f')), `byte ${at}`).toEqual({ lines, end: { ...END, items: 40 } });
        } catch (error) {
          expect(error, `byte ${at}`).toBeInstanceOf(DamagedPartError);
        }
      }
    }
  });

  it('with a line more or less, or members in another order, or twice, is refused', () => {
    const [one, two, end] = membersOf(body);
    const texts =
      (...parts: Buffer[]) =>
      () =>
        readEntityFile(Buffer.concat(parts), 'f');
    expect(texts(one!, end!)).toThrow('it has 20 lines and should have 40');
    expect(texts(one!, one!, two!, end!)).toThrow(DamagedPartError);
    expect(texts(one!, end!, two!)).toThrow('its end is missing');
    expect(texts(one!, two!)).toThrow('its end is missing');
    expect(texts(end!, one!, two!, end!)).toThrow(DamagedPartError);
    expect(texts(gzipSync('null\n'))).toThrow('its end is missing');
    expect(texts(gzipSync('{"end":null}\n'))).toThrow('its end is missing');
    expect(texts(gzipSync('{"end":{"items":"0","table":"t"}}\n'))).toThrow('its end is missing');
    expect(texts(gzipSync(''))).toThrow('its last line is cut off');
    expect(texts(gzipSync('{'))).toThrow('its last line is cut off');
  });

  it('is not unpacked without end', () => {
    const member = gzipSync(Buffer.alloc(16 * 2 ** 20, 10));
    const bomb = Buffer.concat(Array.from({ length: 20 }, () => member));
    expect(() => readEntityFile(bomb, 'f')).toThrow(DamagedPartError);
  });

  describe('in the vault', () => {
    let vault: MemoryAccount;
    let control: ControlStore;
    beforeEach(() => {
      vault = new MemoryAccount(new MemoryStorage(), 'VAULT', plainTraits({ now: () => 0 }));
      control = new ControlStore(new MemoryBlobs(vault));
    });
    const made = written(lines);
    const file = { path: PATH, items: 40, bytes: made.body.length, sha256: made.sha256 };

    it('comes back, and is found in the listing with its checksum', async () => {
      await control.writeEntityFile(PATH, made);
      expect(whole(await control.readEntityFile(file)).lines).toEqual(lines);
      expect(await control.listEntityFiles('nightly', 'orders')).toEqual(new Map([[PATH, made.sha256]]));
      expect(await control.listEntityFiles('nightly', 'order')).toEqual(new Map());
    });

    it('F8: written again, by whom the answer was lost to, is as good; another under its name is not', async () => {
      await control.writeEntityFile(PATH, made);
      await control.writeEntityFile(PATH, made);
      await expect(control.writeEntityFile(PATH, written(lines.slice(1)))).rejects.toMatchObject({
        kind: 'precondition',
      });
      expect(whole(await control.readEntityFile(file)).lines).toEqual(lines);
    });

    it('with any byte changed, cut, exchanged or missing it is damaged', async () => {
      await expect(control.readEntityFile(file)).rejects.toMatchObject({ kind: 'damaged', message: /is missing/ });
      const put = (bytes: Buffer) => vault.write('strongroom', { name: PATH, body: bytes });
      vault.createContainer('strongroom');
      for (let at = 0; at < made.body.length; at += 7) {
        const spoiled = Buffer.from(made.body);
        spoiled[at]! ^= 0x20;
        put(spoiled);
        await expect(control.readEntityFile(file), `byte ${at}`).rejects.toMatchObject({ kind: 'damaged' });
        put(made.body.subarray(0, at));
        await expect(control.readEntityFile(file), `${at} bytes`).rejects.toMatchObject({ kind: 'damaged' });
      }
      // Whole in itself, and with the checksum that is asked for: but another file, or one line more than was meant.
      const other = written(lines, { ...END, file: `${PATH}2` });
      put(other.body);
      await expect(control.readEntityFile({ ...file, sha256: other.sha256 })).rejects.toMatchObject({
        kind: 'damaged',
        message: /it is another file/,
      });
      const longer = written([...lines, entity('more')]);
      put(longer.body);
      await expect(control.readEntityFile({ ...file, sha256: longer.sha256 })).rejects.toMatchObject({
        kind: 'damaged',
        message: /another number of lines/,
      });
    });

    it('of another format is refused by its number', async () => {
      const later = written(lines, { ...END, format: 2 });
      await control.writeEntityFile(PATH, later);
      await expect(control.readEntityFile({ ...file, sha256: later.sha256 })).rejects.toMatchObject({
        kind: 'damaged',
        message: expect.stringContaining(`${PATH} in VAULT is damaged: it is format 2; this version reads format 1`),
      });
    });
  });
});

/** The members of a gzip file, each by itself. */
function membersOf(body: Buffer): Buffer[] {
  const starts: number[] = [];
  for (let at = body.indexOf('1f8b0800', 0, 'hex'); at >= 0; at = body.indexOf('1f8b0800', at + 4, 'hex')) {
    try {
      gunzipSync(body.subarray(at));
      starts.push(at);
    } catch {
      // These bytes were within a member.
    }
  }
  return starts.map((start, index) => body.subarray(start, starts[index + 1] ?? body.length));
}
