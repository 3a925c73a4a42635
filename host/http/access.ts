import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { Problem } from './problem.ts';

export interface AccessRules {
  /** If set, every call must send it that is not open. */
  key: string | undefined;
  /** Whether the server listens on loopback only. There, the threat is web pages in the user's own browser. */
  loopback: boolean;
}

export interface Call {
  host: string | undefined;
  origin: string | undefined;
  /** The header `sec-fetch-site`, which browsers set and web pages cannot: how the page relates to this server. */
  site: string | undefined;
  /** Whether the browser opens the answer in a tab, as after a click on a link. Pages cannot pretend that. */
  isVisit: boolean;
  /** From the header `x-functions-key`, or the query parameter `code`. */
  key: string | undefined;
  /** Whether the function is anonymous: it checks who calls itself, if at all. */
  isOpen: boolean;
}

/** Why the server refuses a call; undefined if it accepts the call. */
export function refusal(rules: AccessRules, call: Call): Problem | undefined {
  // DNS rebinding: a page whose host name resolves to 127.0.0.1 has the origin of this server, but not its Host header.
  if (rules.loopback && !isLoopbackName(hostName(call.host))) {
    return {
      status: 403,
      code: 'host-not-allowed',
      title: 'Forbidden',
      detail: 'This server only answers requests to localhost. Use http://localhost or http://127.0.0.1.',
    };
  }
  // A page cannot read the answer to a call such as that of an image, but the call itself does its work.
  // A link in a message to a page that is served here is fine: nothing of what it shows can be read from elsewhere.
  if (isOfAnotherSite(call) && !(call.isOpen && call.isVisit)) {
    return {
      status: 403,
      code: 'origin-not-allowed',
      title: 'Forbidden',
      detail: 'Web pages of another origin cannot call this server.',
    };
  }
  if (rules.key !== undefined && !call.isOpen && !sameSecret(call.key, rules.key)) {
    return {
      status: 401,
      code: 'key-required',
      title: 'Unauthorized',
      detail: 'Send the key in the header x-functions-key, or in the query parameter "code".',
    };
  }
  return undefined;
}

/** Compares in constant time. Hashes first, so that the time does not depend on the length either. */
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

function isOfAnotherSite({ host, origin, site = 'none' }: Call): boolean {
  if (site !== 'none' && site !== 'same-origin') return true;
  return origin !== undefined && (host === undefined || !isSameOrigin(origin, host));
}

function isSameOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || isLoopbackName(address.toLowerCase());
}
