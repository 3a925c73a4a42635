const BASE64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/;

/** The text of a message; undefined if it does not have the configured encoding, or is not text. */
export function decodeMessage(content: string, encoding: 'base64' | 'none'): string | undefined {
  if (encoding === 'none') return content;
  const digits = content.replace(/\s/g, '');
  if (!BASE64.test(digits)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(digits, 'base64'));
  } catch {
    return undefined;
  }
}

export function encodeMessage(text: string, encoding: 'base64' | 'none'): string {
  return encoding === 'none' ? text : Buffer.from(text).toString('base64');
}
