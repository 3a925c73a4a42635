import { describe, expect, it, test } from 'vitest';
import { neededRights, sideOf, type Uses } from '#domain/rights/needed-rights.ts';

const vault = { account: 'VAULT' };
const job = (name: string, more: object = {}): Uses['jobs'][number] => ({
  ...{ name, source: { account: 'SOURCE', containers: ['images'], tables: [] }, destination: vault },
  ...more,
});
const rule = (name: string, more: object = {}): Uses['archives'][number] => ({
  ...{ name, source: { account: 'SOURCE', container: 'incoming' }, destination: vault },
  ...more,
});

/** `SOURCE read-blobs`, with a question mark where it is not needed, and for whom. */
function shown(uses: Partial<Uses>, isIdentity = false): Record<string, string> {
  const needs = neededRights({ jobs: [], archives: [], otherAccounts: [], ...uses }, () => isIdentity);
  return Object.fromEntries(
    needs.map(({ alias, right, needed, for: names }) => [`${alias} ${right}${needed ? '' : '?'}`, names.join(' ')]),
  );
}

describe('the rights that a job needs', () => {
  it('of containers by name: to read there, and all of the vault but to delete', () => {
    expect(shown({ jobs: [job('nightly')] })).toEqual({
      'SOURCE list-blobs': 'nightly',
      'SOURCE read-blobs': 'nightly',
      'SOURCE read-tags': 'nightly',
      'VAULT list-containers': 'nightly',
      'VAULT list-blobs': 'nightly',
      'VAULT read-blobs': 'nightly',
      'VAULT create-containers': 'nightly',
      'VAULT write-blobs': 'nightly',
      'VAULT write-tags': 'nightly',
      'VAULT write-catalog?': 'nightly',
      'VAULT delete-blobs?': 'nightly',
      'VAULT soft-delete?': 'nightly',
    });
  });

  it('of patterns: also to list containers and tables', () => {
    const source = { account: 'SOURCE', containers: ['tenant-*'], tables: ['orders', 'log*'] };
    const found = Object.keys(shown({ jobs: [job('nightly', { source })] }));
    expect(found.filter((each) => each.startsWith('SOURCE'))).toEqual([
      'SOURCE list-containers',
      'SOURCE list-blobs',
      'SOURCE read-blobs',
      'SOURCE read-tags',
      'SOURCE list-tables',
      'SOURCE read-tables',
    ]);
  });

  it('of tables alone: nothing of blobs in the source, and no tags in the vault', () => {
    const source = { account: 'SOURCE', containers: [], tables: ['orders'] };
    const found = Object.keys(shown({ jobs: [job('tables', { source })] }, true));
    expect(found.filter((each) => each.startsWith('SOURCE'))).toEqual(['SOURCE read-tables']);
    expect(found).not.toContain('VAULT write-tags');
    expect(found).not.toContain('VAULT sign-copies');
  });

  it('with identities: to request a user delegation key, which keys and signatures need not', () => {
    expect(Object.keys(shown({ jobs: [job('nightly')] }, true))).toEqual(
      expect.arrayContaining(['SOURCE sign-copies', 'VAULT sign-copies']),
    );
  });
});

describe('the right to delete', () => {
  it('is needed of the account that retention names, and of no other', () => {
    const found = shown({ jobs: [job('nightly', { retention: { account: 'VAULT_PRUNE' } })] });
    expect(found).toMatchObject({ 'VAULT delete-blobs?': 'nightly', 'VAULT_PRUNE delete-blobs': 'nightly' });
  });

  it('is needed of the vault if retention names no account', () => {
    const jobs = [job('nightly', { retention: {} }), job('weekly')];
    expect(shown({ jobs })).toMatchObject({ 'VAULT delete-blobs': 'nightly' });
    expect(shown({ jobs: jobs.toReversed() })).toMatchObject({ 'VAULT delete-blobs': 'nightly' });
  });

  it('is needed by a rule that keeps receipts for some days', () => {
    const archives = [rule('uploads', { receipts: { account: 'VAULT_PRUNE' } })];
    expect(shown({ archives })).toMatchObject({ 'VAULT_PRUNE delete-blobs': 'uploads' });
  });
});

test('a rule with a queue needs to read it, by the connection of the host', () => {
  const events = { queue: 'uploads', queueAccount: 'AzureWebJobsStorage' };
  expect(shown({ archives: [rule('uploads', { events })] })).toMatchObject({
    'AzureWebJobsStorage read-queue': 'uploads',
  });
  expect(Object.keys(shown({ archives: [rule('uploads', { events: { blobTrigger: 'scan' } })] })).join()).not.toContain(
    'read-queue',
  );
});

test('rights that several jobs and rules need are one, with all their names', () => {
  const found = shown({ jobs: [job('a'), job('b')], archives: [rule('c')] });
  expect(found).toMatchObject({ 'SOURCE read-blobs': 'a b c', 'VAULT write-blobs': 'a b c' });
});

test('an account that only restores write to is asked for its containers', () => {
  expect(shown({ otherAccounts: ['SPARE'] })).toEqual({ 'SPARE list-containers?': '' });
});

test('an account that is a source and a vault counts as a vault', () => {
  const second = job('second', { source: { account: 'VAULT', containers: ['x'], tables: [] } });
  const uses: Uses = { jobs: [job('first'), second], archives: [], otherAccounts: [] };
  expect(['VAULT', 'SOURCE', 'VAULT_PRUNE'].map((alias) => sideOf(uses, alias))).toEqual(['vault', 'source', 'prune']);
});
