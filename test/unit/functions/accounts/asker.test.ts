import { expect, test } from 'vitest';
import { checkOf } from '#domain/rights/check.ts';
import { placesOf } from '#domain/rights/finding.ts';
import { concerned, neededRights } from '#domain/rights/needed-rights.ts';
import { Asker } from '#functions/accounts/asker.ts';
import { StorageError } from '#storage/storage-error.ts';

const job = (name: string, containers: string[], tables: string[] = []) => ({
  ...{ name, source: { account: 'SOURCE', containers, tables }, destination: { account: 'VAULT' } },
});
const uses = {
  jobs: [job('a', ['images', 'there']), job('b', ['there', '*']), job('c', ['gone'], ['images'])],
  archives: [{ name: 'up', source: { account: 'SOURCE', container: 'images' }, destination: { account: 'VAULT' } }],
  otherAccounts: [],
};
const absent = async () => {
  throw new StorageError('container-not-found', 'x', 404, 'ContainerNotFound');
};

/** What is said of `list-blobs` after these answers, in this order. */
async function listing(...answers: [place: string, answer: () => Promise<unknown>][]) {
  const asker = new Asker('SOURCE', 'source', () => {});
  for (const [place, answer] of answers) await asker.ask('list-blobs', answer, place);
  const finding = asker.findings.get('list-blobs')!;
  const need = neededRights(uses, () => false).find(
    ({ alias, right }) => alias === 'SOURCE' && right === 'list-blobs',
  )!;
  return checkOf(concerned(need, uses, placesOf(finding)), finding, { side: 'source', signIn: { by: 'key' } });
}

test('a container that is not there concerns only those who name it, and the hint names it', async () => {
  const check = await listing(['there', async () => 'a page'], ['images', absent], ['there', async () => 'a page']);
  expect(check).toMatchObject({ result: 'unknown', code: 'container-not-found', for: ['a', 'up'] });
  expect(check.hint).toContain('may list blobs with SOURCE in "images": the source does not have this container');
});

test('several containers that are not there are all named', async () => {
  const check = await listing(['images', absent], ['gone', absent]);
  expect(check).toMatchObject({ result: 'unknown', for: ['a', 'c', 'up'] });
  expect(check.hint).toContain('in "images", "gone": ');
});

test('what is true of the whole account concerns all, even if a container is not there', async () => {
  const silent = async () => {
    throw new StorageError('unreachable', 'x');
  };
  expect(await listing(['images', absent], ['gone', silent])).toMatchObject({
    ...{ result: 'unknown', code: 'unreachable', for: ['a', 'b', 'c', 'up'] },
  });
});
