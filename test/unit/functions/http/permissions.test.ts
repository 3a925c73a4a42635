import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { describe, expect, it, test, vi } from 'vitest';
import type { Needs, Operation } from '#api/operation.ts';
import { OPERATIONS, type OperationId } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { type Access, hashOf } from '#config/access.ts';
import { PERMISSIONS, type Permission } from '#domain/access/permission.ts';
import { permissionsOf, ROLE_NAMES, type Role } from '#domain/access/role.ts';
import { HANDLERS } from '#functions/handlers.ts';
import { answering, reply } from '#functions/http/answering.ts';
import { registrationOf } from '#functions/http/registration.ts';
import { permissionOf } from '#functions/run/run-permission.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';

vi.stubGlobal('STRONGROOM_VERSION', '0');

const keyOf = (role: string) => `key-of-the-${role}`;
const keys = ROLE_NAMES.map((role) => ({ name: role, role, sha256: hashOf(keyOf(role)) }));
const roles = new Map<string, Role>(ROLE_NAMES.map((role) => [`Strongroom.${role}`, role]));
const MODES: Record<'keys' | 'entra', Access> = {
  keys: { mode: 'keys', keys, roles: new Map() },
  entra: { mode: 'entra', keys, roles },
};

/** An app without any job, whose accounts nobody may ask. */
function depsWith(access: Access | undefined): Dependencies {
  const configuration = {
    jobs: [],
    archives: [],
    otherAccounts: [],
    notify: { channels: [] },
    accounts: new Map(),
    ...(access && { access }),
  };
  const telemetry = { failure: () => {} };
  return { configuration, telemetry, now: () => new Date(), limits: {} } as unknown as Dependencies;
}

function principal(given: readonly string[], name = 'ada@example.org'): string {
  const claims = [...given.map((val) => ({ typ: 'roles', val })), { typ: 'preferred_username', val: name }];
  return Buffer.from(JSON.stringify({ auth_typ: 'aad', name_typ: 'name', role_typ: 'roles', claims })).toString(
    'base64',
  );
}

type Headers = Record<string, string>;
const withKey = (role: string): Headers => ({ 'x-functions-key': keyOf(role) });
const withToken = (...given: string[]): Headers => ({
  'x-ms-client-principal': principal(given),
  authorization: 'Bearer x',
});

async function call(id: OperationId, access: Access | undefined, headers: Headers, body: object = {}) {
  const { method } = OPERATIONS[id];
  const request = httpRequest({ params: { id: 'x', job: 'x', rule: 'x' }, headers, method, body });
  const answer = await HANDLERS[id](depsWith(access))(request, {} as DurableClient, {} as InvocationContext);
  const isJson = /json$/.test(new Headers(answer.headers as Headers).get('content-type') ?? '');
  return { status: answer.status!, body: isJson ? JSON.parse(String(answer.body)) : answer.body };
}

const ids = Object.keys(OPERATIONS) as OperationId[];
const needsOf = (id: OperationId): Needs => OPERATIONS[id].needs;

/** Carries a plan out. */
const PLAN = { plan: 'nightly-20260501T000000Z-aaaaaa', hash: 'x' };

/** The rows of the table in docs/configuration.md, written down once more. */
const MAY: Record<Role, readonly Permission[]> = {
  observer: ['status'],
  reader: ['status', 'read', 'names'],
  operator: ['status', 'read', 'names', 'run'],
  restorer: ['status', 'read', 'names', 'restore'],
  pruner: ['status', 'read', 'names', 'prune'],
  admin: ['status', 'read', 'names', 'run', 'restore', 'prune', 'protect'],
};

function isAllowed(needs: Needs, role: Role): boolean {
  if (needs === 'anyone' || needs === 'signed-in') return true;
  return [needs].flat().some((permission) => MAY[role].includes(permission as Permission));
}

describe.each(Object.entries(MODES))('in the mode %s', (mode, access) => {
  describe.each(ids)('%s', (id) => {
    const isOpen = needsOf(id) === 'anyone';

    it.each(ROLE_NAMES)('asks for what %s may do', async (role) => {
      const ways = [withKey(role), ...(mode === 'entra' ? [withToken(`Strongroom.${role}`)] : [])];
      const asked = id === 'startPrune' && role === 'pruner' ? PLAN : {};
      for (const headers of ways) {
        const { status, body } = await call(id, access, headers, asked);
        if (isAllowed(needsOf(id), role)) {
          expect([401, 403]).not.toContain(status);
          continue;
        }
        expect(status).toBe(403);
        expect(body).toMatchObject({ code: 'not-allowed', needs: [needsOf(id)].flat()[0] });
        expect(body.hint).toContain('admin');
      }
    });

    it('refuses a caller who is not known, and a wrong key', async () => {
      for (const headers of [{}, { 'x-functions-key': 'wrong' }, { 'x-ms-client-principal': 'e30=' }]) {
        const { status, body } = await call(id, access, headers);
        if (isOpen) expect(status).not.toBe(401);
        else expect({ status, body }).toMatchObject({ status: 401, body: { code: 'sign-in-needed' } });
      }
    });
  });

  it('needs no key of the host for any operation', () => {
    for (const id of ids) expect(registrationOf(OPERATIONS[id], access).authLevel).toBe('anonymous');
  });
});

describe('in the mode key', () => {
  it.each(ids)('%s lets everyone in whom the host lets in', async (id) => {
    expect([401, 403]).not.toContain((await call(id, undefined, {})).status);
    expect(registrationOf(OPERATIONS[id]).authLevel).toBe(needsOf(id) === 'anyone' ? 'anonymous' : 'function');
  });

  it('ignores the header of a sign-in', async () => {
    const { body } = await call('whoAmI', undefined, withToken('Strongroom.reader'));
    expect(body).toMatchObject({ name: null, via: 'loopback', roles: ['admin'] });
  });
});

test('the mode keys ignores the header of a sign-in, which anyone could send', async () => {
  expect((await call('listRuns', MODES.keys, withToken('Strongroom.admin'))).status).toBe(401);
});

test('the ways to sign in are named', async () => {
  expect((await call('listRuns', MODES.keys, {})).body.ways).toEqual(['key']);
  expect((await call('listRuns', MODES.entra, {})).body.ways).toEqual(['entra', 'key']);
});

describe('whoami', () => {
  it('names a key, a user, and what they may do', async () => {
    const withRole = await call('whoAmI', MODES.keys, withKey('operator'));
    expect(withRole.body).toMatchObject({ name: 'operator', via: 'key', roles: ['operator'], may: MAY.operator });
    const twoRoles = await call('whoAmI', MODES.entra, withToken('Strongroom.operator', 'Strongroom.pruner', 'Other'));
    expect(twoRoles.body).toMatchObject({
      ...{ name: 'ada@example.org', via: 'entra', roles: ['operator', 'pruner'], signOut: '/.auth/logout' },
      may: ['status', 'read', 'names', 'run', 'prune'],
    });
  });

  it('knows a user without any role, who may do nothing else', async () => {
    expect((await call('whoAmI', MODES.entra, withToken())).body).toMatchObject({ roles: [], may: [] });
    expect((await call('listRuns', MODES.entra, withToken())).status).toBe(403);
  });
});

describe('a caller with the cookie of a sign-in', () => {
  const cookie = { 'x-ms-client-principal': principal(['Strongroom.admin']) };
  const own = { 'x-strongroom': '1', 'sec-fetch-site': 'same-origin' };

  it('may read', async () => {
    expect((await call('whoAmI', MODES.entra, cookie)).status).toBe(200);
  });

  it.each([
    ['nothing that shows where it comes from', {}],
    ['our header alone', { 'x-strongroom': '1' }],
    ['the same origin alone', { 'sec-fetch-site': 'same-origin' }],
    ['another site', { ...own, 'sec-fetch-site': 'cross-site' }],
    ['another origin of the same site', { ...own, 'sec-fetch-site': 'same-site' }],
  ])('changes nothing with %s', async (_, headers) => {
    const answer = await call('startRun', MODES.entra, { ...cookie, ...headers });
    expect(answer).toMatchObject({ status: 403, body: { code: 'origin-not-allowed' } });
  });

  it('may change something from a page of the app', async () => {
    expect((await call('startRun', MODES.entra, { ...cookie, ...own })).status).toBe(404);
  });
});

describe('an operation that needs one of several permissions', () => {
  it.each<[OperationId, Role, object, boolean]>([
    ['startPrune', 'operator', {}, true],
    ['startPrune', 'operator', PLAN, false],
    ['startPrune', 'pruner', PLAN, true],
    ['startPrune', 'pruner', {}, false],
    ['startPrune', 'admin', PLAN, true],
    ['cancelRun', 'operator', { force: true }, false],
    ['cancelRun', 'restorer', { force: true }, false],
    ['cancelRun', 'admin', { force: true }, true],
  ])('%s by %s with %j: %s', async (id, role, body, isAllowed) => {
    const { status } = await call(id, MODES.keys, withKey(role), body);
    expect(status === 403).toBe(!isAllowed);
  });

  it('needs that of the mode of the run', () => {
    const of = (mode: string) => permissionOf({ state: 'ended', summary: { mode } } as never);
    const found = { restore: of('restore'), prune: of('prune'), full: of('full'), verify: of('verify') };
    expect(found).toEqual({ restore: 'restore', prune: 'prune', full: 'run', verify: 'run' });
  });

  it('fails if its handler names none', async () => {
    const operation = { ...OPERATIONS.retryRun, answers: OPERATIONS.whoAmI.answers } satisfies Operation;
    const unchecked = answering(depsWith(undefined), operation, async () => reply(200, {} as never));
    const answer = await unchecked(httpRequest(), {} as DurableClient, {} as InvocationContext);
    expect(answer.status).toBe(500);
  });
});

test('no role but admin has what takes protection away', () => {
  expect(ROLE_NAMES.filter((role) => permissionsOf([role]).includes('protect'))).toEqual(['admin']);
  for (const role of ROLE_NAMES) expect(permissionsOf([role])).toEqual(MAY[role]);
  expect(permissionsOf(['operator', 'restorer', 'pruner'])).toEqual(PERMISSIONS.filter((each) => each !== 'protect'));
});
