/**
 * Removes secrets from text for people or logs: shared access signatures, account and function keys, and authorization
 * headers, in plain text, JSON (also JSON within JSON) and URL-encoded. This is the last line of defense: secrets do
 * not belong into text in the first place. Redacting text twice changes nothing.
 */

const GONE = 'REDACTED';

/** One value up to the next separator, which may be URL-encoded once or several times. Not a redacted one. */
const VALUE = String.raw`(?!REDACTED)(?:(?!%(?:25)*(?:2[026]|3B))[^\s"'<>&;,\\()[\]{}|])+`;
/** As VALUE, for values that are queries themselves. */
const QUERY_VALUE = String.raw`(?!REDACTED)(?:(?!%(?:25)*(?:2[02]|3B))[^\s"'<>;\\])+`;
const EQUALS = '(?:=|%(?:25)*3D)';
/** Between a name and its value in a connection string, a query, a header, or JSON. */
const BETWEEN = String.raw`(?:\\*["']?\s*[:=]\s*\\*["']?|%(?:25)*3[AD](?:%(?:25)*20)*)`;
/** Before a short name, which must not be the end of a longer word. */
const START = String.raw`(?:(?<![A-Za-z\d_])|(?<=%(?:25)*(?:26|3F|3B|22|20))|(?<=\\u0026|\\[nrt]))`;
const AFTER_QUERY_MARK = String.raw`(?<=[?&]|&amp;|\\u0026|%(?:25)*(?:3F|26))`;

const RULES: [RegExp, string][] = [
  [rule(`(SharedAccessSignature${BETWEEN})${QUERY_VALUE}`), `$1${GONE}`],
  [rule(`(AccountKey${BETWEEN}|${START}sig${EQUALS}|["']sig\\\\*["']\\s*:\\s*\\\\*["'])${VALUE}`), `$1${GONE}`],
  [rule(`((?:x-functions-key|client_secret)${BETWEEN})${VALUE}`), `$1${GONE}`],
  [rule(`(${AFTER_QUERY_MARK}code${EQUALS})${VALUE}`), `$1${GONE}`],
  // Outside of a query, only what looks like a function key: "code=BlobNotFound" is not a secret.
  [rule(`(${START}code=)(?!REDACTED)(?=[^\\s&]*\\d)[\\w+/=%-]{20,}`), `$1${GONE}`],
  [
    rule(
      `(Authorization${BETWEEN})` +
        `(?:(?:Bearer|Basic|Digest|Negotiate|SharedKeyLite|SharedKey)(?:\\s|%(?:25)*20|\\+)+)?${VALUE}`,
    ),
    `$1${GONE}`,
  ],
  [rule(`(SharedKey(?:Lite)?(?:\\s|%(?:25)*20|\\+)+[a-z\\d-]+(?::|%(?:25)*3A))${VALUE}`), `$1${GONE}`],
  // Long, or with a digit: "Bearer authentication" is not a secret.
  [
    rule(
      '(Bearer(?:\\s|%(?:25)*20|\\+)+)(?!REDACTED)' +
        '(?:[\\w.~+/-]{24,}|(?=[a-z_.~+/-]*\\d)[\\w.~+/-]{8,})(?:=|%(?:25)*3D)*',
    ),
    `$1${GONE}`,
  ],
];

function rule(source: string): RegExp {
  return new RegExp(source, 'gi');
}

export function redact(text: string): string {
  return RULES.reduce((safe, [pattern, replacement]) => safe.replace(pattern, replacement), text);
}
