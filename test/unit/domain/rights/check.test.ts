import { describe, expect, it, test } from 'vitest';
import { type CheckedAccount, checkOf, type SignIn } from '#domain/rights/check.ts';
import { type Finding, worse } from '#domain/rights/finding.ts';
import type { Need } from '#domain/rights/needed-rights.ts';
import { RIGHTS, type Right } from '#domain/rights/right.ts';
import { PROBLEMS } from '#domain/run/problems.ts';

const ID = '11111111-2222-3333-4444-555555555555';
const SAS = 'sv=2026-02-06&ss=b&srt=sco&sp=rlw&sig=SECRET';
const IDENTITY: SignIn = { by: 'identity', principal: { objectId: ID } };

const granted: Finding = { is: 'granted' };
const refused: Finding = {
  is: 'refused',
  code: 'access-denied-destination',
  detail: 'AuthorizationPermissionMismatch',
};
const unknown = (code: 'unreachable' | 'access-denied-source' | 'nothing-to-ask', detail = ''): Finding => ({
  ...{ is: 'unknown', code, detail },
});

const need = (right: Right, needed = true): Need => ({ alias: 'VAULT', right, needed, for: ['nightly'] });
const account = (signIn: SignIn = IDENTITY, more: Partial<CheckedAccount> = {}): CheckedAccount => ({
  ...{ side: 'vault', name: 'myvault', signIn },
  ...more,
});

describe('a right that is there', () => {
  it.each(RIGHTS)('%s is all that can be said of it', (right) => {
    expect(checkOf(need(right), granted, account())).toEqual({
      ...{ id: right, alias: 'VAULT', result: 'ok', needed: true, for: ['nightly'] },
      ...{ code: null, hint: null, command: null },
    });
  });
});

describe('a right that is missing', () => {
  it.each(RIGHTS.filter((right) => right !== 'soft-delete'))('%s has the command for an identity', (right) => {
    const check = checkOf(need(right), refused, account());
    expect(check).toMatchObject({ result: 'missing', code: 'access-denied-destination' });
    expect(check.command).toContain('az role assignment create');
    expect(check.command).toContain(`--assignee-object-id ${ID}`);
    expect(check.hint).toContain('Run the command');
  });

  it('of a SAS has the letters that it lacks, and no command', () => {
    const check = checkOf(need('write-tags'), refused, account({ by: 'sas', sas: SAS }));
    expect(check.command).toBeNull();
    expect(check.hint).toContain('The SAS lacks sp=t');
    expect(check.hint).not.toContain('SECRET');
  });

  it('of a SAS that shows all letters has all that it needs', () => {
    const check = checkOf(need('write-blobs'), refused, account({ by: 'sas', sas: SAS }));
    expect(check.hint).toContain('The SAS must cover ss=b, srt=o, sp=w');
  });

  it('of an account key has no command, since a key has all rights', () => {
    const check = checkOf(need('write-blobs'), refused, account({ by: 'key' }));
    expect(check).toMatchObject({ result: 'missing', command: null });
  });

  it('of a source is granted by a role that only reads', () => {
    const check = checkOf(need('read-blobs'), refused, account(IDENTITY, { side: 'source' }));
    expect(check.command).toContain("'Storage Blob Data Reader'");
    expect(check.command).not.toContain('definition');
  });
});

describe('the right to delete', () => {
  it.each(['key', 'sas', 'identity'] as const)('that no job needs is too much (%s)', (by) => {
    const signIn = { key: { by: 'key' }, sas: { by: 'sas', sas: SAS }, identity: IDENTITY }[by] as SignIn;
    const check = checkOf(need('delete-blobs', false), granted, account(signIn));
    expect(check).toMatchObject({ result: 'unneeded', needed: false, code: 'too-much', command: null });
    expect(check.hint).toContain({ key: 'account key', sas: 'permission d', identity: 'remove the assignment' }[by]);
  });

  it('that no job needs and that is not there is as it should be', () => {
    expect(checkOf(need('delete-blobs', false), refused, account())).toMatchObject({ result: 'ok', hint: null });
  });

  it('that a prune needs is granted by the role that prunes, with a better way', () => {
    const check = checkOf(need('delete-blobs'), refused, account());
    expect(check.command).toContain('Strongroom vault pruner (myvault)');
    expect(check.hint).toContain('retention.account');
  });
});

describe('soft delete', () => {
  it('that is off has the command that turns it on', () => {
    const check = checkOf(need('soft-delete', false), { is: 'off' }, account());
    expect(check).toMatchObject({ result: 'missing', needed: false, code: 'soft-delete-off' });
    expect(check.command).toContain('--enable-delete-retention true');
  });

  it('of an emulator has no command', () => {
    const { name: _, ...emulator } = account({ by: 'key' });
    expect(checkOf(need('soft-delete', false), { is: 'off' }, emulator).command).toBeNull();
  });

  it('that the app may not see is unknown, and nothing is missing', () => {
    expect(checkOf(need('soft-delete', false), refused, account())).toMatchObject({ result: 'unknown', command: null });
  });
});

describe('what is unknown', () => {
  it.each([
    [unknown('unreachable'), 'no connection to the service'],
    [unknown('nothing-to-ask'), 'nothing yet to ask'],
    [unknown('access-denied-source', 'AuthorizationFailure'), 'firewall'],
  ])('%o says why, and asks for no role', (finding, words) => {
    const check = checkOf(need('read-blobs'), finding, account());
    expect(check).toMatchObject({ result: 'unknown', command: null });
    expect(check.hint).toContain(words);
  });
});

test('of several findings, a refusal counts, then what is unknown', () => {
  const all = [granted, unknown('unreachable'), refused];
  expect(all.reduce<Finding | undefined>(worse, undefined)).toBe(refused);
  expect(all.toReversed().reduce<Finding | undefined>(worse, undefined)).toBe(refused);
  expect(worse(unknown('unreachable'), granted)).toEqual(unknown('unreachable'));
  // An empty container beside one with blobs.
  expect(worse(unknown('nothing-to-ask'), granted)).toBe(granted);
  expect(worse(granted, unknown('nothing-to-ask'))).toBe(granted);
});

test('a refusal of a key has the hint of its code, and of a firewall its name', () => {
  const need = { alias: 'SOURCE', right: 'read-blobs', needed: true, for: ['nightly'] } as const;
  const account = { side: 'source', signIn: { by: 'key' } } as const;
  const ask = (finding: Parameters<typeof checkOf>[1]) =>
    checkOf({ ...need, for: [...need.for] }, finding, account).hint;
  const code = 'access-denied-source' as const;
  expect(ask({ is: 'refused', code, detail: '' })).toContain(PROBLEMS[code].hint);
  expect(ask({ is: 'unknown', code, detail: 'AuthorizationFailure' })).toContain('its firewall ("Networking")');
});
