import { accountNameIn } from './service-identity.ts';
import { sasProblems } from './shared-access-signature.ts';

/** What a connection string says about a storage account. */
export interface AccountString {
  blobEndpoint: string;
  /** Absent if the string names none, and the address of the blobs does not show it. */
  tableEndpoint?: string;
  accountName?: string;
  accountKey?: string;
  /** The query of a shared access signature, without `?`. Secret. */
  sas?: string;
}

const EMULATOR =
  'AccountName=devstoreaccount1;' +
  'AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;' +
  'BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;' +
  'TableEndpoint=http://127.0.0.1:10002/devstoreaccount1';

const KNOWN: Record<string, string> = {
  accountname: 'AccountName',
  accountkey: 'AccountKey',
  sharedaccesssignature: 'SharedAccessSignature',
  defaultendpointsprotocol: 'DefaultEndpointsProtocol',
  endpointsuffix: 'EndpointSuffix',
  blobendpoint: 'BlobEndpoint',
  tableendpoint: 'TableEndpoint',
};

/** Names of parts that decide nothing. A part of any other name is probably a misspelled one of `KNOWN`. */
const IGNORED =
  /^(?:(?:queue|file|dfs|web)endpoint|\w+secondaryendpoint|usedevelopmentstorage|developmentstorageproxyuri)$/;

/**
 * Parses a connection string, or names every mistake in it, without its values: each completes "the app setting X …".
 * Without `now`, a signature that has expired is none.
 */
export function parseAccountString(text: string, now?: Date): { account: AccountString } | { problems: string[] } {
  const other = otherThanString(text.trim());
  if (other !== undefined) return { problems: [other] };
  const problems = pastedProblems(text);
  // Without what was pasted along, so that the other mistakes are named, too.
  const parts = partsOf(problems.length === 0 ? text : unpasted(text), problems);
  if (parts.get('usedevelopmentstorage')?.toLowerCase() === 'true' && problems.length === 0) {
    return parseAccountString(EMULATOR);
  }
  const value = (name: string) => parts.get(name) || undefined;
  const sas = value('sharedaccesssignature')?.replace(/^\?/, '');
  problems.push(...missingProblems(parts), ...valueProblems(value), ...addressProblems(value));
  if (sas !== undefined) problems.push(...sasProblems(sas, now));
  if (problems.length > 0) return { problems: [...new Set(problems)] };
  const [accountName, accountKey] = [value('accountname'), value('accountkey')];
  const given = value('blobendpoint');
  const tables = value('tableendpoint') ?? (given === undefined ? composed(value, 'table') : tableAddressOf(given));
  return {
    account: {
      blobEndpoint: plain(given ?? composed(value, 'blob')),
      ...(tables !== undefined && { tableEndpoint: plain(tables) }),
      ...(accountName !== undefined && { accountName }),
      ...(accountKey !== undefined && { accountKey }),
      ...(sas !== undefined && { sas }),
    },
  };
}

/** The signature in a connection string, whatever else is wrong with it; undefined if it has none. Secret. */
export function signatureIn(text: string): string | undefined {
  return partsOf(unpasted(text), []).get('sharedaccesssignature')?.replace(/^\?/, '') || undefined;
}

/** The address of a service of an account in a connection string without an endpoint. */
function composed(value: (name: string) => string | undefined, service: 'blob' | 'table'): string {
  const protocol = (value('defaultendpointsprotocol') ?? 'https').toLowerCase();
  return `${protocol}://${value('accountname')}.${service}.${value('endpointsuffix') ?? 'core.windows.net'}`;
}

/** The address of the tables of an account, if the address of its blobs shows it. A custom domain has no such rule. */
export function tableAddressOf(blobEndpoint: string): string | undefined {
  const url = new URL(blobEndpoint);
  if (!url.hostname.includes('.blob.')) return undefined;
  url.hostname = url.hostname.replace('.blob.', '.table.');
  // It is longer by a letter.
  return addressProblem(url.toString(), 'table') === undefined ? url.toString() : undefined;
}

/** Why an address is not that of a service; undefined if it may be. Completes "has a … ". */
export function addressProblem(address: string, service: 'blob' | 'table' | 'queue'): string | undefined {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url && /^https?:\/\/[^/]/i.test(address)) return `has a host or a port that does not exist; ${HOST_HINT}`;
  // Empty ones of these are not in the parts of a URL, but are in its text.
  const isPlain = url && /^https?:$/.test(url.protocol) && !/[?#@\\]/.test(address);
  if (!isPlain) return 'is not a plain http or https address';
  if (!isHost(url.hostname)) {
    return `has a host with an empty label (a dot too many), quotes or other characters that no host has; ${HOST_HINT}`;
  }
  const other = url.hostname
    .split('.')
    .slice(1)
    .find((label) => /^(?:dfs|blob|table|queue|file|web)$/.test(label));
  if (other !== undefined && other !== service) {
    return `is the address of another service ("${other}"); use the one with ".${service}." instead`;
  }
  if (!/^[\w.~/-]*$/.test(url.pathname)) return 'has a path with characters that no account has; remove them';
  // An emulator has the account in the path.
  if (other === undefined || url.pathname.replace(/\/+$/, '') === '') return undefined;
  return 'has a path behind the host; use the address of the account, without a container or table';
}

const HOST_HINT =
  'its labels have 1 to 63 letters, digits and inner hyphens, 253 in all, and the last one is no number';

/** A name that DNS can look up, with the underscores of container networks, or an IP address. */
function isHost(name: string): boolean {
  if (/^\[[\da-f:.]+\]$/i.test(name)) return true;
  return name.length <= 253 && name.split('.').every((label) => /^(?!-)[a-z\d_-]{1,63}(?<!-)$/i.test(label));
}

function plain(address: string): string {
  const url = new URL(address);
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/** What the text is, if it is something else that people have at hand. */
function otherThanString(text: string): string | undefined {
  if (/^@Microsoft\.KeyVault\(/i.test(text)) {
    return (
      'is a reference to a Key Vault that the platform has not resolved; check in the portal why ' +
      '("Environment variables"), or put the connection string itself there'
    );
  }
  if (!/^https?:\/\//i.test(text)) return undefined;
  return (
    'is an address, not a connection string; with a signature, write ' +
    'BlobEndpoint=https://….blob.core.windows.net;SharedAccessSignature=…; for an identity, use the setting with ' +
    '"__blobServiceUri" instead'
  );
}

const QUOTES = /^["'`\u2018-\u201f]+|["'`\u2018-\u201f]+$/g;
const ENTITIES = /&(?:amp|quot|lt|gt|apos|#\d+|#x[\da-f]+);/gi;
// biome-ignore lint/suspicious/noControlCharactersInRegex: this expression finds them
const UNPRINTED = /[\u0000-\u001f\u007f\u200b-\u200f\u2060\ufeff]/g;

/** Mistakes of copying the text from elsewhere. */
function pastedProblems(text: string): string[] {
  const trimmed = text.trim();
  const problems: string[] = [];
  if (trimmed.search(QUOTES) >= 0) {
    problems.push('is in quotes; remove them: neither Docker nor the environment does');
  }
  if (trimmed.search(ENTITIES) >= 0) {
    problems.push('contains "&amp;" or the like, from XML or HTML; write "&" instead');
  }
  if (trimmed.search(UNPRINTED) >= 0) {
    problems.push('contains a line break or another character that is not visible; write it in one line');
  }
  return problems;
}

function unpasted(text: string): string {
  return text.replace(UNPRINTED, '').trim().replace(QUOTES, '').replace(ENTITIES, '&');
}

function partsOf(text: string, problems: string[]): Map<string, string> {
  const parts = new Map<string, string>();
  for (const piece of text.split(';')) {
    if (piece.trim() === '') continue;
    const cut = piece.indexOf('=');
    const name = piece.slice(0, Math.max(cut, 0)).trim().toLowerCase();
    const value = piece.slice(cut + 1).trim();
    const known = KNOWN[name];
    if (cut <= 0) problems.push('has a part without a name and "="; copy the whole connection string again');
    else if (known && value === '') problems.push(`has an empty ${known}; remove it or give it a value`);
    else if (known && parts.has(name)) problems.push(`has ${known} twice; remove one of them`);
    parts.set(name, value);
  }
  const names = [...parts.keys()].filter((name) => name !== '');
  // A text without any known name is no connection string, which is reported as such.
  if (names.some((name) => KNOWN[name]) && !names.every((name) => KNOWN[name] || IGNORED.test(name))) {
    problems.push(`has a part with an unknown name; check the spelling: ${Object.values(KNOWN).join(', ')}`);
  }
  return parts;
}

/** A connection string with a signature needs no key, and no name if it has an endpoint. Empty parts are reported. */
function missingProblems(parts: ReadonlyMap<string, string>): string[] {
  const isSigned = parts.has('sharedaccesssignature');
  const missing = ['accountname', 'accountkey'].filter(
    (name) => !parts.has(name) && !(isSigned && (name === 'accountkey' || parts.get('blobendpoint'))),
  );
  if (missing.length === 0) return [];
  const names = missing.map((name) => KNOWN[name]).join(' and ');
  return [`is not a complete connection string: it lacks ${names}; copy it from the access keys of the account`];
}

function valueProblems(value: (name: string) => string | undefined): string[] {
  const problems: string[] = [];
  const name = value('accountname');
  if (name && !/^[a-z0-9]{3,24}$/.test(name)) {
    problems.push('has an invalid AccountName: use 3 to 24 lower-case letters and digits');
  }
  if (!/^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/.test(value('accountkey') ?? '')) {
    problems.push('has an AccountKey that is not valid Base64; it may be incomplete, so copy it again');
  }
  if (!/^https?$/i.test(value('defaultendpointsprotocol') ?? 'https')) {
    problems.push('has a DefaultEndpointsProtocol that is neither https nor http');
  }
  const suffix = value('endpointsuffix') ?? 'core.windows.net';
  // Checked with the longest name that an account can have, so that it does not depend on the other parts.
  const longest = `https://${'a'.repeat(24)}.table.${suffix}`;
  const isEnd = isHost(suffix) && addressProblem(longest, 'table') === undefined;
  if (!isEnd || /^(?:dfs|blob|table|queue|file|web)\./i.test(suffix)) {
    problems.push('has an EndpointSuffix that is not the end of a host name behind the service: core.windows.net');
  }
  return problems;
}

/** The account in an address of Azure itself. The first label of any other host may be anything. */
function accountOfAzure(address: string): string | undefined {
  const isAzure = /\.(?:core\.[a-z.]+|storage\.azure\.net)$/.test(new URL(address).hostname);
  return isAzure ? accountNameIn(address.replace('.table.', '.blob.')) : undefined;
}

function addressProblems(value: (name: string) => string | undefined): string[] {
  const problems: string[] = [];
  let account = value('accountname');
  for (const service of ['blob', 'table'] as const) {
    const address = value(`${service}endpoint`);
    if (address === undefined) continue;
    const problem = addressProblem(address, service);
    if (problem) {
      problems.push(`has a ${service} endpoint that ${problem}`);
      continue;
    }
    const named = accountOfAzure(address);
    if (named !== undefined && account !== undefined && named !== account) {
      const first = value('accountname') === undefined ? 'blob endpoint' : 'AccountName';
      problems.push(`has a ${service} endpoint of another account than its ${first}`);
    }
    account ??= named;
  }
  const [sas, blobs] = [value('sharedaccesssignature'), value('blobendpoint') ?? value('defaultendpointsprotocol')];
  if (sas && new URLSearchParams(sas).get('spr') === 'https' && /^http(?:$|:)/i.test(blobs ?? 'https')) {
    problems.push('has a SharedAccessSignature for https only (spr), and an http address; use https');
  }
  return problems;
}
