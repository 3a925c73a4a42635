import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Each README lists the folders below it, except those that another README lists or that have the names of others. */
const READMES: Record<string, (folder: string) => boolean> = {
  src: (folder) => !folder.includes('/'),
  'src/activities': () => true,
  'src/domain': () => true,
  'src/functions': () => true,
  'src/storage': () => true,
  host: () => true,
  cli: () => true,
  prove: () => true,
  ui: () => true,
  test: (folder) =>
    folder.split('/').length <= 2 &&
    !(folder.startsWith('unit/') && ['src', 'host', ''].some((of) => existsSync(`${root}${of}/${folder.slice(5)}`))),
};
/** Folders with the name of one at the root that the README of the tests lists all the same. */
const LISTED = ['unit/prove', 'unit/tools'];

describe.each(Object.entries(READMES))('the README of %s', (place, isListed) => {
  const text = readFileSync(`${root}${place}/README.md`, 'utf8');
  const rows = [...text.matchAll(/^\| `([^`]+)` \| [^|]+ \| `([^`]+)` \|$/gm)];

  it('has a line for each folder', () => {
    const folders = readdirSync(root + place, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `${entry.parentPath}/${entry.name}`.slice(`${root}${place}/`.length).replaceAll('\\', '/'))
      .filter((folder) => isListed(folder) || (place === 'test' && LISTED.includes(folder)));
    expect(rows.map(([, folder]) => folder).sort()).toEqual(folders.sort());
  });

  it('names files that exist', () => {
    for (const [, , file] of rows) expect(existsSync(`${root}${place}/${file}`), file).toBe(true);
  });
});
