import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, test } from 'vitest';
import type { Channel } from '#config/notify.ts';
import type { Condition, Severity } from '#domain/watch/conditions.ts';
import { idAsUuid } from '#domain/watch/id-as-uuid.ts';
import type { Message, NoticeType } from '#domain/watch/notices.ts';
import { composed } from '#notify/messages.ts';
import { notifierOf } from '#notify/notifier.ts';
import { pingRequest } from '#notify/ping.ts';
import { NotTaken, post } from '#notify/post.ts';

const KEY = Buffer.from('an-entirely-secret-key-of-32-byt');
const SECRET = `whsec_${KEY.toString('base64')}`;
const NOW = new Date('2026-11-29T02:15:00Z');
const SENDING = { instance: 'production', now: NOW, token: async (scope: string) => `token for ${scope}` };

const CONDITION: Condition = {
  id: 'overdue/backup/tables',
  condition: 'overdue',
  severity: 'error',
  job: 'tables',
  since: '2026-11-29T02:00:00.000Z',
  title: 'tables: the backup is overdue',
  message: 'It was due at <02:00> & did not *start*.',
  hint: 'Start it: POST /api/jobs/tables/runs.',
};

function messageOf(type: NoticeType = 'opened', count = 1): Message {
  const notice = { id: 'msg_1', channel: 'c', type, at: NOW.toISOString(), condition: CONDITION };
  return { id: 'msg_1', channel: 'c', notices: Array.from({ length: count }, () => notice) };
}

const channel = (kind: Channel['kind'], more: Partial<Channel> = {}): Channel => ({
  ...{ name: 'c', kind, url: 'https://example.net/hook?key=1', secret: SECRET },
  ...more,
});

interface Received {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** A server that answers as told, and what it received. */
async function stub(answer: (response: ServerResponse, nth: number) => void) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      received.push({ method: request.method!, path: request.url!, headers: request.headers, body });
      answer(response, received.length);
    });
    response.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x-secret-path`, received };
}

const KINDS = ['webhook', 'teams', 'slack', 'ntfy', 'email'] as const;
const FIELDS = { token: 'tk_1', from: 'backups@example.net', to: ['ops@example.net'] };

async function sendTo(kind: Channel['kind'], url: string): Promise<string | undefined> {
  const waits: number[] = [];
  try {
    const request = await composed(channel(kind, { ...FIELDS, url }), messageOf(), SENDING);
    await post(request, async (ms) => waits.push(ms));
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(NotTaken);
    expect((error as Error).message).not.toContain('secret-path');
    return `${(error as Error).message} after waits of ${waits.join(', ')}`;
  }
}

describe.each(KINDS)('a channel of kind %s', (kind) => {
  it('takes a message', async () => {
    const { url, received } = await stub((response) => response.writeHead(202).end());
    expect(await sendTo(kind, url)).toBeUndefined();
    expect(received).toHaveLength(1);
  });

  it('refuses, and is not asked again', async () => {
    const { url, received } = await stub((response) => response.writeHead(404).end('no such hook'));
    expect(await sendTo(kind, url)).toBe('HTTP 404 after waits of ');
    expect(received).toHaveLength(1);
  });

  it('redirects, and is not followed', async () => {
    const other = await stub((response) => response.writeHead(200).end());
    const { url, received } = await stub((response) => response.writeHead(307, { location: other.url }).end());
    expect(await sendTo(kind, url)).toContain('redirected with HTTP 307');
    expect([received.length, other.received.length]).toEqual([1, 0]);
  });

  it('throttles, and is waited for as it asks, within bounds', async () => {
    const { url, received } = await stub((response, nth) =>
      nth < 3
        ? response.writeHead(429, { 'retry-after': nth === 1 ? '7' : '86400' }).end()
        : response.writeHead(200).end(),
    );
    const waits: number[] = [];
    const request = await composed(channel(kind, { ...FIELDS, url }), messageOf(), SENDING);
    await post(request, async (ms) => waits.push(ms));
    expect(waits).toEqual([7_000, 15_000]);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
  });

  it('fails, and is tried three times', async () => {
    const { url, received } = await stub((response) => response.writeHead(500).end());
    expect(await sendTo(kind, url)).toBe('HTTP 500 after waits of 1000, 4000');
    expect(received).toHaveLength(3);
  });

  it('answers without end, and is not listened to', async () => {
    let ended = false;
    let written = 0;
    const { url } = await stub((response) => {
      response.writeHead(200);
      const more = setInterval(() => response.write('x'.repeat(2000), () => written++), 5);
      response.on('close', () => {
        clearInterval(more);
        ended = true;
      });
    });
    expect(await sendTo(kind, url)).toBeUndefined();
    await expect.poll(() => ended).toBe(true);
    // Not until the request takes too long: that would be two thousand.
    expect(written).toBeLessThan(500);
  });
});

test('a service that is not there is named without its address', async () => {
  const { url } = await stub(() => {});
  for (const close of open.splice(0)) close();
  expect(await sendTo('slack', url)).toBe('no connection (ECONNREFUSED) after waits of 1000, 4000');
});

test('a service that asks to try again, in whatever form, is tried again soon', async () => {
  const { url, received } = await stub((response, nth) =>
    nth === 1
      ? response.writeHead(408).end()
      : nth === 2
        ? response.writeHead(503, { 'retry-after': 'Sun, 29 Nov 2026 03:00:00 GMT' }).end()
        : response.writeHead(200).end(),
  );
  const waits: number[] = [];
  await post({ url, headers: {}, body: '' }, async (ms) => waits.push(ms));
  expect([received.length, waits]).toEqual([3, [1_000, 4_000]]);
});

test('a service that hangs is left after ten seconds', { tags: ['slow'], timeout: 60_000 }, async () => {
  const { url, received } = await stub(() => {});
  const began = performance.now();
  expect(await sendTo('webhook', url)).toContain('no answer within 10 s');
  expect(performance.now() - began).toBeGreaterThan(29_000);
  expect(received).toHaveLength(3);
});

/** As the specification of Standard Webhooks says, and without our code. */
function isSigned({ headers, body }: { headers: Record<string, string>; body: string }, key: Buffer): boolean {
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const wanted = createHmac('sha256', key).update(Buffer.from(content, 'utf8')).digest();
  return headers['webhook-signature']!.split(' ').some((each) => {
    const [version, signature = ''] = each.split(',');
    const given = Buffer.from(signature, 'base64');
    return version === 'v1' && given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}

test('a webhook is signed by the specification', async () => {
  const request = await composed(channel('webhook'), messageOf(), SENDING);
  expect(isSigned(request, KEY)).toBe(true);
  expect(isSigned(request, Buffer.alloc(32))).toBe(false);
  expect(isSigned({ ...request, body: `${request.body} ` }, KEY)).toBe(false);
  expect(request.headers).toMatchObject({ 'webhook-id': 'msg_1', 'webhook-timestamp': String(NOW.getTime() / 1000) });
  expect(JSON.parse(request.body)).toEqual({
    type: 'strongroom.condition.opened',
    timestamp: '2026-11-29T02:15:00.000Z',
    instance: 'production',
    data: { ...CONDITION, state: 'open', at: '2026-11-29T02:15:00.000Z' },
  });
  const { hint: _, ...known } = CONDITION;
  const closed = JSON.parse((await composed(channel('webhook'), messageOf('closed'), SENDING)).body);
  expect(closed.data).toEqual({
    ...known,
    message: 'It was open since 2026-11-29T02:00:00.000Z, and closed at 2026-11-29T02:15:00.000Z.',
    ...{ state: 'closed', at: '2026-11-29T02:15:00.000Z' },
  });
});

test('the signature is that of the example of the specification', async () => {
  // From the test vector that the libraries of the specification share.
  const { signedHeaders } = await import('#notify/standard-webhook.ts');
  const headers = signedHeaders('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    at: new Date(1614265330 * 1000),
    body: '{"test": 2432232314}',
  });
  expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test('a digest is one webhook with every condition', async () => {
  const { body } = await composed(channel('webhook'), messageOf('opened', 3), SENDING);
  expect(JSON.parse(body)).toMatchObject({ type: 'strongroom.digest', data: [{ id: CONDITION.id }, {}, {}] });
});

test('a digest that is too long says how much it leaves out, in what each kind of channel takes', async () => {
  const long = { ...CONDITION, message: 'm'.repeat(300), hint: 'ü'.repeat(400) };
  const notice = { id: 'msg_1', channel: 'c', type: 'opened' as const, at: NOW.toISOString(), condition: long };
  const bodyOf = async (kind: Channel['kind'], count: number) => {
    const message = { id: 'msg_1', channel: 'c', notices: Array.from({ length: count }, () => notice) };
    return (await composed(channel(kind, FIELDS), message, SENDING)).body;
  };
  const teams = await bodyOf('teams', 100);
  expect(Buffer.byteLength(teams)).toBeLessThan(28_000);
  expect(Buffer.byteLength(teams)).toBeGreaterThan(20_000);
  const shown = teams.split(CONDITION.title).length - 1;
  expect(teams).toContain(`and ${100 - shown} more: see GET /api/overview`);
  const { blocks } = JSON.parse(await bodyOf('slack', 100));
  expect(blocks.length).toBeLessThanOrEqual(50);
  expect(blocks.at(-2).text.text).toBe('and 70 more: see GET /api/overview');
  for (const kind of ['teams', 'slack'] as const) expect(await bodyOf(kind, 10)).not.toContain('more: see');
  const ntfy = await bodyOf('ntfy', 100);
  expect(Buffer.byteLength(ntfy)).toBeLessThanOrEqual(4096);
  for (const kind of ['webhook', 'email'] as const)
    expect((await bodyOf(kind, 100)).split(CONDITION.title)).toHaveLength(101);
  // One alone is never left out.
  const huge = { ...notice, condition: { ...long, title: 't'.repeat(200), hint: 'h'.repeat(30_000) } };
  const alone = { id: 'msg_1', channel: 'c', notices: [huge] };
  expect((await composed(channel('teams'), alone, SENDING)).body).toContain('mmm');
  const [header, section] = JSON.parse((await composed(channel('slack'), alone, SENDING)).body).blocks;
  expect([header.text.text.length, section.text.text.length]).toEqual([150, 3000]);
});

test('a message says whether it is new, repeated or over, and a digest shows the worst that is open', async () => {
  const of = (type: NoticeType, severity: Severity) => ({
    ...{ id: 'msg_1', channel: 'c', type, at: NOW.toISOString() },
    condition: { ...CONDITION, severity },
  });
  const ntfy = async (notices: Message['notices']) =>
    composed(channel('ntfy'), { id: 'msg_1', channel: 'c', notices }, SENDING);
  expect((await ntfy([of('repeated', 'error')])).headers.title).toBe(`Still: ${CONDITION.title}`);
  const over = await ntfy([of('closed', 'critical')]);
  expect(over.headers.title).toBe(`Over: ${CONDITION.title}`);
  expect(over.body).toContain('It was open since');
  expect(over.body).not.toContain(CONDITION.hint);
  const digest = await ntfy([of('opened', 'warning'), of('opened', 'error'), of('closed', 'critical')]);
  expect(digest.headers).toMatchObject({ title: 'Strongroom: 3 messages', priority: '4' });
  expect(digest.body.split('\n').filter((line) => line.endsWith(CONDITION.title))).toEqual([
    ...[CONDITION.title, CONDITION.title],
    `Over: ${CONDITION.title}`,
  ]);
  const repeated = await composed(channel('webhook'), messageOf('repeated'), SENDING);
  expect(JSON.parse(repeated.body)).toMatchObject({ type: 'strongroom.condition.repeated', data: { state: 'open' } });
});

test('Teams gets an adaptive card whose text is no Markdown', async () => {
  const { body } = await composed(channel('teams'), messageOf(), SENDING);
  const { type, attachments } = JSON.parse(body);
  expect([type, attachments[0].contentType]).toEqual(['message', 'application/vnd.microsoft.card.adaptive']);
  expect(attachments[0].content).toMatchObject({
    type: 'AdaptiveCard',
    version: '1.4',
    body: [{ text: CONDITION.title, color: 'attention' }, {}, {}, { text: 'production' }],
  });
  expect(body).toContain('did not \\\\*start\\\\*');
});

test('Slack gets escaped text', async () => {
  const { body } = await composed(channel('slack'), messageOf('closed'), SENDING);
  expect(JSON.parse(body)).toMatchObject({
    text: `Over: ${CONDITION.title}`,
    blocks: [{ type: 'header' }, { type: 'section' }, { type: 'context' }],
  });
  const opened = await composed(channel('slack'), messageOf(), SENDING);
  expect(opened.body).toContain('&lt;02:00&gt; &amp; did not');
});

test('ntfy gets a title, a priority and a token', async () => {
  const { headers, body } = await composed(channel('ntfy', { token: 'tk_1' }), messageOf(), SENDING);
  expect(headers).toMatchObject({
    title: CONDITION.title,
    priority: '4',
    tags: 'warning',
    authorization: 'Bearer tk_1',
  });
  expect(body).toContain(CONDITION.hint);
  const closed = await composed(channel('ntfy'), messageOf('closed'), SENDING);
  expect(closed.headers).toMatchObject({ priority: '2', tags: 'white_check_mark' });
});

test('email goes through Communication Services with the identity, and a repeated request sends nothing twice', async () => {
  const mail = channel('email', { ...FIELDS, url: 'https://acs.communication.azure.com/' });
  const { url, headers, body } = await composed(mail, messageOf(), SENDING);
  expect(url).toBe('https://acs.communication.azure.com/emails:send?api-version=2023-03-31');
  expect(headers.authorization).toBe('Bearer token for https://communication.azure.com/.default');
  expect(headers['operation-id']).toBe(idAsUuid('msg_1'));
  expect(JSON.parse(body)).toMatchObject({
    senderAddress: 'backups@example.net',
    recipients: { to: [{ address: 'ops@example.net' }] },
    content: { subject: CONDITION.title },
  });
});

const LINK = 'https://backups.example.net/ui';

describe('a link', () => {
  const withLink = { ...SENDING, link: LINK };
  const bodyOf = async (kind: Channel['kind'], sending: typeof SENDING = withLink) =>
    JSON.parse((await composed(channel(kind, FIELDS), messageOf(), sending)).body);

  it('is where each kind of channel has room for one', async () => {
    expect((await bodyOf('webhook')).data).toMatchObject({ id: CONDITION.id, link: LINK });
    expect((await bodyOf('teams')).attachments[0].content.actions).toEqual([
      { type: 'Action.OpenUrl', title: 'Open Strongroom', url: LINK },
    ]);
    expect((await bodyOf('slack')).blocks.at(-1)).toEqual({
      type: 'actions',
      elements: [{ type: 'button', text: { type: 'plain_text', text: 'Open Strongroom' }, url: LINK }],
    });
    expect((await composed(channel('ntfy'), messageOf(), withLink)).headers.click).toBe(LINK);
    expect((await bodyOf('email')).content.plainText).toContain(`\n\n${LINK}\n\n`);
  });

  it.each(KINDS)('is nowhere in a message of kind %s if none is configured', async (kind) => {
    const { headers, body } = await composed(channel(kind, FIELDS), messageOf(), SENDING);
    expect(JSON.stringify({ headers, body })).not.toMatch(/link|click|actions|Open Strongroom/);
  });
});

describe('the end of a run', () => {
  const ended = (severity: Severity, condition: 'restored' | 'cancelled' = 'restored'): Message => {
    const subject = { ...CONDITION, id: `${condition}/r`, condition, severity, title: 'tables: a restore' };
    const notice = { id: 'msg_1', channel: 'c', type: 'ended' as const, at: NOW.toISOString(), condition: subject };
    return { id: 'msg_1', channel: 'c', notices: [notice] };
  };

  it('is a webhook of its own type', async () => {
    const { body } = await composed(channel('webhook'), ended('info'), SENDING);
    expect(JSON.parse(body)).toMatchObject({
      type: 'strongroom.run.ended',
      data: { id: 'restored/r', condition: 'restored', state: 'ended', hint: CONDITION.hint },
    });
  });

  it.each([
    ['info', 'restored', 'good', '2', 'white_check_mark'],
    ['info', 'cancelled', 'default', '2', 'warning'],
    ['warning', 'restored', 'warning', '3', 'warning'],
    ['error', 'restored', 'attention', '4', 'warning'],
  ] as const)('with the severity %s, of what was %s, looks so', async (severity, condition, color, priority, tags) => {
    const teams = JSON.parse((await composed(channel('teams'), ended(severity, condition), SENDING)).body);
    expect(teams.attachments[0].content.body[0]).toMatchObject({ text: 'tables: a restore', color });
    const { headers } = await composed(channel('ntfy'), ended(severity, condition), SENDING);
    expect(headers).toMatchObject({ title: 'tables: a restore', priority, tags });
  });
});

test('a summary is a digest, with a line for each job', async () => {
  const subject = { ...CONDITION, id: 'summary/c', condition: 'summary' as const, severity: 'info' as const };
  const condition = { ...subject, title: 'All is well: 2 jobs', message: 'a: fine\nb: fine' };
  const notice = { id: 'msg_1', channel: 'c', type: 'summary' as const, at: NOW.toISOString(), condition };
  const message = { id: 'msg_1', channel: 'c', notices: [notice] };
  const bodyOf = async (kind: Channel['kind']) =>
    JSON.parse((await composed(channel(kind, FIELDS), message, SENDING)).body);
  expect(await bodyOf('webhook')).toMatchObject({
    type: 'strongroom.digest',
    data: [{ id: 'summary/c', state: 'summary', message: condition.message }],
  });
  const { body } = (await bodyOf('teams')).attachments[0].content;
  expect(body.map(({ text }: { text: string }) => text)).toEqual([
    condition.title,
    ...['a: fine', 'b: fine', CONDITION.hint, 'production'],
  ]);
  expect(body[0].color).toBe('good');
});

describe('a name of a container that a service made up', () => {
  const HOSTILE = [
    'line\r\nX-Injected: 1\n\nbreak',
    'right\u202eto left\u2066',
    'nul\u0000 bell\u0007 escape\u001b[2J',
    'invisible\u200b\ufeff\u2028\u2029',
    'half\ud800',
    '<!channel> <https://evil.example|click> @here #general',
    '*bold* _it_ ~no~ `code` [click](https://evil.example)',
    '</title><script>alert(1)</script>',
    '","severity":"info","x":"',
    '=?UTF-8?B?ZXZpbA==?=',
  ];
  const messageAbout = (name: string): Message => {
    const condition = { ...CONDITION, title: `tables: ${name}`, message: `${name}: denied`, hint: `See ${name}` };
    const notice = { id: 'msg_1', channel: 'c', type: 'opened' as const, at: NOW.toISOString(), condition };
    return { id: 'msg_1', channel: 'c', notices: [notice] };
  };
  /** The texts in a value of JSON. */
  const textsIn = (value: unknown): string[] =>
    typeof value === 'string'
      ? [value]
      : value && typeof value === 'object'
        ? Object.values(value).flatMap(textsIn)
        : [];

  it.each(KINDS)('is only text in a message of kind %s', async (kind) => {
    const plain = await composed(channel(kind, FIELDS), messageAbout('images'), SENDING);
    const server = await stub((response) => response.writeHead(200).end());
    for (const name of HOSTILE) {
      const { url, headers, body } = await composed(channel(kind, FIELDS), messageAbout(name), SENDING);
      expect(url).toBe(plain.url);
      expect(Object.keys(headers)).toEqual(Object.keys(plain.headers));
      for (const value of Object.values(headers)) expect(value).toMatch(/^[\x20-\x7e]*$/);
      // No line, mark or half of a character that shows itself as something else.
      const texts = kind === 'ntfy' ? body.split('\n') : textsIn(JSON.parse(body)).flatMap((text) => text.split('\n'));
      for (const text of texts) expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      expect(texts.length).toBe(
        (kind === 'ntfy' ? plain.body.split('\n') : textsIn(JSON.parse(plain.body)).flatMap((text) => text.split('\n')))
          .length,
      );
      if (kind === 'webhook') expect(JSON.parse(body).data).toMatchObject({ severity: 'error', job: 'tables' });
      if (kind === 'teams') {
        for (const { text } of JSON.parse(body).attachments[0].content.body)
          expect(text).not.toMatch(/(?<!\\)[*_[\]`~#]/);
      }
      if (kind === 'slack') {
        for (const { text } of JSON.parse(body).blocks) {
          if (text?.type !== 'mrkdwn') continue;
          expect(text.verbatim).toBe(true);
          expect(text.text).not.toMatch(/[<>]|&(?!(amp|lt|gt);)/);
        }
      }
      await post({ url: server.url, headers, body });
      expect(server.received.at(-1)!.body).toBe(body);
    }
  });
});

describe('a ping', () => {
  it.each([
    ['start', '/uuid/start'],
    ['success', '/uuid'],
    ['fail', '/uuid/fail'],
    ['log', '/uuid/log'],
  ] as const)('of %s goes to %s, and its rid is that of the run', (event, path) => {
    const { url, body } = pingRequest('https://hc.example/uuid?create=1', { event, run: 'nightly-1', body: 'text' });
    expect(url).toBe(`https://hc.example${path}?create=1&rid=${idAsUuid('nightly-1')}`);
    expect(body).toBe('text');
  });

  it('to an address that ends in a slash, or with a long text, has what a check takes', () => {
    const { url, body } = pingRequest('https://hc.example/uuid/', {
      event: 'fail',
      run: 'r',
      body: 'x'.repeat(20_000),
    });
    expect(url).toMatch(/^https:\/\/hc\.example\/uuid\/fail\?/);
    expect(body).toHaveLength(10_000);
  });

  it('has a UUID of version 5', () => {
    expect(idAsUuid('a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(idAsUuid('a')).not.toBe(idAsUuid('b'));
  });

  it('is sent by HTTP', async () => {
    const { url, received } = await stub((response) => response.writeHead(200).end());
    await notifierOf(() => SENDING).ping(url, { event: 'fail', run: 'r', body: 'why' });
    expect(received).toMatchObject([{ method: 'POST', body: 'why' }]);
    expect(received[0]!.path).toMatch(/^\/x-secret-path\/fail\?rid=/);
  });
});
