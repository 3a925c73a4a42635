import { createHmac } from 'node:crypto';

/** The headers of a webhook by the Standard Webhooks specification. `secret` is `whsec_` and the key in Base64. */
export function signedHeaders(secret: string, { id, at, body }: { id: string; at: Date; body: string }) {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
