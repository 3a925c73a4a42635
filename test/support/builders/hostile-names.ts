import http from 'node:http';
import { buffer } from 'node:stream/consumers';

/** Names that anyone who may upload can choose, and that programs have handled wrongly. */
export const HOSTILE_NAMES: string[] = [
  // Dot segments, which clients resolve, and similar names.
  ...['.', '..', './', '../', './a', '../a', 'a/.', 'a/..', 'a/./b', 'a/../b', 'a/../../b', 'a/b/../../../c'],
  ...['../canary/x', '../../canary/x', 'a/../../canary/x', '../strongroom/locks/nightly.json', './../canary/x'],
  ...['../databackup/plain', '../data/plain', '/../canary/x', '//../canary/x', 'a/..//canary/x', '..//canary/x'],
  ...[
    '..a',
    'a..',
    '.a',
    'a.',
    '...',
    '....',
    'a...',
    '...a',
    'a/...',
    'a/.../b',
    'a/.b',
    'a./b',
    'a../b',
    '. .',
    '.. ',
  ],
  ...[' ..', ' .', '. /a', ' ../canary/x', '.hidden', '.hidden/.deeper/.txt', 'a.b.c.', 'ends in a dot./x'],
  // Encoded once, twice, and incorrectly.
  ...[
    '%',
    '%%',
    '%%%',
    '100%',
    '%2',
    '%2F',
    '%2f',
    '%252F',
    '%25252F',
    '%2e%2e',
    '%2e%2e/',
    '%2e%2e%2f',
    '..%2f',
    '..%2Fx',
  ],
  ...['a/%2e%2e/b', '%2e%2e%2fcanary%2fx', '..%2fcanary%2fx', '%252e%252e%252fcanary%252fx', '%5c', '..%5ccanary%5cx'],
  ...[
    '%00',
    '%0a',
    '%0d%0a',
    'a%0d%0aSet-Cookie: x=y',
    '%1b[31m',
    '%c0%ae%c0%ae%c0%afx',
    '%e2%82',
    '%zz',
    '%u002e',
    '%ff',
  ],
  ...['a%20b', 'a+b', 'a b', 'a%2Bb', '%41', '%7e', '~', '%3F', '%23', '%3Cscript%3E', '%E2%80%AE'],
  // Backslashes.
  ...['\\', 'a\\b', '..\\canary\\x', 'a\\..\\b', '\\\\host\\share', 'a/\\../b', 'C:\\windows\\win.ini', 'a\\', '\\a'],
  // Slashes.
  ...['/', '//', '///', '/a', '//a', 'a/', 'a//', 'a//b', 'a///b', '/a/', '//host/share', 'a/ /b', 'a/b//', '/./a'],
  // Prefixes of each other, and names that sort between them.
  ...['a', 'ab', 'abc', 'a!', 'a#', 'a$', 'a-', 'a0', 'a/b', 'a/b/', 'a/b/c', 'a b/', 'A', 'A/', 'A/B', 'aB', 'a/B'],
  // Blanks.
  ...[
    ' ',
    '  ',
    '     ',
    ' a',
    'a ',
    ' a ',
    'a  b',
    'a/ ',
    ' /a',
    ' / ',
    '\u00a0',
    'a\u00a0b',
    '\u2003',
    '\u3000',
    '\ufeff',
    '\ufeffa',
  ],
  // Characters with a meaning in addresses, queries, headers and patterns.
  ...[
    '?',
    '?x=y',
    'a?x=y&z',
    '#',
    '#frag',
    'a#b',
    '&',
    'a&b',
    '=',
    '+',
    '@',
    ':',
    ';',
    ',',
    '!',
    '$',
    "'",
    '(',
    ')',
    '*',
    '[',
    ']',
  ],
  ...[
    'a?comp=metadata',
    'a?snapshot=2026-01-01T00:00:00.0000000Z',
    'a?restype=container',
    'a?sig=abc&se=2030',
    '?comp=list',
  ],
  ...[
    'http://other/x',
    'https://user:pw@host/x?y#z',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'data:text/html,x',
    '//x@y:80/',
  ],
  ...[
    '*',
    '**',
    '**/*',
    'a*b',
    '{a,b}',
    '{container}',
    '[a-z]',
    '[!a]',
    '%SOURCE%',
    `\${VAULT}`,
    '$(id)',
    '`id`',
    '$root',
    '$web',
  ],
  // Text with a meaning in programs that show it: pages, spreadsheets, terminals, databases, logs.
  ...[
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '</Name><Name>b',
    '<Name>a</Name>',
    '&lt;a&gt;',
    '&amp;',
    '&#0;',
  ],
  ...[
    '&#x2e;&#x2e;/x',
    ']]>',
    '<![CDATA[x]]>',
    '<!-- -->',
    '<?xml?>',
    '<!DOCTYPE a>',
    '"',
    '""',
    '"a"',
    "'a'",
    "it's",
    '`',
    '|',
    '^',
  ],
  ...[
    '=cmd|/C calc!A0',
    '+1+1',
    '-1',
    '@SUM(1)',
    "' or 1=1 --",
    "'; drop table runs; --",
    '{"end":{"items":0}}',
    '[]',
    'null',
  ],
  ...[
    'undefined',
    'NaN',
    'true',
    'false',
    '0',
    '-0',
    '00',
    '1e3',
    '0x10',
    '1',
    '007',
    '__proto__',
    'constructor',
    'prototype',
  ],
  ...[
    'toString',
    'hasOwnProperty',
    '__proto__/polluted',
    '; rm -rf /',
    '--help',
    '-rf',
    '~/x',
    'a;b',
    'a,b',
    '"a","b"',
    'a:b',
    'a|b',
  ],
  // Reserved on some systems.
  ...[
    'con',
    'CON',
    'con/aux',
    'nul',
    'aux.txt',
    'prn',
    'com1',
    'lpt1.',
    'desktop.ini',
    '.git/config',
    '.htaccess',
    'web.config',
  ],
  // Names of our own objects.
  ...[
    'locks/nightly.json',
    'strongroom/locks/nightly.json',
    'strongroom',
    'jobs/nightly/runs/x/run.json',
    'run.json',
    'manifest',
  ],
  ...[
    '000000-slice.ndjson.gz',
    'plan/data/000000-00-aaaaaa.ndjson.gz',
    'databackup/x',
    'strongroom_etag',
    'end',
    'progress/data/x',
  ],
  // Cases and forms of one letter.
  ...[
    'Readme',
    'README',
    'readme',
    'é',
    'e\u0301',
    'É',
    'ß',
    'SS',
    'ss',
    'İ',
    'i',
    'ı',
    'ﬁ',
    'fi',
    'Å',
    '\u212b',
    'A\u030a',
    'ａ',
    'Ω',
    '\u2126',
  ],
  ...['ñ', 'n\u0303', '가', '\u1100\u1161', 'ǆ', 'ǅ', 'Ǆ', 'σ', 'ς', 'Σ', '½', '1⁄2', '²', '2'],
  // Marks that reorder, join, hide or separate text.
  ...[
    '\u202egnp.exe',
    'a\u202db',
    '\u2066a\u2069',
    '\u200b',
    'a\u200bb',
    'a\u200db',
    '\u200e',
    'a\u2060b',
    '\u00ad',
    'a\u034fb',
  ],
  ...[
    '\u2028',
    'a\u2028b',
    '\u2029',
    'a\u2029b',
    '\u180e',
    '\u115f',
    '\u3164',
    '\ufe0f',
    'a\u20e3',
    '\ufff9a\ufffab\ufffb',
    '\ufffd',
    '\ufffc',
  ],
  ...[
    'Z\u0351\u036b\u0343\u036a',
    `a${'\u0301'.repeat(200)}`,
    'עברית',
    'العربية',
    'ไทย',
    '日本語',
    '한국어',
    'हिन्दी',
    'ქართული',
  ],
  // Characters beyond the basic multilingual plane.
  ...[
    '😀',
    '👨‍👩‍👧‍👦',
    '🏳️‍🌈',
    '🇩🇪',
    '👍🏽',
    '𝕬',
    '𠀀',
    '\u{1f4a9}/\u{1f4a9}',
    '\u{e0041}',
    '\u{10fffd}',
    '\ue000',
    '\uf8ff',
    '\u{1d173}',
  ],
  ...['\ud7ff', '\uffef', '\uffee', '￼a', 'z\u{10000}', 'z\uffee'],
  // Control characters that XML can carry.
  ...['\u007f', 'a\u007fb', '\u0080', 'a\u0085b', '\u009b31m', 'a\u009fb', '\u0090q\u009c'],
  // Noncharacters, which are lost in some listings.
  ...['\ufdd0', 'a\ufdefb', '\u{1fffe}', '\u{10ffff}'],
  // Long names.
  ...[
    'x'.repeat(1024),
    `${'d/'.repeat(511)}x`,
    `${'d/'.repeat(120)}`,
    'é'.repeat(1000),
    '€'.repeat(340),
    '😀'.repeat(250),
  ],
  ...[
    `${'a'.repeat(1022)}/b`,
    `${'../'.repeat(300)}canary/x`,
    `${'a/'.repeat(100)}${'../'.repeat(101)}canary/x`,
    '%'.repeat(500),
  ],
  ...[
    '/'.repeat(200),
    `${' '.repeat(250)}x`,
    '.'.repeat(250),
    `${'%2e'.repeat(300)}`,
    `${'x'.repeat(250)}/${'y'.repeat(250)}`,
  ],
];

/**
 * Uploads a blob under exactly this name, which clients would rewrite. Returns the status: services refuse some names.
 */
export async function putRaw(containerUrl: string, name: string, content: string): Promise<number> {
  const headers = { 'x-ms-blob-type': 'BlockBlob', 'x-ms-version': '2021-12-02' };
  return (await send('PUT', addressOf(containerUrl, name), headers, content)).status;
}

/** The content under exactly this name, or undefined. */
export async function getRaw(containerUrl: string, name: string): Promise<string | undefined> {
  const { status, body } = await send('GET', addressOf(containerUrl, name), { 'x-ms-version': '2021-12-02' });
  return status === 200 ? body : undefined;
}

function addressOf(containerUrl: string, name: string) {
  const { hostname, port, pathname, search } = new URL(containerUrl);
  return { hostname, port, path: `${pathname}/${encodeURIComponent(name).replaceAll('%2F', '/')}${search}` };
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 8, timeout: 1_000 });

function send(method: string, to: http.RequestOptions, headers: Record<string, string>, content = '') {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const length = { 'content-length': String(Buffer.byteLength(content)) };
    const request = http.request({ ...to, agent, method, headers: { ...headers, ...length } }, (response) => {
      buffer(response).then((body) => resolve({ status: response.statusCode ?? 0, body: body.toString() }), reject);
    });
    request.on('error', reject).end(content);
  });
}
