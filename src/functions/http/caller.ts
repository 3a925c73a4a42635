import { createHash, timingSafeEqual } from 'node:crypto';
import type { HttpRequest } from '@azure/functions';
import { z } from 'zod';
import type { Needs } from '#api/operation.ts';
import type { Access } from '#config/access.ts';
import type { Permission } from '#domain/access/permission.ts';
import { permissionsOf, type Role, rolesWith } from '#domain/access/role.ts';
import type { By } from '#domain/run/by.ts';
import { HttpError } from './http-error.ts';

/** Who calls, and with which roles. */
export interface Caller {
  by: By;
  roles: readonly Role[];
}

/**
 * The caller of a request; undefined if it is not known. Without `access`, the host has checked the key, and anyone
 * whom it lets in may do everything. Throws 401 for a wrong key, and 403 if a page of another site may have sent the
 * request.
 */
export function callerOf(request: HttpRequest, access: Access | undefined): Caller | undefined {
  const key = request.headers.get('x-functions-key') ?? request.query.get('code');
  if (!access) return { by: { name: null, via: key === null ? 'loopback' : 'key' }, roles: ['admin'] };
  if (key !== null) {
    const caller = withKey(key, access);
    if (!caller) throw signInNeeded(access, 'The key is not one of this app');
    return caller;
  }
  return access.mode === 'entra' ? signedIn(request, access) : undefined;
}

/** Compares with every key in constant time, and hashes, so that the time does not depend on the length either. */
function withKey(given: string, { keys }: Access): Caller | undefined {
  const sha256 = createHash('sha256').update(given.trim()).digest();
  const [found] = keys.filter((key) => timingSafeEqual(key.sha256, sha256));
  return found && { by: { name: found.name, via: 'key' }, roles: [found.role] };
}

const principalSchema = z.object({
  name_typ: z.string().nullish(),
  role_typ: z.string().nullish(),
  claims: z.array(z.object({ typ: z.string(), val: z.string() })),
});

/** App Service sets the header, and removes one that a caller has sent. */
function signedIn(request: HttpRequest, { roles: given }: Access): Caller | undefined {
  const principal = principalOf(request.headers.get('x-ms-client-principal'));
  if (!principal) return undefined;
  refuseForeignPage(request);
  const { claims, name_typ, role_typ } = principal;
  const valuesOf = (...types: (string | null | undefined)[]) =>
    claims.filter(({ typ }) => types.includes(typ)).map(({ val }) => val);
  const roles = valuesOf('roles', role_typ).flatMap((appRole) => given.get(appRole) ?? []);
  const [name = null] = [...valuesOf('preferred_username'), ...valuesOf(name_typ, 'name'), ...valuesOf('appid', 'azp')];
  return { by: { name: name?.slice(0, LONGEST_NAME) ?? null, via: 'entra' }, roles: [...new Set(roles)] };
}

const LONGEST_NAME = 100;

function principalOf(header: string | null) {
  try {
    return principalSchema.parse(JSON.parse(Buffer.from(header ?? '', 'base64').toString()));
  } catch {
    return undefined;
  }
}

/**
 * A browser sends the cookie of the sign-in with whatever a page of another site makes it send; such a page can set no
 * header of ours, and none that says where the request comes from.
 */
function refuseForeignPage({ method, headers }: HttpRequest): void {
  if (method === 'GET' || headers.get('authorization') !== null) return;
  if (headers.get('x-strongroom') === '1' && headers.get('sec-fetch-site') === 'same-origin') return;
  throw new HttpError(
    403,
    'origin-not-allowed',
    'A page of another site may have sent this request',
    'With a cookie, send the header "x-strongroom: 1" from a page of this app. Without one, send a token or a key',
  );
}

/** Throws 401 if it is not known who calls, and 403 if the caller may not do what is needed, or none of it. */
export function authorize(needs: Needs, caller: Caller | undefined, access: Access | undefined): void {
  if (needs === 'anyone') return;
  if (!caller) throw signInNeeded(access, 'It is not known who calls');
  if (needs === 'signed-in') return;
  const wanted = typeof needs === 'string' ? [needs] : needs;
  const may = permissionsOf(caller.roles);
  if (!wanted.some((each) => may.includes(each))) throw notAllowed(wanted);
}

/** Throws 403 unless the caller has the permission. */
export function checkPermission(permission: Permission, caller: Caller | undefined): void {
  if (!permissionsOf(caller?.roles ?? []).includes(permission)) throw notAllowed([permission]);
}

function signInNeeded(access: Access | undefined, why: string): HttpError {
  const ways = access?.mode === 'entra' ? ['entra', 'key'] : ['key'];
  const hint =
    access?.mode === 'entra'
      ? 'Sign in at /.auth/login/aad, or send a token as "authorization: Bearer …" or a key in "x-functions-key"'
      : 'Send a key in the header "x-functions-key"';
  return new HttpError(401, 'sign-in-needed', why, hint, { ways });
}

function notAllowed(needs: readonly Permission[]): HttpError {
  const names = needs.map((each) => `"${each}"`).join(' or ');
  const roles = [...new Set(needs.flatMap(rolesWith))];
  const which = roles.length === 1 ? `the role ${roles[0]}` : `one of the roles ${roles.join(', ')}`;
  const hint = `Ask for ${which}: see "access" in docs/configuration.md`;
  return new HttpError(403, 'not-allowed', `This call needs the permission ${names}`, hint, { needs: needs[0] });
}
