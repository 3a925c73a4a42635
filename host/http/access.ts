import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { Problem } from './problem.ts';

export interface AccessRules {
  /** When set, every call must carry it. */
  key: string | undefined;
  /** Whether the server listens on loopback only, where the callers to fear are web pages in the user's own browser. */
  loopback: boolean;
}

export interface Call {
  method: string;
  host: string | undefined;
  origin: string | undefined;
  /** From the header `x-functions-key`, or else the query parameter `code`. */
  key: string | undefined;
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Why a call is refused; `undefined` when it is let in. */
export function refusal(rules: AccessRules, call: Call): Problem | undefined {
  // A page whose name resolves to 127.0.0.1 would be of the same origin as this server; its Host header gives it away.
  if (rules.loopback && !isLoopbackName(hostName(call.host))) {
    return {
      status: 403,
      code: 'host-not-allowed',
      title: 'Forbidden',
      detail: 'This server answers to localhost only. Call it by http://localhost or http://127.0.0.1.',
    };
  }
  if (!SAFE_METHODS.has(call.method) && call.origin !== undefined && !isSameOrigin(call.origin, call.host)) {
    return {
      status: 403,
      code: 'origin-not-allowed',
      title: 'Forbidden',
      detail: 'Web pages of another origin may not make changes here.',
    };
  }
  if (rules.key !== undefined && !sameSecret(call.key, rules.key)) {
    return {
      status: 401,
      code: 'key-required',
      title: 'Unauthorized',
      detail: 'Send the key in the header x-functions-key, or in the query parameter "code".',
    };
  }
  return undefined;
}

/** Compared in constant time; hashed first, so that the length tells nothing either. */
function sameSecret(given: string | undefined, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return given !== undefined && timingSafeEqual(digest(given), digest(expected));
}

function hostName(header: string | undefined): string {
  return (header ?? '').replace(/:\d+$/, '').toLowerCase();
}

function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name === '[::1]' || (isIP(name) === 4 && name.startsWith('127.'));
}

function isSameOrigin(origin: string, host: string | undefined): boolean {
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}

export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || isLoopbackName(address.toLowerCase());
}
