import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ROLE_NAMES, type Role } from '#domain/access/role.ts';
import { optionPath } from '#domain/input/option-path.ts';
import { type AppSettings, settingOf } from './app-settings.ts';
import type { ConfigurationProblem } from './configuration-error.ts';
import { nameOf } from './schema-parts.ts';

export const AUTH_SETTING = 'STRONGROOM_AUTH';
/** App Service sets it. Without its authentication in front, anyone could send the header that names the caller. */
const PLATFORM_SETTING = 'WEBSITE_AUTH_ENABLED';
const MODES = ['key', 'keys', 'entra'] as const;

/** With fewer characters, or fewer different ones, a key can be guessed. */
const LEAST = 16;
const LEAST_DIFFERENT = 8;

const role = z.enum(ROLE_NAMES);

const keySchema = z.strictObject({
  name: nameOf('a key').describe('Name of the key: runs and notes show it as the one who started or changed them.'),
  setting: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,126}$/, { error: 'this must be the name of an app setting, which holds the key' })
    .describe('Name of the app setting that holds the key: at least 16 characters.'),
  role: role.describe('What callers with the key may do.'),
});

export const accessSchema = z.strictObject({
  keys: z
    .array(keySchema)
    .max(50)
    .default([])
    .describe('Keys of callers. Requires the app setting `STRONGROOM_AUTH` to be `keys` or `entra`.'),
  roles: z
    .record(z.string().min(1).max(120), role)
    .default({})
    .describe(
      'The role of each app role of the app registration in Microsoft Entra. Requires `STRONGROOM_AUTH` to be ' +
        '`entra`.',
    ),
});

type WrittenAccess = z.output<typeof accessSchema>;

/** How the app finds out who calls. Contains no key, only hashes. */
export interface Access {
  mode: 'keys' | 'entra';
  keys: readonly AccessKey[];
  /** The role of each app role. */
  roles: ReadonlyMap<string, Role>;
}

export interface AccessKey {
  name: string;
  role: Role;
  /** Of the key. */
  sha256: Buffer;
}

/** Undefined in the mode `key`: the host checks the key, and a caller that it lets in may do everything. */
export function accessOf(written: WrittenAccess, settings: AppSettings): Access | undefined {
  const mode = settingOf(settings, AUTH_SETTING) ?? 'key';
  if (mode !== 'keys' && mode !== 'entra') return undefined;
  const keys = written.keys.map(({ name, role, setting }) => ({
    ...{ name, role },
    sha256: hashOf(settingOf(settings, setting) ?? ''),
  }));
  return { mode, keys, roles: new Map(Object.entries(written.roles)) };
}

export function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** Problems of the mode, and of keys and roles together with it. `written` may be any value. */
export function accessProblems(written: unknown, settings: AppSettings): ConfigurationProblem[] {
  const mode = settingOf(settings, AUTH_SETTING) ?? 'key';
  if (!isMode(mode)) {
    return [{ place: AUTH_SETTING, message: `the app setting must be one of ${MODES.join(', ')}` }];
  }
  const { keys, roles } = accessSchema.safeParse(written ?? {}).data ?? {};
  if (!keys || !roles) return [];
  const names = Object.keys(roles);
  return [...modeProblems(mode, { keys: keys.length, roles: names.length }, settings), ...keyProblems(keys, settings)];
}

function isMode(mode: string): mode is (typeof MODES)[number] {
  return (MODES as readonly string[]).includes(mode);
}

function modeProblems(
  mode: (typeof MODES)[number],
  has: { keys: number; roles: number },
  settings: AppSettings,
): ConfigurationProblem[] {
  const problem = (place: string, message: string) => ({ place, message });
  const unused = (what: 'keys' | 'roles', modes: string) =>
    problem(`access.${what}`, `these have no effect unless the app setting ${AUTH_SETTING} is ${modes}; set it`);
  if (mode === 'key') {
    return [
      ...(has.keys > 0 ? [unused('keys', '"keys" or "entra"')] : []),
      ...(has.roles > 0 ? [unused('roles', '"entra"')] : []),
    ];
  }
  if (mode === 'keys') {
    return [
      ...(has.keys === 0 ? [problem('access.keys', `${AUTH_SETTING} is "keys", so name at least one key here`)] : []),
      ...(has.roles > 0 ? [unused('roles', '"entra"')] : []),
    ];
  }
  const isAuthenticated = settingOf(settings, PLATFORM_SETTING)?.toLowerCase() === 'true';
  return [
    ...(has.roles === 0 ? [problem('access.roles', `${AUTH_SETTING} is "entra", so give app roles a role here`)] : []),
    ...(isAuthenticated
      ? []
      : [
          problem(
            AUTH_SETTING,
            '"entra" needs App Service authentication in front of the app: without it, anyone could send the header ' +
              `that names the caller. Turn it on, which sets ${PLATFORM_SETTING}, or use "keys"`,
          ),
        ]),
  ];
}

/** Problems name settings and never show what they hold. */
function keyProblems(keys: WrittenAccess['keys'], settings: AppSettings): ConfigurationProblem[] {
  return keys.flatMap(({ name, setting }, index) => {
    const problem = (option: 'name' | 'setting', message: string) => [
      { place: optionPath(['access', 'keys', index, option]), message },
    ];
    const earlier = keys.slice(0, index);
    if (earlier.some((each) => each.name === name)) return problem('name', `another key has the name "${name}"`);
    const key = settingOf(settings, setting);
    if (key === undefined) return problem('setting', `the app setting "${setting}" is not set`);
    if (!/^[\x20-\x7e]*$/.test(key)) return problem('setting', `"${setting}" has characters that no header can have`);
    if (key.length < LEAST || new Set(key).size < LEAST_DIFFERENT) {
      const rule = `a key has at least ${LEAST} characters, and ${LEAST_DIFFERENT} different ones`;
      return problem('setting', `the key in "${setting}" can be guessed: ${rule}; try openssl rand -hex 32`);
    }
    const same = earlier.find((each) => settingOf(settings, each.setting) === key);
    if (same) return problem('setting', `"${setting}" holds the same key as "${same.setting}" of "${same.name}"`);
    return [];
  });
}
