import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redact } from '#domain/redact.ts';

const base64 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const token = fc
  .string({ unit: fc.constantFrom(...'abcXYZ019_-'), minLength: 30, maxLength: 60 })
  .map((text) => `eyJ0${text}.x9.${text}`);

/** A secret in the shapes in which it meets text. */
const shapes: ((secret: string) => string)[] = [
  (key) => `DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=${key};EndpointSuffix=core.windows.net`,
  (key) => `accountkey = ${key}`,
  (key) => JSON.stringify({ AccountKey: key }),
  (key) => JSON.stringify({ message: JSON.stringify({ accountKey: key }) }),
  (key) => `https://acct.blob.core.windows.net/c/b?sv=2025-05-05&sig=${encodeURIComponent(key)}&se=2026`,
  (key) => `https://acct.blob.core.windows.net/c/b?sig=${key}`,
  (key) => `"https://a/c/b?sig=${encodeURIComponent(key)}"`,
  (key) => `GET /x?from=${encodeURIComponent(`https://a/c/b?sv=1&sig=${encodeURIComponent(key)}&sp=r`)}&z=1`,
  (key) => `x=${encodeURIComponent(encodeURIComponent(`https://a/b?sv=1&sig=${encodeURIComponent(key)}&sp=r`))}`,
  (key) => `<a href="https://a/b?sv=1&amp;sig=${encodeURIComponent(key)}&amp;sp=r">`,
  (key) => `{"url":"https://a/b?sv=1\\u0026sig=${encodeURIComponent(key)}\\u0026sp=r"}`,
  (key) => JSON.stringify({ sig: key, sp: 'r' }),
  (key) => JSON.stringify(JSON.stringify({ sig: key })),
  (key) => JSON.stringify({ text: `lines\nsig=${key}` }),
  (key) => `BlobEndpoint=https://a/;SharedAccessSignature=sv=2025&ss=b&sig=${encodeURIComponent(key)}&se=2026;X=y`,
  (key) => `https://app.azurewebsites.net/api/runs?code=${encodeURIComponent(key)}&x=1`,
  (key) => `https://app/runtime/webhooks?task=a&code=${key}`,
  (key) => `the key code=Az9${key}`,
  (key) => `x-functions-key: ${key}`,
  (key) => JSON.stringify({ headers: { 'x-functions-key': key } }),
  (key) => `Authorization: SharedKey acct:${key}`,
  (key) => `authorization: 'SharedKeyLite acct:${key}',`,
  (key) => JSON.stringify({ Authorization: `SharedKey acct:${key}` }),
  (key) => JSON.stringify(['authorization', `SharedKey acct:${key}`]),
  (key) => `signed as SharedKey acct:${key} at noon`,
  (key) => encodeURIComponent(`Authorization: SharedKey acct:${key}`),
];
const tokenShapes: ((secret: string) => string)[] = [
  (secret) => `Authorization: Bearer ${secret}`,
  (secret) => `authorization=${secret}`,
  (secret) => JSON.stringify({ authorization: `Bearer ${secret}` }),
  (secret) => `x-ms-copy-source-authorization: Bearer ${secret}`,
  (secret) => `sent bearer ${secret}, and was refused`,
  (secret) => `Bearer%20${secret}`,
  (secret) => `client_secret=${secret}&grant_type=x`,
];

/** Whether any piece of the secret that is long enough to matter is still to be seen, encoded or not. */
function leaks(text: string, secret: string): boolean {
  const seen = [text, ...decoded(text)].join('\n');
  for (let at = 0; at + 12 <= secret.length; at++) if (seen.includes(secret.slice(at, at + 12))) return true;
  return false;
}

function decoded(text: string): string[] {
  const once = text.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return once === text ? [] : [once, ...decoded(once)];
}

describe('redact', () => {
  const around = fc.constantFrom('', ' ', 'failed: ', '\n', '(', 'GET ');

  it('leaves nothing of a key in any shape, and nothing more to do', () => {
    fc.assert(
      fc.property(base64, fc.constantFrom(...shapes), around, around, (key, shape, before, after) => {
        const text = `${before}${shape(key)}${after}`;
        expect(leaks(text, key)).toBe(true);
        const safe = redact(text);
        expect({ safe, leaks: leaks(safe, key) }).toEqual({ safe, leaks: false });
        expect(redact(safe)).toBe(safe);
      }),
      { numRuns: 3000 },
    );
  });

  it('leaves nothing of a token in any shape, and nothing more to do', () => {
    fc.assert(
      fc.property(token, fc.constantFrom(...tokenShapes), around, around, (secret, shape, before, after) => {
        const safe = redact(`${before}${shape(secret)}${after}`);
        expect({ safe, leaks: leaks(safe, secret) }).toEqual({ safe, leaks: false });
        expect(redact(safe)).toBe(safe);
      }),
      { numRuns: 1000 },
    );
  });

  it('takes only the secret', () => {
    expect(redact('https://a/c/b?sv=1&sig=ab%2Bc%3D&se=2')).toBe('https://a/c/b?sv=1&sig=REDACTED&se=2');
    expect(redact('AccountName=acct;AccountKey=abc==;EndpointSuffix=x')).toBe(
      'AccountName=acct;AccountKey=REDACTED;EndpointSuffix=x',
    );
    expect(redact('{"sig":"abc","x":1}')).toBe('{"sig":"REDACTED","x":1}');
    expect(redact('Authorization: SharedKey acct:abc=\r\nHost: a')).toBe('Authorization: REDACTED\r\nHost: a');
    expect(redact('SharedKey acct:abc= next')).toBe('SharedKey acct:REDACTED next');
    expect(redact('?code=abc&x=1')).toBe('?code=REDACTED&x=1');
    expect(redact('a%26sig%3Dabc%252B%26x%3D1')).toBe('a%26sig%3DREDACTED%26x%3D1');
  });

  it.each([
    'The copy of images/a b.jpg failed with status code 404 (code=BlobNotFound).',
    '{"code":"ContainerNotFound","sigma":"x","signature":"none"}',
    'design=good config=x sig',
    'WWW-Authenticate: Bearer authorization_uri=https://login.microsoftonline.com/t',
    'Bearer authentication is needed; a bearer of news',
    'exit code=1, design sig-off, SharedKey authentication',
    'https://a/b?sv=2025-05-05&se=2026-01-01&sp=r&comp=list&prefix=a%2Fb',
    'the account key is missing; AccountName=acct',
    'ünïcode 😀 \u0000 \n\r\t "quotes" \\ 100%',
  ])('leaves alone: %s', (text) => {
    expect(redact(text)).toBe(text);
  });

  it('leaves ordinary text alone, and is idempotent on any', () => {
    const piece = fc.constantFrom(
      'sig',
      'sig=',
      '"sig":"',
      'AccountKey=',
      'SharedAccessSignature=',
      '?code=',
      'Authorization: ',
      'Bearer ',
      'SharedKey a:',
      '&',
      ';',
      '"',
      ' ',
      '%3D',
      '%26',
      '\\',
      'REDACTED',
      'abc123',
      'x'.repeat(30),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 12 }), (pieces) => {
        const once = redact(pieces.join(''));
        expect(redact(once)).toBe(once);
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.array(fc.lorem()), fc.webUrl({ withQueryParameters: false }), (words, url) => {
        const text = `${words.join(' ')} ${url}`;
        expect(redact(text)).toBe(text);
      }),
    );
  });

  it('takes no time to speak of on long text', () => {
    const start = performance.now();
    for (const piece of ['sig=', 'Authorization:', 'Bearer a', 'code=1', '%2525', 'SharedKey ', '\\'])
      redact(piece.repeat(20_000));
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
