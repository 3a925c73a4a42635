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

/**
 * Parses a connection string, or names every mistake in it, without its values: each completes "the app setting X …".
 * Without `now`, a signature that has expired is none.
 */
export function parseAccountString(text: string, now?: Date): { account: AccountString } | { problems: string[] } {
  const pasted = pastedProblems(text);
  if (pasted.length > 0) return { problems: pasted };
  const { parts, problems } = partsOf(text);
  if (parts.get('usedevelopmentstorage')?.toLowerCase() === 'true') return parseAccountString(EMULATOR);
  const value = (name: string) => parts.get(name) || undefined;
  const sas = value('sharedaccesssignature')?.replace(/^\?/, '');
  problems.push(...valueProblems(value, sas !== undefined));
  if (sas !== undefined) problems.push(...sasProblems(sas, now));
  if (problems.length > 0) return { problems };
  const [accountName, accountKey] = [value('accountname'), value('accountkey')];
  const address = (service: string) =>
    `${(value('defaultendpointsprotocol') ?? 'https').toLowerCase()}://${accountName}.${service}.` +
    (value('endpointsuffix') ?? 'core.windows.net');
  const given = value('blobendpoint');
  const blobEndpoint = plain(given ?? address('blob'));
  const tables = value('tableendpoint') ?? (given === undefined ? address('table') : tableAddressOf(given));
  return {
    account: {
      blobEndpoint,
      ...(tables !== undefined && { tableEndpoint: plain(tables) }),
      ...(accountName !== undefined && { accountName }),
      ...(accountKey !== undefined && { accountKey }),
      ...(sas !== undefined && { sas }),
    },
  };
}

/** The address of the tables of an account, if the address of its blobs shows it. A custom domain has no such rule. */
export function tableAddressOf(blobEndpoint: string): string | undefined {
  const url = new URL(blobEndpoint);
  if (!url.hostname.includes('.blob.')) return undefined;
  url.hostname = url.hostname.replace('.blob.', '.table.');
  return url.toString();
}

/** Why an address is not that of a service; undefined if it may be. Completes "has a … ". */
export function addressProblem(address: string, service: 'blob' | 'table'): string | undefined {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isPlain = url && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username && !url.password;
  if (!isPlain) return 'is not a plain http or https address';
  if (!/^(?:[a-z\d_-]+(?:\.[a-z\d_-]+)*|\[[\da-f:.]+\])$/i.test(url.hostname)) {
    return 'has a host with an empty label (a dot too many), quotes or other characters that no host has';
  }
  const other = url.hostname
    .split('.')
    .slice(1)
    .find((label) => /^(?:dfs|blob|table|queue|file|web)$/.test(label));
  if (other === undefined || other === service) return undefined;
  return `is the address of another service ("${other}"); use the one with ".${service}." instead`;
}

function plain(address: string): string {
  const url = new URL(address);
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/** Mistakes of copying the text from elsewhere, which would make every other message misleading. */
function pastedProblems(text: string): string[] {
  const trimmed = text.trim();
  const problems: string[] = [];
  if (/^["'`\u2018-\u201f]|["'`\u2018-\u201f]$/.test(trimmed)) {
    problems.push('is in quotes; remove them: neither Docker nor the environment does');
  }
  if (/&(?:amp|quot|lt|gt|apos|#\d+);/i.test(trimmed)) {
    problems.push('contains "&amp;" or the like, from XML or HTML; write "&" instead');
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this expression finds them
  if (/[\u0000-\u001f\u007f]/.test(trimmed)) {
    problems.push('contains a line break or another control character; write it in one line');
  }
  return problems;
}

function partsOf(text: string): { parts: Map<string, string>; problems: string[] } {
  const parts = new Map<string, string>();
  const problems: string[] = [];
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
  return { parts, problems: [...new Set(problems)] };
}

function valueProblems(value: (name: string) => string | undefined, isSigned: boolean): string[] {
  const problems: string[] = [];
  // A connection string with a signature needs no key, and no name if it has an endpoint.
  const missing = ['accountname', 'accountkey'].filter(
    (name) => !value(name) && !(isSigned && (name === 'accountkey' || value('blobendpoint'))),
  );
  if (missing.length > 0) {
    const names = missing.map((name) => KNOWN[name]).join(' and ');
    problems.push(
      `is not a complete connection string: it lacks ${names}; copy it from the access keys of the account`,
    );
  }
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
  if (!/^[a-z\d-]+(?:\.[a-z\d-]+)*$/i.test(value('endpointsuffix') ?? 'core.windows.net')) {
    problems.push('has an EndpointSuffix that is not the end of a host name, such as core.windows.net');
  }
  for (const service of ['blob', 'table'] as const) {
    const address = value(`${service}endpoint`);
    const problem = address === undefined ? undefined : addressProblem(address, service);
    if (problem) problems.push(`has a ${service} endpoint that ${problem}`);
  }
  return problems;
}
