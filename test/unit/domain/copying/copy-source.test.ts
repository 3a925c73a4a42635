import fc from 'fast-check';
import { expect, it } from 'vitest';
import { reducedSource, sourceOf } from '#domain/copying/copy-source.ts';

const AT = 'https://acct.blob.core.windows.net';
const TIME = '2026-11-21T05:57:45.1234567Z';

it.each([
  ['a blob', '/data/a.txt', '/data/a.txt'],
  ['a snapshot', `/data/a?snapshot=${TIME}`, `/data/a?snapshot=${TIME}`],
  ['a snapshot, percent-encoded', `/data/a?sv=1&snapshot=${encodeURIComponent(TIME)}`, `/data/a?snapshot=${TIME}`],
  ['a version', `/data/a?versionId=${TIME}&sp=r`, `/data/a?versionid=${TIME}`],
  ['a name with every kind of character', '/data/a%20b+c%C3%A9%2F%23%3F', '/data/a%20b%2Bc%C3%A9/%23%3F'],
  ['a name that is not encoded', '/data/a b+cé/d', '/data/a%20b%2Bc%C3%A9/d'],
  ['a name that need not be encoded, and is', '/%64ata/%61.txt', '/data/a.txt'],
  ['names of a letter and a sign', '/d+/a+', '/d%2B/a%2B'],
  ['a snapshot by what is no time', '/data/a?snapshot=a%26b', '/data/a'],
  ['a snapshot of another case', `/data/a?SNAPSHOT=${TIME.replaceAll(':', '%3a')}`, `/data/a?snapshot=${TIME}`],
  ['a name that is encoded badly', '/data/100%', '/data/100%'],
  ['no account', '', '/'],
])('is of %s', (_what, address, reduced) => {
  expect(reducedSource(AT + address)).toBe(`acct.blob.core.windows.net${reduced}`);
});

it('hands on no signature, wherever it stands', () => {
  for (const address of [
    '/data/a?sig=CaNaRy',
    '/data/a?sv=1&sig=CaNaRy&snapshot=x',
    `/data/a?snapshot=${TIME}%26sig=CaNaRy`,
    '/data/a?snapshot=%26sig%3DCaNaRy',
    '/data/a%20b?sig=CaNaRy#CaNaRy',
    '/data/a#sig=CaNaRy',
  ]) {
    expect(reducedSource(AT + address)).not.toContain('CaNaRy');
  }
  expect(reducedSource('https://user:CaNaRy@acct/data/a')).toBe('acct/data/a');
});

it.each([
  ...[
    '',
    'acct/data/a?sig=x',
    'https://',
    'https://a b/data/a',
    'https://1.2.3.4.5/data/a',
    'https://acct:99999/data/a',
  ],
  ...['xhttps://acct/data/a', 'mailto:a@b', 'file:///data/a', 'x://acct/data/a b'],
])('is empty for what is no address of a service: %j', (text) => {
  expect(reducedSource(text)).toBe('');
});

it('is another for the same path in another account, and the same for another spelling of the account', () => {
  const own = reducedSource(`${AT}/databackup/a`);
  for (const other of ['https://evil.blob.core.windows.net', 'https://evil.example', 'http://127.0.0.1:10000/acct']) {
    expect(reducedSource(`${other}/databackup/a`)).not.toBe(own);
    // The addresses of two accounts, one after the other.
    expect(reducedSource(`${AT}/databackup/a`)).toBe(own);
  }
  for (const same of [
    'http://acct.blob.core.windows.net',
    'https://ACCT.blob.core.windows.net:443',
    'https://acct.privatelink.blob.core.windows.net',
  ]) {
    expect(reducedSource(`${same}/databackup/a`)).toBe(own);
  }
  // After a restart, an emulator may have another port.
  expect(reducedSource('http://127.0.0.1:10000/acct/data/a')).toBe('127.0.0.1/acct/data/a');
  const emulated = (origin: string) => reducedSource(`${origin}/acct/databackup/a`);
  expect(emulated('http://localhost:10000')).toBe(emulated('http://127.0.0.1:37001'));
  expect(reducedSource('https://acct.blob.core.windows.net@evil.example/databackup/a')).toBe(
    'evil.example/databackup/a',
  );
});

it('is the same for the same source, and another for another', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((text) => /^[^./\\]+$/.test(text));
  const kept = fc.option(fc.constantFrom('', `?snapshot=${TIME}`, `?versionid=${TIME}`), { nil: '' });
  const strict = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  fc.assert(
    fc.property(name, name, kept, kept, (one, other, a, b) => {
      const [first, second] = [
        `${AT}/data/${encodeURIComponent(one)}${a}`,
        `${AT}/data/${encodeURIComponent(other)}${b}`,
      ];
      expect(reducedSource(`${AT}/data/${strict(one)}${a || '?'}&sv=1&sig=x`)).toBe(reducedSource(first));
      expect(reducedSource(first) === reducedSource(second)).toBe(one === other && a === b);
    }),
  );
});

it('of a blob equals the source that a copy of it records', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((text) => /^[^.\\]+$/.test(text));
  const kept = fc.constantFrom(undefined, { snapshot: TIME }, { version: TIME });
  fc.assert(
    fc.property(name, name, kept, kept, (one, other, a, b) => {
      const of = (blob: string, which: typeof a) =>
        sourceOf(AT, 'data', { name: blob, ...(which && { snapshotOrVersion: which }) });
      const query = a && ('snapshot' in a ? `&snapshot=${encodeURIComponent(TIME)}` : `&versionid=${TIME}`);
      const reported = `${AT}/data/${one.split('/').map(encodeURIComponent).join('/')}?sv=1&sig=x${query ?? ''}`;
      expect(of(one, a)).toBe(reducedSource(reported));
      expect(of(one, a) === of(other, b)).toBe(one === other && a === b);
    }),
  );
});
