import { EXIT } from '../../host/exit-codes.ts';
import { type Command, commands } from '../command/command.ts';
import type { AnswerOf } from '../connect/api.ts';
import { counted, grouped } from '../print/amounts.ts';
import { LIST_OPTIONS, printList } from '../print/list.ts';
import type { Output } from '../print/output.ts';
import { stateWord } from '../print/style.ts';
import { printArray } from '../print/whole-list.ts';
import { reportStart, WATCH_OPTIONS } from '../runs/start-and-follow.ts';

type Receipt = AnswerOf<'listReceipts'>['receipts'][number];
type Poison = AnswerOf<'listPoison'>['uploads'][number];

const RECEIPTS = ['claimed', 'failed', 'done', 'missed', 'settled'] as const;

const RULE = { name: 'RULE', completes: 'rule' } as const;

const list: Command = {
  path: ['archive', 'list'],
  about: 'List the archive rules',
  prints: 'list',
  examples: [['archive list', 'which containers are archived, and where to']],
  async run(session, input) {
    const { out } = session;
    const answer = await session.api.call<'listArchives'>('GET', 'archives');
    printArray(session, input, {
      ...{ bytes: answer.bytes, rows: answer.body.archives },
      columns: [
        { name: 'rule', value: ({ name }) => name },
        { name: 'from', value: ({ source }) => `${source.account}/${source.container}`, shrinks: true },
        { name: 'to', value: ({ destination }) => `${destination.account}/${destination.container}`, shrinks: true },
        { name: 'reconciles', value: ({ reconcile }) => reconcile.words },
        { name: 'next', value: ({ reconcile }) => out.time(reconcile.next[0]), from: 100 },
      ],
      idOf: ({ name }) => name,
      none: 'The configuration has no archive rule.',
    });
    return EXIT.done;
  },
};

const show: Command = {
  path: ['archive', 'show'],
  about: 'Show an archive rule, and count its receipts and poison uploads',
  arguments: [RULE],
  prints: 'document',
  examples: [['archive show uploads', 'how many uploads are archived, and how many failed permanently']],
  async run(session, input) {
    const { out } = session;
    const params = { rule: input.argument(0) };
    const { bytes, body } = await session.api.call<'getArchive'>('GET', 'archives/{rule}', { params });
    if (out.format === 'json') {
      out.bytes(bytes);
      return EXIT.done;
    }
    const { receipts, poison, source, destination, reconcile } = body;
    out.line(`${body.name}  ${source.account}/${source.container} to ${destination.account}/${destination.container}`);
    out.line(`reconciles ${reconcile.words} (${body.timeZone}), next ${out.time(reconcile.next[0])}`);
    const { done, claimed, failed, missed } = receipts;
    const least = receipts.isComplete ? '' : 'at least ';
    out.line(
      `${least}${grouped(done)} archived, ${grouped(claimed)} claimed, ${grouped(failed)} failed, ` +
        `${grouped(missed)} missed, ${grouped(receipts.settled)} settled`,
    );
    if (receipts.newest)
      out.line(`newest: ${receipts.newest.name ?? '(name not shown)'} at ${out.time(receipts.newest.at)}`);
    out.line(`${counted(poison.open, 'upload')} failed permanently`);
    for (const [code, count] of Object.entries(poison.codes)) out.line(`  ${code}  ${grouped(count)}`);
    if (poison.open > 0) out.note(`To see them: strongroom archive poison ${body.name}`);
    return EXIT.done;
  },
};

const reconcile: Command = {
  path: ['archive', 'reconcile'],
  about: 'Archive every upload that has no receipt',
  arguments: [RULE],
  options: { 'dry-run': { takes: 'nothing', about: 'list what it would archive' }, ...WATCH_OPTIONS },
  prints: 'run',
  examples: [['archive reconcile uploads --watch', 'archive what events have missed']],
  async run(session, input) {
    const started = await session.api.call<'startReconcile'>('POST', 'archives/{rule}/reconcile', {
      params: { rule: input.argument(0) },
      body: { dryRun: input.has('dry-run') },
    });
    return reportStart(session, input, started);
  },
};

const receipts: Command = {
  path: ['archive', 'receipts'],
  about: 'List receipts: which versions of which uploads were archived',
  arguments: [RULE],
  options: {
    name: { takes: 'text', placeholder: 'NAME', about: 'only those of this one blob' },
    prefix: { takes: 'text', placeholder: 'TEXT', about: 'only names that start with this text' },
    state: { takes: 'text', placeholder: 'STATE', oneOf: RECEIPTS, about: 'only receipts with this state' },
    ...LIST_OPTIONS,
  },
  prints: 'list',
  examples: [
    ['archive receipts uploads --prefix 2026/', 'a folder'],
    ['archive receipts uploads --name 2026/a.jpg --json', 'complete receipts of one blob'],
  ],
  async run(session, input) {
    const { out } = session;
    const params = { rule: input.argument(0) };
    await printList(session, input, {
      page: (cursor, limit) =>
        session.api.call<'listReceipts'>('GET', 'archives/{rule}/receipts', {
          params,
          query: {
            ...{ name: input.text('name'), prefix: input.text('prefix'), limit, cursor },
            state: input.text('state') as (typeof RECEIPTS)[number] | undefined,
          },
        }),
      rowsOf: ({ receipts: found }) => found,
      columns: [
        { name: 'state', value: ({ state }) => stateWord(state) },
        { name: 'name', value: (receipt) => nameOf(receipt), shrinks: true },
        { name: 'at', value: (receipt) => out.time(timeOf(receipt)) },
        { name: 'etag', value: (receipt) => ('source' in receipt ? receipt.source.etag : receipt.etag), from: 100 },
      ],
      idOf: nameOf,
      none: 'There are no such receipts.',
      ...{ usual: 500, most: 5000 },
    });
    return EXIT.done;
  },
};

function nameOf(receipt: Receipt): string {
  return 'source' in receipt ? receipt.source.name : receipt.name;
}

function timeOf(receipt: Receipt): string {
  return 'source' in receipt ? (receipt.finishedAt ?? receipt.expiresAt) : receipt.at;
}

const poison: Command = {
  path: ['archive', 'poison'],
  about: 'List uploads that failed permanently',
  arguments: [RULE],
  options: {
    settled: { takes: 'nothing', about: 'those that were archived since, are gone, or were settled' },
    ...LIST_OPTIONS,
  },
  prints: 'list',
  examples: [
    ['archive poison uploads', 'which ones, and why'],
    ['archive poison uploads --settled', 'who settled the others, when and why'],
  ],
  async run(session, input) {
    const { out } = session;
    const params = { rule: input.argument(0) };
    const isSettled = input.has('settled');
    const state = isSettled ? 'settled' : 'open';
    await printList(session, input, {
      page: (cursor, limit) =>
        session.api.call<'listPoison'>('GET', 'archives/{rule}/poison', { params, query: { state, limit, cursor } }),
      rowsOf: ({ uploads }) => uploads,
      columns: [
        { name: 'id', value: ({ id }) => id },
        { name: 'name', value: ({ name }) => name, shrinks: true },
        { name: 'since', value: ({ since }) => out.time(since), from: 100 },
        { name: 'times', value: ({ times }) => grouped(times), isNumber: true },
        { name: 'why', value: ({ code, message }) => `${code}: ${message}`, shrinks: true },
        ...(isSettled
          ? [{ name: 'settled', value: (upload: Poison) => settledWords(out, upload), shrinks: true }]
          : []),
      ],
      idOf: ({ id }) => id,
      none: isSettled ? 'None was settled.' : 'No upload has failed permanently.',
      ...{ usual: 100, most: 500 },
    });
    return EXIT.done;
  },
};

function settledWords(out: Output, { settledAt, settlement }: Pick<Poison, 'settledAt' | 'settlement'>): string {
  if (settlement === null) return `${out.time(settledAt)}: archived, or gone`;
  const { at, reason, by } = settlement;
  return `${out.time(at)} by ${by.name ?? by.via}: ${reason}`;
}

const settle: Command = {
  path: ['archive', 'settle'],
  about: 'Settle that an upload that failed permanently is not archived',
  details:
    'For what never can or need be. This version is left out from then on; a later version of the blob is archived ' +
    'as any other. ID is that of strongroom archive poison. It cannot be taken back: to archive the blob after all, ' +
    'upload it again.',
  arguments: [RULE, { name: 'ID' }],
  options: { reason: { takes: 'text', placeholder: 'TEXT', about: 'why; required' } },
  prints: 'document',
  examples: [
    [
      'archive settle uploads 5d0a7c1e9b3f42d6a8e0c4b2f1d39e57 --reason "a test file of the supplier"',
      'an empty file, or a name that the vault cannot have',
    ],
  ],
  async run(session, input) {
    const { out } = session;
    const { bytes, body } = await session.api.call<'settlePoison'>('POST', 'archives/{rule}/poison/{id}/settle', {
      params: { rule: input.argument(0), id: input.argument(1) },
      body: { reason: input.required('reason') },
    });
    if (out.format === 'json') out.bytes(bytes);
    else out.line(`${body.id}  settled ${settledWords(out, body)}`);
    return EXIT.done;
  },
};

const reprocess: Command = {
  path: ['archive', 'reprocess'],
  about: 'Try uploads that failed permanently again',
  arguments: [RULE],
  options: { id: { takes: 'text', placeholder: 'ID', about: 'only this one' }, ...WATCH_OPTIONS },
  prints: 'run',
  examples: [['archive reprocess uploads --watch', 'all of them, after you have solved the cause']],
  async run(session, input) {
    const id = input.text('id');
    const started = await session.api.call<'startReprocess'>('POST', 'archives/{rule}/reprocess', {
      params: { rule: input.argument(0) },
      body: id === undefined ? {} : { id },
    });
    return reportStart(session, input, started);
  },
};

export const ARCHIVES = commands(list, show, reconcile, receipts, poison, settle, reprocess);
