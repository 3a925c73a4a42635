import { PROBLEMS, type ProblemCode } from '../run/problems.ts';
import { type Finding, NOTHING } from './finding.ts';
import { grantCommand, type Principal, softDeleteCommand } from './grant-command.ts';
import type { Need, Side } from './needed-rights.ts';
import { type Right, WORDS } from './right.ts';
import { roleWith } from './role.ts';
import { lettersMissing, lettersOf } from './sas-letters.ts';

/** What an app says of a right. */
export interface Check {
  id: Right;
  alias: string;
  result: 'ok' | 'missing' | 'unneeded' | 'unknown';
  needed: boolean;
  for: string[];
  /** A problem code, or one of `OWN_CODES`; null if all is well. */
  code: string | null;
  hint: string | null;
  /** What grants the right; null if no command can. */
  command: string | null;
}

/** Codes that no outcome has. */
export const OWN_CODES = ['too-much', 'soft-delete-off', NOTHING] as const;

/** How the app signs in to an account. The signature is secret. */
export type SignIn = { by: 'key' } | { by: 'sas'; sas: string } | { by: 'identity'; principal: Principal };

export interface CheckedAccount {
  side: Side;
  /** The name of the account in Azure; absent for an emulator. */
  name?: string;
  signIn: SignIn;
}

/** What a finding about a right means for those who need it. */
export function checkOf(need: Need, finding: Finding, account: CheckedAccount): Check {
  const { right: id, alias, needed } = need;
  const common = { id, alias, needed, for: need.for };
  const ok: Check = { ...common, result: 'ok', code: null, hint: null, command: null };
  const is = (result: Check['result'], code: string, hint: string, command: string | null = null): Check => ({
    ...common,
    ...{ result, code, hint, command },
  });
  const deletes = id === 'delete-blobs' && !needed;
  switch (finding.is) {
    case 'granted':
      return deletes ? is('unneeded', 'too-much', tooMuch(alias, account.signIn)) : ok;
    case 'off':
      return is(
        'missing',
        'soft-delete-off',
        softDeleteOff(alias),
        account.name ? softDeleteCommand(account.name) : null,
      );
    case 'refused':
      if (deletes) return ok;
      if (id === 'soft-delete') return is('unknown', finding.code, notSeen(alias));
      return is('missing', finding.code, missing(need, finding.code, account), commandFor(id, account));
    case 'unknown':
      return is('unknown', finding.code, unknown(need, finding));
  }
}

function commandFor(right: Exclude<Right, 'soft-delete'>, { side, name, signIn }: CheckedAccount): string | null {
  return signIn.by === 'identity' ? grantCommand(roleWith(right, side), name, signIn.principal) : null;
}

function missing({ alias, right }: Need, code: ProblemCode, { signIn }: CheckedAccount): string {
  const { what, without } = WORDS[right];
  const start = `${alias} does not let this app ${what}. ${without}`;
  if (signIn.by === 'key' || right === 'sign-copies' || signIn.by === 'identity') {
    return `${start} ${signIn.by === 'key' ? PROBLEMS[code].hint : roleHint(right)}`;
  }
  const lacks = lettersMissing(signIn.sas, right);
  const why = lacks.length > 0 ? `The SAS lacks ${lacks.join(', ')}` : `The SAS must cover ${lettersOf(right)}`;
  return `${start} ${why}: create a new one, and put it into the app setting ${alias}.`;
}

/** The parameter of the templates that gives a right. The others are always given. */
const PARAMETERS: Partial<Record<Right, string>> = {
  'read-tags': 'readTags',
  'list-tables': 'readTables',
  'read-tables': 'readTables',
  'delete-blobs': 'pruneIdentity',
};

function roleHint(right: Right): string {
  const parameter = PARAMETERS[right];
  const apart =
    right === 'delete-blobs'
      ? ' Better, let prunes use an identity of their own, and name its account in "retention.account".'
      : '';
  return (
    'Run the command as someone who may assign roles, in the subscription of the account; it takes effect within ' +
    `some minutes.${parameter ? ` An app from infra/ has the parameter ${parameter} for it.` : ''}${apart}`
  );
}

function tooMuch(alias: string, { by }: SignIn): string {
  const remedy = {
    key:
      'An account key may do everything: in Azure, use an identity instead, with the role of ' +
      'infra/app/vault-access.bicep.',
    sas: 'Create a SAS without the permission d (sp), and put it into the app setting.',
    identity:
      'Assign the role of infra/app/vault-access.bicep to the identity of the app, and remove the assignment that ' +
      'lets it delete, such as that of Storage Blob Data Contributor or Owner.',
  }[by];
  return (
    `With ${alias}, this app could delete backups, and no job needs that: a mistake, or someone who takes over the ` +
    `app, could. ${remedy}`
  );
}

function softDeleteOff(alias: string): string {
  return (
    `Soft delete of ${alias} is off: what someone deletes there is gone at once. Turn it on for blobs and ` +
    'containers.'
  );
}

function notSeen(alias: string): string {
  return (
    `This app may not see whether soft delete of ${alias} is on, and needs no such right. See "Data protection" of ` +
    'the account: soft delete for blobs and containers should be on.'
  );
}

function unknown({ alias, right }: Need, { code, detail, places = [] }: Extract<Finding, { is: 'unknown' }>): string {
  const where = places.length > 0 ? ` in ${places.map((place) => `"${place}"`).join(', ')}` : '';
  const start = `It is not known whether this app may ${WORDS[right].what} with ${alias}${where}`;
  if (code === NOTHING) return `${start}: there is nothing yet to ask about. Check again later.`;
  if (detail === 'AuthorizationFailure') {
    return (
      `${start}. The account answers AuthorizationFailure: its firewall ("Networking") probably does not admit this ` +
      'app. An emulator says so of a wrong key.'
    );
  }
  return `${start}: ${PROBLEMS[code].meaning}${detail === '' ? '' : ` (${detail})`}. ${PROBLEMS[code].hint}`;
}
