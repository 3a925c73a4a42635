import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectBlobAccount } from '#storage/azure/connect.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { takeAccount } from '../support/azurite/accounts.ts';

let account: BlobAccount;
let vault: BlobAccount;

beforeAll(async () => {
  // One account for both ends: Azurite refuses request headers of more than 16 KiB, and a long name's copy has two.
  const { connectionString } = takeAccount();
  account = connectBlobAccount({ alias: 'source', connectionString });
  vault = connectBlobAccount({ alias: 'vault', connectionString });
  for (const container of ['data', 'other', 'kept']) await account.createContainer(container);
});

const NAMES = [
  'a b  c',
  '100%',
  '%41%2F%2e%2e%25',
  'x#y',
  'x?y=1&z=2',
  'a+b',
  'q=&;,:@!$*()[]{}|^`~',
  '"double" \'single\' <tag>&amp;',
  'é ß 中文 עברית',
  '\u{1f600}/\u{1f1e9}\u{1f1ea}.txt',
  'e\u0301 is not \u00e9',
  'RTL \u202e txt',
  '.hidden/.x',
  '...three',
  'dir/',
  '/leading',
  'a//b///c',
  'http://host:1/path?x',
  '__proto__',
  'con/aux/nul',
  'x'.repeat(1024),
  '\u{1f600}'.repeat(250),
  'é'.repeat(1000),
];

describe('names', () => {
  it.each(NAMES)('%j is written, listed, looked at and copied as it is', async (name) => {
    expect(account.canAddress('data', name)).toBe(true);
    const { etag } = await account.putObject('data', name, Buffer.from(name), { contentType: 'text/plain' });
    const listed = await account.listBlobs('data', { prefix: name });
    expect(listed.blobs.map((blob) => blob.name)).toContain(name);
    expect(await account.getProperties('data', name)).toMatchObject({ name, etag });

    const access = await account.readAccess('data', new Date(Date.now() + 60_000));
    await vault.copySync({
      sourceUrl: access.urlOf(name),
      sourceIfMatch: etag,
      container: 'kept',
      name,
      destination: 'absent',
    });
    expect((await vault.getObject('kept', name))?.body.toString()).toBe(name);
    const { blobs } = await vault.listBlobs('kept', { prefix: name });
    expect(blobs.map((blob) => blob.name)).toContain(name);
  });

  it('that may be addressed land at exactly that name, and nowhere else', async () => {
    await account.createContainer('fuzzed');
    const piece = fc.constantFrom(
      'a',
      'B',
      '.',
      '..',
      '/',
      '\\',
      '%2e',
      '%2F',
      '%',
      '#',
      '?',
      '+',
      ' ',
      '&',
      ':',
      'é',
      '\u{1f600}',
      '\n',
      'other',
    );
    const names = fc.sample(
      fc.array(piece, { minLength: 1, maxLength: 9 }).map((pieces) => pieces.join('')),
      400,
    );
    const addressed = new Set(names.filter((name) => account.canAddress('fuzzed', name)));
    for (const name of addressed)
      await account.putObject('fuzzed', name, Buffer.from(name), { contentType: 'text/plain' });
    const { blobs } = await account.listBlobs('fuzzed', {});
    expect(new Set(blobs.map(({ name }) => name))).toEqual(addressed);
    expect(addressed.size).toBeGreaterThan(50);
    expect((await account.listBlobs('other', {})).blobs).toEqual([]);
  });
});
