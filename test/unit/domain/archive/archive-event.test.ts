import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArchiveEvent, isOfAccount, readEvents, rulesFor } from '#domain/archive/archive-event.ts';
import { HOSTILE_NAMES } from '../../../support/builders/hostile-names.ts';

const AZURE = 'https://acct.blob.core.windows.net';

/** As Event Grid puts it into a queue. */
function eventGrid(url: unknown, { type = 'Microsoft.Storage.BlobCreated', data = {} } = {}) {
  return {
    topic: '/subscriptions/x/resourceGroups/y/providers/Microsoft.Storage/storageAccounts/acct',
    subject: '/blobServices/default/containers/incoming/blobs/a.jpg',
    eventType: type,
    id: '831e1650-001e-001b-66ab-eeb76e069631',
    eventTime: '2026-11-21T15:30:12.1234567Z',
    dataVersion: '1',
    metadataVersion: '1',
    data: { api: 'PutBlockList', eTag: '0x8D4BCC2E4835CD0', blobType: 'BlockBlob', contentLength: 5, url, ...data },
  };
}

function cloudEvent(url: unknown) {
  const { topic, subject, eventType, id, eventTime, data } = eventGrid(url);
  return { specversion: '1.0', source: topic, subject, type: eventType, id, time: eventTime, data };
}

const read = (message: unknown) => readEvents(typeof message === 'string' ? message : JSON.stringify(message));

/** The one event of a message; fails where there is another number of them. */
function one(message: unknown): ArchiveEvent {
  const found = read(message);
  expect(found).toEqual({ events: [expect.anything()] });
  return (found as { events: ArchiveEvent[] }).events[0]!;
}

const at = (path: string, service = AZURE) => one(eventGrid(`${service}/${path}`));

describe('an event', () => {
  const upload = {
    account: 'acct.blob.core.windows.net',
    container: 'incoming',
    name: '2026/a.jpg',
    etag: '0x8D4BCC2E4835CD0',
  };
  const url = `${AZURE}/incoming/2026/a.jpg`;

  it.each([
    ['of Event Grid', eventGrid(url)],
    ['of Event Grid, in a list', [eventGrid(url)]],
    ['of CloudEvents', cloudEvent(url)],
    ['of CloudEvents, in a list', [cloudEvent(url)]],
    [
      'of a file system that was written through its own endpoint',
      eventGrid('https://acct.dfs.core.windows.net/incoming/2026/a.jpg', { data: { api: 'FlushWithClose' } }),
    ],
    ['with another ETag form', eventGrid(url, { data: { eTag: 'W/"0x8D4BCC2E4835CD0"' } })],
    ['by hand', { account: AZURE, container: 'incoming', name: '2026/a.jpg', etag: '"0x8D4BCC2E4835CD0"' }],
    ['behind a byte order mark', `\uFEFF${JSON.stringify(eventGrid(url))}`],
  ])('%s is read', (_, message) => {
    expect(read(message)).toEqual({ events: [upload] });
  });

  it.each([
    ['of CloudEvents', cloudEvent(url)],
    ['by hand', { container: 'incoming', name: '2026/a.jpg' }],
  ])('%s may name its trace', (_, message) => {
    const [id, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
    const traceparent = `00-${id}-${span}-01`;
    expect(one({ ...message, traceparent }).trace).toEqual({ id, span });
    expect(one({ ...message, traceparent, tracestate: 'a=1' }).trace).toEqual({ id, span, state: 'a=1' });
    for (const wrong of [`${traceparent}-`, 7, null, [traceparent], { id, span }]) {
      expect(one({ ...message, traceparent: wrong })).not.toHaveProperty('trace');
    }
  });

  it('of a renamed blob names the new name', () => {
    const { url: _, ...data } = eventGrid(undefined).data;
    const renamed = {
      ...eventGrid(undefined, { type: 'Microsoft.Storage.BlobRenamed' }),
      data: {
        ...data,
        eTag: undefined,
        api: 'RenameFile',
        sourceUrl: 'https://acct.dfs.core.windows.net/incoming/old',
        destinationUrl: 'https://acct.dfs.core.windows.net/incoming/new',
      },
    };
    expect(one(renamed)).toEqual({ account: 'acct.blob.core.windows.net', container: 'incoming', name: 'new' });
  });

  it('by hand may leave the account out, and its name is taken as it is', () => {
    expect(one({ container: 'incoming', name: 'a%20b+c/../d' })).toEqual({
      container: 'incoming',
      name: 'a%20b+c/../d',
    });
    expect(one({ container: 'incoming', name: 'a', account: 'acct', type: 'by hand' })).toEqual({
      account: 'acct',
      container: 'incoming',
      name: 'a',
    });
  });

  it.each([
    'Microsoft.Storage.BlobDeleted',
    'Microsoft.Storage.BlobTierChanged',
    'Microsoft.Storage.DirectoryRenamed',
    'Microsoft.EventGrid.SubscriptionValidationEvent',
    '__proto__',
    '',
  ])('of type %j is no upload', (type) => {
    expect(read({ ...eventGrid(url), eventType: type })).toEqual({ events: [] });
    expect(read([{ ...cloudEvent(url), type }, cloudEvent(url)])).toEqual({ events: [upload] });
  });

  it.each(['CreateFile', 'SftpCreate', 'SftpWrite'])('of %s comes before the content is whole', (api) => {
    expect(read(eventGrid(url, { data: { api } }))).toEqual({ events: [] });
  });

  it.each(['0x8DD', '"0x8DD"', 'W/"0x8DD"', 'W/0x8DD'])('has the ETag %s without its quotes', (etag) => {
    expect(one({ container: 'incoming', name: 'a', etag })).toMatchObject({ etag: '0x8DD' });
  });

  it.each(['0xW/8DD', 'x'.repeat(128)])('has the ETag %s as it is', (etag) => {
    expect(one({ container: 'incoming', name: 'a', etag })).toMatchObject({ etag });
  });

  it.each(['$root', '$web', '$logs', '$blobchangefeed'])('may be of the system container %s', (container) => {
    expect(one({ container, name: 'a' })).toEqual({ container, name: 'a' });
  });

  it.each([undefined, null, 7, {}, '', '""', 'a b', 'x'.repeat(129), 'a\nb', 'é', '"a"b', 'a"b"'])(
    'with %j for an ETag is one without',
    (eTag) => {
      expect(one(eventGrid(url, { data: { eTag } }))).not.toHaveProperty('etag');
      expect(one({ container: 'incoming', name: 'a', etag: eTag })).not.toHaveProperty('etag');
    },
  );

  it.each<[string, string]>([
    ['incoming/a%2Fb', 'a/b'],
    ['incoming/a%252Fb', 'a%2Fb'],
    ['incoming/100%25', '100%'],
    ['incoming/a+b%20c d', 'a+b c d'],
    ['incoming/%C3%A9%F0%9F%92%8E/é💎', 'é💎/é💎'],
    ['incoming/a/../b/./c', 'a/../b/./c'],
    ['incoming/%2e%2e/x', '../x'],
    ['incoming/../canary/x', '../canary/x'],
    ['incoming//a//b/', '/a//b/'],
    ['incoming/a\\b', 'a\\b'],
    ['incoming/a#1.txt', 'a#1.txt'],
    ['incoming/a%3Fb%231', 'a?b#1'],
    ['incoming/a?sv=1&sig=secret', 'a'],
    // What is no encoding stands for itself.
    ['incoming/100%', '100%'],
    ['incoming/%E0%A4%A', '%E0%A4%A'],
  ])('of %s names %j', (path, name) => {
    expect(at(path)).toMatchObject({ container: 'incoming', name });
  });

  it.each([
    [`${AZURE}/a.txt`, '$root', 'a.txt'],
    [`${AZURE}/$root/a.txt`, '$root', 'a.txt'],
    [`${AZURE}/%24web/index.html`, '$web', 'index.html'],
    ['http://127.0.0.1:10000/acct/a.txt', '$root', 'a.txt'],
  ])('of %s is in %s', (address, container, name) => {
    expect(one(eventGrid(address))).toMatchObject({ container, name });
  });
});

describe('a message', () => {
  it.each<[unknown, string]>([
    ['', 'not JSON'],
    ['{"container": ', 'not JSON'],
    ['null', 'not a valid event'],
    ['7', 'not a valid event'],
    ['"text"', 'not a valid event'],
    ['[[]]', 'not a valid event'],
    [{}, 'not a valid event'],
    [{ container: 7, name: 'a' }, 'not a valid event'],
    [{ container: 'incoming' }, 'not a valid event'],
    ['{"__proto__": {"container": "incoming", "name": "a"}}', 'not a valid event'],
    [{ container: 'Incoming', name: 'a' }, 'container name'],
    [{ container: '..', name: 'a' }, 'container name'],
    [{ container: 'a$logs', name: 'a' }, 'container name'],
    [{ container: '$logs1', name: 'a' }, 'container name'],
    [{ container: 'incoming', name: '' }, 'blob name'],
    [{ container: 'incoming', name: 'x'.repeat(1025) }, 'blob name'],
    ['{"container": "incoming", "name": "\\ud800"}', 'blob name'],
    [{ container: 'incoming', name: 'a', account: 7 }, '"account"'],
    [{ container: 'incoming', name: 'a', account: 1234 }, '"account"'],
    [{ container: 'incoming', name: 'a', account: 'SOURCE' }, '"account"'],
    [{ container: 'incoming', name: 'a', account: `at ${AZURE}` }, '"account"'],
    [{ container: 'incoming', name: 'a', account: `x${AZURE}` }, '"account"'],
    [{ container: 'incoming', name: 'a', account: `${AZURE}/`.padEnd(301, 'a') }, '"account"'],
    [{ container: 'incoming', name: 'a', account: 'ftp://acct' }, '"account"'],
    [{ container: 'incoming', name: 'a', account: 'https://u:p@acct.blob.core.windows.net' }, '"account"'],
    [{ container: 'incoming', name: 'a', account: `https://h${'/'.repeat(60_000)}a` }, '"account"'],
    [{ eventType: 7, data: {} }, 'the type'],
    [{ eventType: 'Microsoft.Storage.BlobCreated' }, '"data.url"'],
    [{ eventType: 'Microsoft.Storage.BlobCreated', data: null }, 'no "data.url", or it is not a string'],
    [eventGrid(7), 'no "data.url", or it is not a string'],
    [eventGrid(undefined), 'no "data.url", or it is not a string'],
    [{ ...eventGrid(''), data: '{"url": "x"}' }, 'no "data.url", or it is not a string'],
    [eventGrid(''), 'not the address'],
    [eventGrid('incoming/a'), 'not the address'],
    [eventGrid(`at ${AZURE}/incoming/a`), 'not the address'],
    [eventGrid('file:///etc/passwd'), 'not the address'],
    [eventGrid('https://[/incoming/a'), 'not the address'],
    [eventGrid('https://u:p@acct.blob.core.windows.net/incoming/a'), 'not the address'],
    [eventGrid('http://127.0.0.1:10000/acct'), 'not the address'],
    [eventGrid('http://127.0.0.1:10000/../incoming/a'), 'not the address'],
    [eventGrid('http://127.0.0.1:10000/.acct/incoming/a'), 'not the address'],
    [eventGrid('http://127.0.0.1:10000/acct./incoming/a'), 'not the address'],
    [eventGrid(`${AZURE}/`), 'blob name'],
    [eventGrid(`${AZURE}/incoming/`), 'blob name'],
    [eventGrid(`${AZURE}//a`), 'container name'],
    [[eventGrid(`${AZURE}/incoming/a`), {}], 'event 2 of 2: not a valid event'],
  ])('that is wrong is unreadable, and says why (%#)', (message, words) => {
    expect(read(message)).toEqual({ unreadable: expect.stringContaining(words) });
  });

  it('with one event says what is wrong, without a number', () => {
    expect(read([7])).toEqual({ unreadable: 'not a valid event: use a JSON object' });
  });

  it('may name an account by an address of 300 characters', () => {
    const account = `${AZURE}/`.padEnd(300, 'a');
    expect(one({ container: 'incoming', name: 'a', account }).account).toContain('/aaa');
  });

  it('never shows what it holds', () => {
    const secrets = ['https://acct.blob/?sig=SECRET', 'https://u:SECRET@h/c/a', `${AZURE}/c/?sig=SECRET`, 'SECRET'];
    for (const secret of secrets) {
      for (const message of [eventGrid(secret), { container: secret, name: 'a' }, secret, { eventType: [secret] }]) {
        expect(read(message)).toEqual({ unreadable: expect.not.stringContaining('SECRET') });
      }
    }
  });
});

describe('the account of an event', () => {
  it.each([
    ['https://acct.blob.core.windows.net', 'https://acct.blob.core.windows.net/'],
    ['https://acct.dfs.core.windows.net', 'https://acct.blob.core.windows.net'],
    ['http://ACCT.blob.core.windows.net:80', 'https://acct.blob.core.windows.net'],
    ['https://acct-secondary.blob.core.windows.net', 'https://acct.privatelink.blob.core.windows.net'],
    ['https://acct.blob.core.chinacloudapi.cn', 'https://acct.blob.core.chinacloudapi.cn'],
    ['https://acct.dfs.core.usgovcloudapi.net', 'https://acct.blob.core.usgovcloudapi.net'],
    ['https://acct.z12.blob.storage.azure.net', 'https://acct.z12.blob.storage.azure.net'],
    ['http://127.0.0.1:10000/acct', 'http://localhost:10000/acct'],
    ['http://azurite:10000/acct', 'http://azurite:10000/acct/'],
    ['http://acct.blob.localhost:10000', 'http://acct.blob.localhost:10000'],
  ])('at %s is that of %s', (service, endpoint) => {
    const event = at('incoming/a/b', service);
    expect(event).toMatchObject({ container: 'incoming', name: 'a/b' });
    expect(isOfAccount(event, endpoint)).toBe(true);
    expect(isOfAccount(one({ account: service, container: 'incoming', name: 'a' }), endpoint)).toBe(true);
    expect(isOfAccount(one({ account: 'acct', container: 'incoming', name: 'a' }), endpoint)).toBe(true);
    expect(isOfAccount(one({ account: 'acct2', container: 'incoming', name: 'a' }), endpoint)).toBe(false);
    expect(isOfAccount(one({ container: 'incoming', name: 'a' }), endpoint)).toBe(true);
  });

  it.each([
    ['https://acct.blob.core.windows.net', 'https://acct2.blob.core.windows.net'],
    ['https://acct.blob.core.windows.net', 'https://acct.blob.core.chinacloudapi.cn'],
    ['https://acct.blob.core.windows.net.evil.example', 'https://acct.blob.core.windows.net'],
    ['https://evil.example/acct.blob.core.windows.net', 'https://acct.blob.core.windows.net'],
    ['http://127.0.0.1:10000/acct', 'http://127.0.0.1:10001/acct'],
    ['http://127.0.0.1:10000/acct2', 'http://127.0.0.1:10000/acct'],
    ['http://127.0.0.1:10000/acct', 'https://acct.blob.core.windows.net'],
  ])('at %s is not that of %s', (service, endpoint) => {
    const found = read(eventGrid(`${service}/incoming/a`));
    for (const event of 'events' in found ? found.events : []) expect(isOfAccount(event, endpoint)).toBe(false);
  });
});

describe('rulesFor', () => {
  const rule = (name: string, source = {}) => ({
    name,
    source: { account: 'SOURCE', container: 'incoming', prefix: '', include: [], exclude: [], ...source },
  });
  const endpointOf = (alias: string) => `https://${alias.toLowerCase()}.blob.core.windows.net`;
  const names = (event: ArchiveEvent, ...rules: ReturnType<typeof rule>[]) =>
    rulesFor(event, rules, endpointOf).map(({ name }) => name);
  const event = { account: 'source.blob.core.windows.net', container: 'incoming', name: '2026/a.jpg' };

  it('finds every rule whose account, container, prefix and globs fit', () => {
    const found = names(
      event,
      rule('all'),
      rule('another account', { account: 'OTHER' }),
      rule('another container', { container: 'incoming2' }),
      rule('its prefix', { prefix: '2026/' }),
      rule('another prefix', { prefix: '2025/' }),
      rule('its glob', { include: ['**/*.jpg'] }),
      rule('another glob', { include: ['*.jpg'] }),
      rule('left out', { exclude: ['**/a.*'] }),
    );
    expect(found).toEqual(['all', 'its prefix', 'its glob']);
  });

  it('takes an event of no account for one of any', () => {
    const { account: _, ...anywhere } = event;
    expect(names(anywhere, rule('one'), rule('two', { account: 'OTHER' }))).toEqual(['one', 'two']);
    expect(names({ ...event, account: 'other' }, rule('one'), rule('two', { account: 'OTHER' }))).toEqual(['two']);
  });
});

describe('events that chance makes', () => {
  const anyName = fc
    .oneof(
      fc.constantFrom(...HOSTILE_NAMES),
      fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }),
      fc
        .array(fc.constantFrom('/', '.', '..', '%', '%2F', '%25', '+', ' ', '#', '?', '\\', 'a', 'é', '💎'), {
          minLength: 1,
          maxLength: 8,
        })
        .map((parts) => parts.join('')),
    )
    .filter((name) => name.isWellFormed() && name.length > 0 && name.length <= 1024);
  const anyContainer = fc.constantFrom('incoming', 'a-b-c', '123', '$web', '$root');
  const anyService = fc.constantFrom(
    'https://acct.blob.core.windows.net',
    'https://acct.dfs.core.windows.net',
    'https://acct.z12.blob.storage.azure.net',
    'http://127.0.0.1:10000/acct',
    'http://azurite:10000/acct',
  );
  /** Ways to write a name in an address: all that must be encoded is. */
  const encodings: ((name: string) => string)[] = [
    encodeURIComponent,
    (name) => encodeURIComponent(name).replaceAll('%2F', '/'),
    (name) => name.replaceAll('%', '%25').replaceAll('?', '%3F'),
    (name) => [...Buffer.from(name)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  ];

  it('read back as they were written, whatever the blob is called', () => {
    fc.assert(
      fc.property(
        anyService,
        anyContainer,
        anyName,
        fc.constantFrom(...encodings),
        fc.constantFrom(eventGrid, cloudEvent),
        (service, container, name, encode, write) => {
          const event = one(write(`${service}/${container}/${encode(name)}`));
          expect({ container: event.container, name: event.name }).toEqual({ container, name });
          expect(isOfAccount(event, service)).toBe(true);
          expect(one({ account: service, container, name })).toEqual({ account: event.account, container, name });
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('never throw, and what is read can be', () => {
    const hostile = fc.oneof(
      fc.constantFrom('__proto__', AZURE, `${AZURE}/c`, 'http://', 'https://%', 'http://[::1]/a/b/c', '\ud800', '%'),
      anyName,
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.jsonValue(),
    );
    const keys = [
      'eventType',
      'type',
      'data',
      'url',
      'eTag',
      'container',
      'name',
      'account',
      'etag',
      'api',
      '__proto__',
    ];
    const dictionary = (value: fc.Arbitrary<unknown>) => fc.dictionary(fc.constantFrom(...keys), value);
    const item = fc.oneof(
      dictionary(fc.oneof(hostile, dictionary(hostile))),
      fc.record({ container: fc.oneof(anyContainer, hostile), name: hostile, account: fc.oneof(anyService, hostile) }),
      hostile.map((url) => eventGrid(url)),
    );
    const message = fc.oneof(
      fc.string(),
      fc.oneof(item, fc.array(item), hostile).map((value) => JSON.stringify(value)),
      fc.tuple(fc.nat(400), fc.string()).map(([cut, put]) => {
        const text = JSON.stringify(eventGrid(`${AZURE}/incoming/a`));
        return text.slice(0, cut) + put + text.slice(cut);
      }),
    );
    let events = 0;
    fc.assert(
      fc.property(message, (text) => {
        const found = readEvents(text);
        if ('unreadable' in found) {
          expect(found.unreadable).not.toBe('');
          return;
        }
        for (const event of found.events) {
          events++;
          expect(event.container).toMatch(/^[$a-z0-9-]+$/);
          expect(event.name.isWellFormed() && event.name.length > 0).toBe(true);
          expect(() => isOfAccount(event, AZURE)).not.toThrow();
        }
        expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
      }),
      { numRuns: 5000 },
    );
    expect(events).toBeGreaterThan(200);
  });

  it.each([
    ['brackets', '['.repeat(65_536)],
    ['nesting that is right', '['.repeat(32_768) + ']'.repeat(32_768)],
    ['objects', `${'{"data":'.repeat(8_000)}1${'}'.repeat(8_000)}`],
    ['one long name', JSON.stringify({ container: 'incoming', name: '%'.repeat(65_000) })],
    ['one long address', JSON.stringify(eventGrid(`https://${'a.'.repeat(32_000)}/c/n`))],
  ])('of 64 KiB of %s are unreadable', (_, text) => {
    expect(readEvents(text)).toHaveProperty('unreadable');
  });
});
