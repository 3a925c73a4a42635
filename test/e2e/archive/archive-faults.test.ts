import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Archiving, type ArchivingOptions, ruleWith, startArchiving } from '../../support/app/archiving.ts';
import { until } from '../../support/app/until.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { azureCopies, type CopyFate, FOR_EVER } from '../../support/faults/azure-copies.ts';
import {
  DROP,
  type FaultProxy,
  type FaultRule,
  type ProxiedRequest,
  startFaultProxy,
} from '../../support/faults/fault-proxy.ts';
import { refusal } from '../../support/faults/faults.ts';

let source: TestAccount;
let vault: TestAccount;
let proxy: FaultProxy;
let room: Archiving;
/** How asynchronous copies end, by name. */
let fates: Map<string, (start: number) => CopyFate>;
let copies: ReturnType<typeof azureCopies>;

/**
 * Claims of killed hosts expire during a test. No copy is overdue in one, however slow the machine is: a pending copy
 * that is overdue is rightly aborted and made again.
 */
const LIMITS = { claimMs: 2000, retryDelayMs: 10, copyDeadlineMs: 600_000 };

const RULES = [
  ruleWith(),
  ruleWith({ name: 'slow', source: { account: 'SOURCE', container: 'slow' }, method: 'async' }),
  ruleWith({ name: 'large', source: { account: 'SOURCE', container: 'large' }, method: 'blocks' }),
];

async function open(): Promise<void> {
  [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
  proxy = await startFaultProxy(new URL(vault.blobEndpoint).origin);
  fates = new Map();
  const starts = new Map<string, number>();
  copies = azureCopies(vault, (_, name) => {
    const start = (starts.get(name) ?? 0) + 1;
    starts.set(name, start);
    return fates.get(name)?.(start);
  });
  proxy.layers.push(copies.layer);
}

async function start(options: ArchivingOptions = {}): Promise<Archiving> {
  room = await startArchiving(source, vault, { proxy, limits: LIMITS, rules: RULES, ...options });
  for (const container of ['slow', 'large']) await room.source.getContainerClient(container).createIfNotExists();
  return room;
}

async function close(): Promise<void> {
  await room?.app.host.kill();
  await proxy?.stop();
}

type Match = (request: ProxiedRequest) => boolean;

const isLook =
  (name: string): Match =>
  ({ path, query }) =>
    path.startsWith(`/${source.name}/`) && query.get('comp') === 'list' && query.get('prefix') === name;
const isOfReceipt =
  (name: string): Match =>
  ({ path }) =>
    path.includes('/receipts/') && path.includes(`/${Buffer.from(name).toString('hex')}/`);
const isRead =
  (name: string): Match =>
  (request) =>
    request.method === 'GET' && isOfReceipt(name)(request);
const isWritten =
  (name: string, state: string, holds: (receipt: { copy?: object }) => boolean = () => true): Match =>
  (request) => {
    if (request.method !== 'PUT' || !isOfReceipt(name)(request)) return false;
    const receipt = JSON.parse(request.body.toString());
    return receipt.state === state && holds(receipt);
  };
const isCopy =
  (name: string): Match =>
  ({ path, headers }) =>
    path.endsWith(`archive/${name}`) && 'x-ms-copy-source' in headers;

const STEPS: Record<string, (name: string) => Match> = {
  look: isLook,
  read: isRead,
  claim: (name) => isWritten(name, 'claimed'),
  copy: isCopy,
  done: (name) => isWritten(name, 'done'),
};

const ASYNC_STEPS: Record<string, (name: string) => Match> = {
  start: isCopy,
  note: (name) => isWritten(name, 'claimed', ({ copy }) => copy !== undefined),
  confirmed: (name) => isWritten(name, 'done'),
};

/** How many of these requests the service carried out. */
const carriedOut = (match: Match) =>
  proxy.requests.filter((request) => match(request) && (request.served?.status ?? 500) < 300).length;

interface Gate {
  arrived: Promise<void>;
  open(): void;
}

/** Holds the first such request until the gate is opened, before or after the service sees it; `drop` loses it then. */
function hold(match: Match, moment: 'before' | 'after', drop = false): Gate {
  let arrive = () => {};
  let open = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const wait = async () => {
    arrive();
    await opened;
  };
  const rule: FaultRule = { match, times: 1 };
  if (moment === 'after') rule.after = (_, response) => wait().then(() => (drop ? DROP : response));
  else if (drop) rule.answer = () => wait().then(() => DROP as typeof DROP);
  else rule.before = wait;
  proxy.rules.push(rule);
  return { arrived, open };
}

const each = async (names: string[], work: (name: string) => Promise<unknown>) => {
  await Promise.all(names.map(work));
};

const tell = (name: string, etag?: string, container = 'incoming') =>
  room.tell({ container, name, ...(etag !== undefined && { etag }) });

describe('with one host', () => {
  beforeAll(async () => {
    await open();
    await start();
  });

  beforeEach(() => {
    proxy.rules.length = 0;
    proxy.requests.length = 0;
  });

  afterAll(close);

  test('F8, I3: each upload is copied once and has one receipt, whichever of its steps fails', async () => {
    const faults: Record<string, () => Omit<FaultRule, 'match'>> = {
      '503': () => ({ times: 1, answer: () => refusal(503, 'ServerBusy') }),
      '503-stubborn': () => ({ times: 6, answer: () => refusal(503, 'ServerBusy') }),
      '500': () => ({ times: 1, answer: () => refusal(500, 'InternalError') }),
      '403': () => ({ times: 1, answer: () => refusal(403, 'AuthorizationFailure') }),
      reset: () => ({ times: 1, answer: () => DROP }),
      lost: () => ({ times: 1, after: () => DROP }),
      'lost-stubborn': () => ({ times: 6, after: () => DROP }),
    };
    const names: string[] = [];
    for (const [step, match] of Object.entries(STEPS)) {
      for (const [fault, rule] of Object.entries(faults)) {
        const name = `faults/${step}/${fault}`;
        names.push(name);
        proxy.rules.push({ match: match(name), ...rule() });
      }
    }
    await each(names, async (name) => tell(name, await room.upload(name, `of ${name}`)));
    await room.done(...names);
    await room.drained();
    const archived = await room.archived();
    const counted = await room.counted();
    for (const name of names) {
      expect(archived[name], name).toBe(`of ${name}`);
      expect(counted[name], name).toBe(1);
      expect(carriedOut(isCopy(name)), `copies of ${name}`).toBe(1);
      const [receipt, ...others] = await room.receipts(name);
      expect(others, name).toEqual([]);
      // A fault that ends while the request is retried causes neither a failure nor a second claim.
      if (!/stubborn|403/.test(name)) expect([receipt!.tries, receipt!.archived?.method], name).toEqual([1, 'sync']);
    }
    expect(await room.poison()).toEqual([]);
  });

  test('F7: a late copy of an older version does not replace the newer version in the archive', async () => {
    const late: [name: string, container: string, match: (name: string) => Match, before: boolean][] = [
      ['late/fresh', 'incoming', isCopy, false],
      ['late/over', 'incoming', isCopy, true],
      [
        'late/blocks',
        'large',
        (name) =>
          ({ path, query }) =>
            path.endsWith(`/${name}`) && query.get('comp') === 'blocklist',
        true,
      ],
      ['late/async', 'slow', isCopy, true],
    ];
    const ruleOf = (container: string) => (container === 'incoming' ? 'uploads' : container);
    await each(
      late.map(([name]) => name),
      async (name) => {
        const [, container, match, over] = late.find(([each]) => each === name)!;
        const rule = ruleOf(container);
        if (over) {
          const etag = await room.upload(name, 'zero', container);
          await tell(name, etag, container);
          await until(async () => (await room.states(name, rule)).includes('done'));
        }
        const one = await room.upload(name, 'one', container);
        const inFlight = hold(match(name), 'before');
        await tell(name, one, container);
        await inFlight.arrived;
        const two = await room.upload(name, 'two!', container);
        await tell(name, two, container);
        const isDone = async (etag: string, state: string) =>
          (await room.receipts(name, rule)).some((each) => each.source.etag === etag && each.state === state);
        await until(() => isDone(two, 'done'));
        inFlight.open();
        await until(() => isDone(one, 'missed'));
      },
    );
    for (const [name, container, , over] of late) {
      const versions = await room.versions(name, `${container}archive`);
      expect([name, new Set(versions), versions.at(-1)]).toEqual([
        name,
        new Set(over ? ['zero', 'two!'] : ['two!']),
        'two!',
      ]);
    }
  });

  test('F4: an upload that is overwritten during its copy is not archived as another version', async () => {
    await each(['incoming', 'large', 'slow'], async (container) => {
      const rule = container === 'incoming' ? 'uploads' : container;
      const name = `changed/${rule}`;
      const one = await room.upload(name, 'one', container);
      const inFlight = hold((request) => isCopy(name)(request), 'before');
      await tell(name, one, container);
      await inFlight.arrived;
      const two = await room.upload(name, 'two!', container);
      inFlight.open();
      await until(async () => (await room.states(name, rule)).includes('done'));
      expect(await room.versions(name, `${container}archive`)).toEqual(['two!']);
      const copy = room.vault.getContainerClient(`${container}archive`).getBlobClient(name);
      expect((await copy.getProperties()).metadata).toMatchObject({ strongroom_etag: two });
      const states = (await room.receipts(name, rule)).map(({ source, state }) => [source.etag, state]);
      expect(Object.fromEntries(states)).toEqual({ [one]: 'missed', [two]: 'done' });
    });
  });

  test('F7: events in the wrong order, and of deleted versions, archive each version that exists', async () => {
    const one = await room.upload('order', 'one');
    await tell('order', one);
    await room.done('order');
    const two = await room.upload('order', 'two');
    const three = await room.upload('order', 'three');
    for (const etag of [three, two, one, undefined]) await tell('order', etag);
    await room.drained();
    await until(async () => (await room.states('order')).filter((state) => state === 'done').length === 2);
    for (const etag of [one, two, three]) await tell('order', etag);
    await room.drained();
    expect(await room.versions('order')).toEqual(['one', 'three']);
    expect((await room.receipts('order')).map(({ source }) => source.etag).sort()).toEqual([one, three].sort());
  });

  test('F6: an owner whose claim has expired changes nothing when it continues', async () => {
    const moments: [string, (name: string) => Match, 'before' | 'after'][] = [
      ['copy', isCopy, 'before'],
      ['copied', isCopy, 'after'],
      ['done', (name) => isWritten(name, 'done'), 'before'],
    ];
    await each(
      moments.map(([name]) => name),
      async (moment) => {
        const name = `overtaken/${moment}`;
        const [, match, when] = moments.find(([each]) => each === moment)!;
        const gate = hold(match(name), when);
        const etag = await room.upload(name, 'one');
        await tell(name, etag);
        await gate.arrived;
        // Another execution of the same event finds the claim and waits until it expires.
        await tell(name, etag);
        await until(async () => (await room.states(name)).includes('done'));
        const [before] = await room.receipts(name);
        gate.open();
        await proxy.idle();
        await room.drained();
        expect(await room.receipts(name)).toEqual([before]);
        expect(await room.versions(name)).toEqual(['one']);
      },
    );
  });

  test('I1: a version that was deleted and undeleted is archived', async () => {
    const etag = await room.upload('undeleted', 'one');
    proxy.rules.push({ match: isCopy('undeleted'), times: 1, answer: () => refusal(403, 'AuthorizationFailure') });
    // Hidden, and later visible again under the same ETag: as soft delete does.
    let isHidden = false;
    proxy.rules.push({
      match: (request) => isHidden && request.path.startsWith(`/${source.name}/incoming`),
      answer: (request) =>
        request.method === 'HEAD'
          ? refusal(404, 'BlobNotFound')
          : {
              status: 200,
              headers: { 'content-type': 'application/xml' },
              body: '<?xml version="1.0"?><EnumerationResults><Blobs/><NextMarker/></EnumerationResults>',
            },
    });
    proxy.rules.push({
      match: isCopy('undeleted'),
      times: 1,
      answer: () => {
        isHidden = true;
        return refusal(404, 'CannotVerifyCopySource');
      },
    });
    await tell('undeleted', etag);
    await until(async () => (await room.states('undeleted')).includes('missed'));
    isHidden = false;
    expect(await room.reconcile()).toMatchObject({ status: 'succeeded' });
    expect(await room.versions('undeleted')).toEqual(['one']);
    expect(await room.states('undeleted')).toEqual(['done']);
  });

  test('F22: an upload that fails five times is listed with its reason, and reprocessing archives it', async () => {
    const ofRule = async () => (await room.app.call('GET', '/api/archives/uploads')).body;
    const before = (await ofRule()).receipts as unknown as { done: number; newest: object | null };
    const refused: Record<string, [match: Match, code: string]> = {
      'poison/source': [isLook('poison/source'), 'access-denied-source'],
      'poison/copy': [isCopy('poison/copy'), 'access-denied-destination'],
      'poison/claim': [isWritten('poison/claim', 'claimed'), 'access-denied-destination'],
      'poison/nameless': [isCopy('poison/nameless'), 'access-denied-destination'],
      'poison/never': [isCopy('poison/never'), 'access-denied-destination'],
    };
    let names = Object.keys(refused);
    for (const [match] of Object.values(refused)) {
      proxy.rules.push({ match, answer: () => refusal(403, 'AuthorizationFailure') });
    }
    await each(names, async (name) => {
      const etag = await room.upload(name, `of ${name}`);
      await tell(name, name === 'poison/nameless' ? undefined : etag);
    });
    await until(async () => (await room.poison()).length === names.length);
    const given = await room.poison();
    expect(Object.fromEntries(given.map(({ name, code }) => [name, code]))).toEqual({
      ...Object.fromEntries(Object.entries(refused).map(([name, [, code]]) => [name, code])),
      // No attempt could store its reason.
      'poison/claim': 'internal',
    });
    const { poison, receipts } = await ofRule();
    expect(poison).toMatchObject({ open: names.length, codes: { 'access-denied-source': 1, internal: 1 } });
    expect(receipts).toMatchObject({ done: before.done, newest: before.newest });
    const said = room.app.host.output();
    expect(said).toContain('upload-failed-permanently');
    expect(said).toMatch(/upload-failed.*access-denied-source/);
    expect(said).toMatch(/upload-failed.*access-denied-destination/);
    expect(proxy.requests.filter(isCopy('poison/copy'))).toHaveLength(5);

    const wrong = await room.app.call('POST', '/api/archives/uploads/reprocess', { id: '0'.repeat(32) });
    expect([wrong.status, wrong.body.code]).toEqual([404, 'poison-not-found']);
    // Still refused: it stays, and is counted once more by nobody.
    expect(await room.reprocess()).toMatchObject({
      status: 'completed-with-failures',
      counts: { failed: names.length },
    });
    expect((await room.poison()).map(({ name }) => name).sort()).toEqual([...names].sort());
    proxy.rules.length = 0;
    const never = given.find(({ name }) => name === 'poison/never')!;
    const settle = `/api/archives/uploads/poison/${never.id}/settle`;
    expect((await room.app.call('POST', settle, { reason: 'a test file' })).status).toBe(200);
    names = names.filter((name) => name !== never.name);
    const one = given.find(({ name }) => name === 'poison/copy')!;
    expect(await room.reprocess({ id: one.id })).toMatchObject({
      status: 'succeeded',
      counts: { listed: 1, copied: 1 },
    });
    expect((await room.poison()).map(({ name }) => name).sort()).toEqual(
      names.filter((name) => name !== one.name).sort(),
    );
    expect(await room.reprocess()).toMatchObject({ status: 'succeeded', counts: { listed: names.length - 1 } });
    expect(await room.poison()).toEqual([]);
    const archived = await room.archived();
    for (const name of names)
      expect([name, archived[name], await room.states(name)]).toEqual([name, `of ${name}`, ['done']]);
    expect([archived[never.name], await room.states(never.name)]).toEqual([undefined, ['settled']]);
    expect((await ofRule()).poison).toMatchObject({ open: 0 });
    // The reconciliations that follow count it as skipped for as long as it is there.
    await room.source.getContainerClient('incoming').deleteBlob(never.name);
    expect(await room.reprocess()).toMatchObject({ status: 'succeeded', counts: { listed: 0 } });
  });

  test('F22: no upload is lost when the vault is away so long that not even the failure is stored', async () => {
    const etag = await room.upload('away', 'one');
    proxy.rules.push({
      match: ({ path }) => path.startsWith(`/${vault.name}/`),
      answer: () => refusal(403, 'AuthorizationFailure'),
    });
    const said = room.app.host.output().length;
    await tell('away', etag);
    const poison = room.queues.getQueueClient('uploads-poison');
    const waiting = async () => (await poison.getProperties()).approximateMessagesCount ?? 0;
    await until(async () => (await waiting()) > 0 && /uploads-poison.*failed/.test(room.app.host.output()));
    expect(await waiting()).toBe(1);
    expect(room.app.host.output().slice(said)).toMatch(/upload-failed.*access-denied-destination/);
    expect(room.app.host.output().slice(said)).not.toContain('access-denied-source');
    proxy.rules.length = 0;
    // As when the host takes the message again, ten minutes later.
    await poison.clearMessages();
    await room.tell({ container: 'incoming', name: 'away', etag }, 'uploads-poison');
    await until(async () => (await room.poison()).some(({ name }) => name === 'away'));
    expect(await room.reconcile()).toMatchObject({ status: 'succeeded', counts: { copied: 1, failed: 0 } });
    expect([await room.versions('away'), await room.poison()]).toEqual([['one'], []]);
    // A message that fails permanently after its upload was archived is no failure.
    await room.tell({ container: 'incoming', name: 'away' }, 'uploads-poison');
    await room.tell({ container: 'incoming', name: 'away', etag }, 'uploads-poison');
    await room.drained('uploads-poison');
    expect(await room.poison()).toEqual([]);
  });

  test('F19: a reconciliation archives uploads whose events were lost, and copies nothing else', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `lost/${index}`);
    const etags = new Map<string, string>();
    await each(names, async (name) => etags.set(name, await room.upload(name, `of ${name}`)));
    expect(await room.reconcile()).toMatchObject({ status: 'succeeded', counts: { copied: 12, failed: 0 } });
    const again = await room.reconcile();
    expect(again).toMatchObject({ status: 'succeeded', counts: { copied: 0, failed: 0, skipped: 0 } });
    expect(again.counts.unchanged).toBe(again.counts.listed);
    expect(again.requests.CopyBlobFromURL ?? 0).toBe(0);
    const archived = await room.archived();
    expect(names.map((name) => archived[name])).toEqual(names.map((name) => `of ${name}`));
    // The events arrive after the reconciliation.
    proxy.requests.length = 0;
    await each(names, (name) => tell(name, etags.get(name)));
    await room.drained();
    const about = (name: string) =>
      proxy.requests.filter((request) => isOfReceipt(name)(request) || request.url.includes(encodeURIComponent(name)));
    // Each event costs one request for its receipt.
    expect(names.map((name) => about(name).map(({ method }) => method))).toEqual(names.map(() => ['GET']));
    expect(carriedOut(({ headers }) => 'x-ms-copy-source' in headers)).toBe(0);
    expect(await room.reconcile({ dryRun: true })).toMatchObject({ counts: { planned: 0 } });
  });

  test('I3: events and a reconciliation at the same time archive each upload once', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `both/${String(index).padStart(2, '0')}`);
    const etags = new Map<string, string>();
    await each(names, async (name) => etags.set(name, await room.upload(name, `of ${name}`)));
    const slowly: FaultRule = {
      match: ({ headers, path }) => 'x-ms-copy-source' in headers && path.includes('/both/'),
      before: () => new Promise((resolve) => setTimeout(resolve, 20)),
    };
    proxy.rules.push(slowly);
    const [report] = await Promise.all([room.reconcile(), each(names, (name) => tell(name, etags.get(name)))]);
    expect(report.status).toBe('succeeded');
    expect(report.counts.copied + report.counts.unchanged + report.counts.skipped).toBe(report.counts.listed);
    await room.done(...names);
    await room.drained();
    expect(carriedOut(slowly.match)).toBe(names.length);
    const counted = await room.counted();
    expect(names.filter((name) => counted[name] !== 1)).toEqual([]);
  });

  test('I4: a cancelled reconciliation aborts its copies, and the next one archives those uploads', async () => {
    const names = Array.from({ length: 4 }, (_, index) => `cancelled/${index}`);
    for (const name of names) fates.set(name, () => FOR_EVER);
    await each(names, (name) => room.upload(name, `of ${name}`, 'slow'));
    const { body } = await room.app.call('POST', '/api/archives/slow/reconcile', {});
    for (const name of names) await until(async () => (await room.receipts(name, 'slow')).some((one) => 'copy' in one));
    await room.app.call('POST', `/api/runs/${body.id}/cancel`);
    expect(await room.app.ended(body.id)).toMatchObject({ status: 'cancelled', counts: { copied: 0 } });
    expect(carriedOut(({ query }) => query.has('copyid'))).toBe(names.length);
    for (const name of names) fates.delete(name);
    // Its claims hold a little longer.
    await until(async () => (await room.reconcile({}, 'slow')).counts.skipped === 0);
    const [archived, counted] = [await room.archived('slowarchive'), await room.counted('slowarchive')];
    for (const name of names) expect([name, archived[name], counted[name]]).toEqual([name, `of ${name}`, 1]);
  });

  test('F3, F9, F36: pending copies block no other upload, and each is archived however its copy ends', async () => {
    const once = (end: CopyFate['end']) => (start: number) =>
      start === 1 ? { looks: 0, end } : ({ looks: 0, end: 'success' } as const);
    const ends = ['success', 'failed', 'aborted', 'vanishes', 'replaced'] as const;
    for (const end of ends) fates.set(`pending/${end}`, once(end));
    fates.set('pending/overwritten', (start) => (start === 1 ? FOR_EVER : { looks: 0, end: 'success' }));
    fates.set('pending/for ever', () => FOR_EVER);
    await copies.orphan('slowarchive', 'pending/orphaned');
    fates.set('pending/orphaned', () => ({ looks: 0, end: 'success' }));
    const names = [...fates.keys()].filter((name) => name.startsWith('pending/') && name !== 'pending/for ever');
    await tell('pending/for ever', await room.upload('pending/for ever', 'for ever', 'slow'), 'slow');
    const one = await room.upload('pending/overwritten', 'one', 'slow');
    await tell('pending/overwritten', one, 'slow');
    await until(async () => (await room.receipts('pending/overwritten', 'slow')).some((each) => 'copy' in each));
    await each(names, async (name) => tell(name, await room.upload(name, `of ${name}`, 'slow'), 'slow'));
    const isDone = async (name: string) => (await room.states(name, 'slow')).includes('done');
    for (const name of names)
      await until(() => isDone(name), 40).catch((error) => Promise.reject(new Error(name, { cause: error })));
    const archived = await room.archived('slowarchive');
    for (const name of names) expect([name, archived[name]]).toEqual([name, `of ${name}`]);
    expect((await room.receipts('pending/overwritten', 'slow')).find(({ source }) => source.etag === one)?.state).toBe(
      'missed',
    );
    // The event of the copy that is still pending is done, and does not hold up other uploads.
    await room.drained();
    expect(await room.states('pending/for ever', 'slow')).toEqual(['claimed']);
    copies.heal();
    await until(() => isDone('pending/for ever'), 40);
    expect(await room.versions('pending/for ever', 'slowarchive')).toEqual(['for ever']);
  });
});

test('F6, I4: each upload is archived once when the host is killed before and after each of its writes', async () => {
  await open();
  try {
    const dataDir = mkdtempSync(join(tmpdir(), 'strongroom-archive-'));
    await start({ dataDir });
    // Without them, the first copy would be refused, and held instead of the copy that the test means.
    for (const container of ['incomingarchive', 'slowarchive']) await room.vault.createContainer(container);
    const points: { name: string; container: string; rule: string }[] = [];
    const gates: Gate[] = [];
    const etags = new Map<string, string>();
    const plans = {
      incoming: ['uploads', ['claim', 'copy', 'done'], STEPS],
      slow: ['slow', Object.keys(ASYNC_STEPS), ASYNC_STEPS],
    } as const;
    for (const [container, [rule, steps, matches]] of Object.entries(plans)) {
      for (const step of steps) {
        for (const moment of ['before', 'after'] as const) {
          const name = `killed/${step}-${moment}`;
          points.push({ name, container, rule });
          gates.push(hold(matches[step]!(name), moment, true));
        }
      }
    }
    for (const { name, container } of points) {
      if (container === 'slow') fates.set(name, () => ({ looks: 1, end: 'success' }));
      etags.set(name, await room.upload(name, `of ${name}`, container));
    }
    // In one message: the host takes no more while it processes so many.
    await room.tell(points.map(({ name, container }) => ({ container, name, etag: etags.get(name) })));
    await Promise.all(gates.map(({ arrived }) => arrived));
    await room.app.host.kill();
    for (const gate of gates) gate.open();
    await proxy.idle();
    await start({ dataDir });
    // The host's messages become visible after ten minutes. Here, half of them are sent again, and half are lost.
    await room.queues.getQueueClient('uploads').clearMessages();
    const reported = points.filter((_, index) => index % 2 === 0);
    for (const { name, container } of reported) await tell(name, etags.get(name), container);
    const isDone = async ({ name, rule }: { name: string; rule: string }) =>
      [...new Set(await room.states(name, rule))].join() === 'done';
    for (const point of reported) {
      await until(() => isDone(point), 40).catch((error) => Promise.reject(new Error(point.name, { cause: error })));
    }
    // Archived, and overwritten before its receipt was written.
    const unsaid = 'killed/copy-after';
    const two = await room.upload(unsaid, 'two');
    await tell(unsaid, two);
    await until(async () =>
      (await room.receipts(unsaid)).some((each) => each.source.etag === two && each.state === 'done'),
    );
    expect(await room.versions(unsaid)).toEqual([`of ${unsaid}`, 'two']);
    for (const rule of ['uploads', 'slow']) {
      const mine = points.filter((point) => point.rule === rule);
      await until(async () => {
        await room.reconcile({}, rule);
        return (await Promise.all(mine.map(isDone))).every(Boolean);
      }, 40);
      const container = rule === 'uploads' ? 'incomingarchive' : 'slowarchive';
      const [archived, counted] = [await room.archived(container), await room.counted(container)];
      for (const { name } of mine) {
        const expected = name === unsaid ? ['two', 2] : [`of ${name}`, 1];
        expect([name, archived[name], counted[name]]).toEqual([name, ...expected]);
        expect([name, carriedOut(isCopy(name))]).toEqual([name, expected[1]]);
      }
    }
  } finally {
    await close();
  }
});
