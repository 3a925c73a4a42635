import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { app, type HttpFunctionOptions, type HttpRequest, type HttpResponseInit } from '@azure/functions';
import { etagOf, isNotModified } from './http/not-modified.ts';

/** Where the page is. Never a route that takes everything at the root: it would take those of the host, too. */
const ROOT = '/ui/';
const DOCUMENT = 'index.html';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** The compressions of the build by the name that browsers have for them, the smallest first. */
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

/**
 * Nothing from elsewhere, nothing inline, and no text that becomes markup or code: names of blobs are shown here, and
 * the answers of the API are names of blobs.
 */
const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

/** The files of the page by name, with their compressed forms. */
type Files = ReadonlyMap<string, Buffer>;

const OPEN = { methods: ['GET', 'HEAD'], authLevel: 'anonymous' } satisfies Omit<HttpFunctionOptions, 'handler'>;

/** Registers the page: static files, which anyone may read. What it shows comes from the API. */
export function registerPage(folder: string): void {
  const answer = pageHandler(folder);
  app.http('page', { ...OPEN, route: 'ui/{*path}', handler: async (request) => answer(request) });
  const away = { status: 302, headers: { location: ROOT } };
  app.http('page_home', { ...OPEN, route: '/', handler: async () => away });
}

export function pageHandler(folder: string): (request: HttpRequest) => HttpResponseInit {
  let files: Files | undefined;
  return (request) => {
    files ??= readFiles(folder);
    const { body, ...head } = answerOf(request, files);
    // A monitor asks for the head alone.
    return request.method === 'HEAD' || body === undefined ? head : { ...head, body };
  };
}

/** All of them, once: they are small, and the deployed ones never change. */
function readFiles(folder: string): Files {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
}

function answerOf({ params, headers }: HttpRequest, files: Files): HttpResponseInit {
  const path = params.path ?? '';
  const ending = extname(path);
  // Any other address is one of the screens, which only the page knows.
  const name = ending === '.js' || ending === '.css' ? path : DOCUMENT;
  const content = files.get(name);
  if (content === undefined) {
    return { status: 404, headers: { ...HEADERS, 'cache-control': 'no-store', 'content-type': 'text/plain' } };
  }
  const isDocument = name === DOCUMENT;
  const etag = etagOf(content);
  const sent = {
    ...HEADERS,
    'content-type': TYPES[extname(name)]!,
    vary: 'accept-encoding',
    // The names of the others change with their content.
    'cache-control': isDocument ? 'no-cache' : 'public, max-age=31536000, immutable',
    // Weak: it names the file, in whichever compression.
    etag: `W/${etag}`,
  };
  if (isNotModified(headers.get('if-none-match'), etag)) return { status: 304, headers: sent };
  const accepted = headers.get('accept-encoding') ?? '';
  for (const [encoding, suffix] of ENCODINGS) {
    const compressed = files.get(name + suffix);
    if (compressed === undefined || !accepts(accepted, encoding)) continue;
    return { status: 200, headers: { ...sent, 'content-encoding': encoding }, body: compressed };
  }
  return { status: 200, headers: sent, body: content };
}

function accepts(header: string, encoding: string): boolean {
  return header.split(',').some((each) => {
    const [name = '', quality = ''] = each
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/);
    return name === encoding && !/^q=0(\.0*)?$/.test(quality);
  });
}
