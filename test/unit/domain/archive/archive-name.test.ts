import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { archiveFolder, archivePrefix, FOLDERS } from '#domain/archive/archive-name.ts';

const version = { lastModified: '2026-11-21T15:30:12Z', etag: '0x8DE28F3A' };

describe('archivePrefix', () => {
  it.each([
    ['none', ''],
    ['day', '2026/11/21/'],
    ['version', '2026/11/21/153012Z-0x8DE28F3A/'],
  ] as const)('with folders %s puts %j between prefix and name', (folders, between) => {
    expect(archivePrefix({ prefix: '', folders }, 'incoming', version)).toBe(between);
    expect(archivePrefix({ prefix: 'of/{container}/', folders }, 'incoming', version)).toBe(`of/incoming/${between}`);
  });

  it('counts days in UTC, however the time is written', () => {
    const at = (lastModified: string) => archiveFolder('version', { lastModified, etag: 'a' });
    expect(at('2026-11-22T00:30:00.999+01:00')).toBe('2026/11/21/233000Z-a/');
    expect(at('Sat, 21 Nov 2026 23:59:59 GMT')).toBe('2026/11/21/235959Z-a/');
  });

  it('says so when there is no time', () => {
    expect(() => archiveFolder('day', { lastModified: '', etag: 'a' })).toThrow(RangeError);
  });
});

describe('the folder of a version', () => {
  const folder = (etag: string) =>
    /^2026\/11\/21\/153012Z-(.*)\/$/.exec(archiveFolder('version', { ...version, etag }))?.[1];

  it.each(['', '"0x8D"', 'a/b', '..', '0x8D4.', 'W/"1"', 'é', '\ud800', 'a'.repeat(65), '0123456789abcdef'])(
    'is a hash for the ETag %j',
    (etag) => {
      expect(folder(etag)).toMatch(/^[0-9a-f]{16}$/);
      expect(folder(etag)).not.toBe(etag);
    },
  );

  it.each(['0x8DE28F3A1B2C3D4', '1', '0123456789ABCDEF', 'a'.repeat(64)])('is the ETag itself for %j', (etag) => {
    expect(folder(etag)).toBe(etag);
  });
});

describe('two versions', () => {
  /** Names that look like folders, so that a name and its folder might be taken for another name and its folder. */
  const name = fc
    .array(
      fc.constantFrom('a', '/', '2026/11/21/', '2026/11/22/', '153012Z-', '153012Z-ab/', '153013Z-ab/', 'ab', '-', 'Z'),
      { minLength: 1, maxLength: 4 },
    )
    .map((parts) => parts.join(''));
  const etag = fc.oneof(fc.constantFrom('a', 'ab', 'A', 'a/', '/', 'b/a', '"ab"', '0x8D'), fc.string());
  const time = fc
    .tuple(fc.constantFrom('21', '22'), fc.constantFrom('15:30:12', '15:30:13', '01:53:01'))
    .map(([day, clock]) => `2026-11-${day}T${clock}Z`);
  const one = fc.record({ name, etag, lastModified: time });

  it.each(FOLDERS)('are archived under one name only where folders %s mean it', (folders) => {
    /** All that may tell two versions apart. */
    const identity = (of: { name: string; etag: string; lastModified: string }) =>
      ({
        none: of.name,
        day: `${of.lastModified.slice(0, 10)} ${of.name}`,
        version: JSON.stringify(of),
      })[folders];
    const destination = { prefix: '{container}/', folders };
    const place = (of: typeof version & { name: string }) => archivePrefix(destination, 'incoming', of) + of.name;
    fc.assert(
      fc.property(one, one, (a, b) => {
        expect(place(a) === place(b)).toBe(identity(a) === identity(b));
      }),
      { numRuns: 5000 },
    );
  });
});
