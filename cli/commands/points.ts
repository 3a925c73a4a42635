import { EXIT } from '../../host/exit-codes.ts';
import { type Command, commands } from '../command/command.ts';
import type { AnswerOf } from '../connect/api.ts';
import { asCommands } from '../connect/hints.ts';
import { counted, grouped, sizeOf } from '../print/amounts.ts';
import { LIST_OPTIONS, printList } from '../print/list.ts';
import { stateWord } from '../print/style.ts';
import type { Column } from '../print/table.ts';
import { reportStart, WATCH_OPTIONS } from '../runs/start-and-follow.ts';
import type { Session } from '../session.ts';

type Point = AnswerOf<'listRestorePoints'>['restorePoints'][number];
type Whole = AnswerOf<'getRestorePoint'>;
type Page = AnswerOf<'listPointBlobs'>;
/** A folder, or a blob. */
type Entry = { folder: string } | Page['items'][number];

const POINT = { name: 'POINT', completes: 'point' } as const;

const list: Command = {
  path: ['points', 'list'],
  about: 'List restore points, newest first',
  options: {
    job: { takes: 'text', placeholder: 'JOB', completes: 'job', about: 'only restore points of this job' },
    removed: { takes: 'nothing', about: 'also those that a prune marked for removal' },
    ...LIST_OPTIONS,
  },
  prints: 'list',
  examples: [
    ['points list', 'the newest restore points'],
    ['points list --job nightly --columns point,blobs,size', 'how they grew'],
    ['points list --quiet --limit 1', 'the id of the newest one'],
  ],
  async run(session, input) {
    await printList(session, input, {
      page: (cursor, limit) =>
        session.api.call<'listRestorePoints'>('GET', 'restore-points', {
          query: { job: input.text('job'), removed: input.has('removed') ? 'true' : 'false', limit, cursor },
        }),
      rowsOf: ({ restorePoints }) => restorePoints,
      columns: pointColumns(session),
      idOf: ({ id }) => id,
      none: 'There are no restore points. To make one: strongroom runs start JOB',
      ...{ usual: 20, most: 200 },
    });
    return EXIT.done;
  },
};

function pointColumns({ out }: Session): readonly Column<Point>[] {
  return [
    { name: 'point', value: ({ id }) => id },
    { name: 'time', value: ({ time }) => out.time(time), from: 100 },
    { name: 'state', value: (point) => stateWord(stateOf(point)) },
    { name: 'blobs', value: ({ blobs }) => amountOf(blobs), isNumber: true },
    { name: 'entities', value: ({ entities }) => amountOf(entities), isNumber: true },
    { name: 'size', value: ({ bytes }) => (bytes === null ? '' : sizeOf(bytes)), isNumber: true },
    { name: 'lacks', value: lacksOf, shrinks: true, from: 110 },
    { name: 'verified', value: ({ verified }) => verifiedOf(verified), from: 120 },
    { name: 'notes', value: notesOf, shrinks: true, from: 130 },
  ];
}

function amountOf(count: number | null): string {
  return count === null ? '' : grouped(count);
}

function stateOf({ problem, removed, status }: Pick<Point, 'problem' | 'removed' | 'status'>): string {
  if (problem) return problem.code;
  if (removed) return removed.emptied === undefined ? 'marked' : 'removed';
  return status === 'completed-with-failures' ? 'incomplete' : status;
}

function lacksOf({ lacks }: Pick<Point, 'lacks'>): string {
  if (lacks === null) return '';
  const { skipped, failed, containers, tables } = lacks;
  return [
    ...(failed > 0 ? [`${grouped(failed)} failed`] : []),
    ...(skipped > 0 ? [`${grouped(skipped)} skipped`] : []),
    ...[...containers, ...tables.map((table) => `table ${table}`)],
  ].join(', ');
}

function verifiedOf(verified: Point['verified']): string {
  if (!verified) return 'never';
  const { kind, portion, failed } = verified;
  return `${kind}${portion ? ` ${portion}` : ''}${failed > 0 ? `, ${grouped(failed)} failed` : ''}`;
}

function notesOf({ hold, brake }: Pick<Point, 'hold' | 'brake'>): string {
  return [
    ...(hold ? [`hold: ${hold.reason}`] : []),
    ...(brake && !brake.released ? [`brake: ${brake.reason}`] : []),
  ].join('; ');
}

const show: Command = {
  path: ['points', 'show'],
  about: 'Show a restore point: what it holds and lacks',
  arguments: [POINT],
  prints: 'document',
  examples: [['points show nightly-20261121T233000Z-k3f9q2', 'its containers and tables']],
  async run(session, input) {
    const { out } = session;
    const params = { id: input.argument(0) };
    const { bytes, body } = await session.api.call<'getRestorePoint'>('GET', 'restore-points/{id}', { params });
    if (out.format === 'json') out.bytes(bytes);
    else printPoint(session, body);
    return EXIT.done;
  },
};

function printPoint({ out }: Session, point: Whole): void {
  out.line(point.id, '  ', stateWord(stateOf(point)), `  ${out.time(point.time)}`);
  out.line(`from ${point.source}  in ${point.vault}`);
  const { blobs, entities, bytes } = point;
  const size = bytes === null ? '' : `, ${sizeOf(bytes)}`;
  if (blobs !== null && entities !== null) {
    out.line(`${counted(blobs, 'blob')}, ${counted(entities, 'entity', 'entities')}${size}`);
  }
  const lacks = lacksOf(point);
  if (lacks !== '') out.line({ text: 'lacks', style: 'yellow' }, `  ${lacks}`);
  const notes = notesOf(point);
  if (notes !== '') out.line(notes);
  out.line(`verified: ${verifiedOf(point.verified)}`);
  if (point.containersHeld.length > 0) {
    out.line('');
    out.table(containerColumns, point.containersHeld);
  }
  if (point.tablesHeld.length > 0) {
    out.line('');
    out.table(tableColumns, point.tablesHeld);
  }
}

const containerColumns: readonly Column<Whole['containersHeld'][number]>[] = [
  { name: 'container', value: ({ container }) => container, shrinks: true },
  { name: 'backup', value: ({ backupContainer }) => backupContainer, shrinks: true },
  { name: 'blobs', value: ({ blobs }) => grouped(blobs), isNumber: true },
  { name: 'failed', value: ({ failed }) => grouped(failed), isNumber: true },
  { name: 'skipped', value: ({ skipped }) => grouped(skipped), isNumber: true },
];

const tableColumns: readonly Column<Whole['tablesHeld'][number]>[] = [
  { name: 'table', value: ({ table }) => table, shrinks: true },
  { name: 'entities', value: ({ entities }) => grouped(entities), isNumber: true },
  { name: 'failed', value: ({ failed }) => grouped(failed), isNumber: true },
];

const ls: Command = {
  path: ['points', 'ls'],
  about: 'List the blobs of a restore point, folder by folder',
  arguments: [POINT],
  options: {
    container: { takes: 'text', placeholder: 'NAME', about: 'which container; required if there are several' },
    prefix: { takes: 'text', placeholder: 'TEXT', about: 'only names that start with this text, such as 2026/' },
    recursive: { takes: 'nothing', about: 'list the blobs in folders, too' },
    ...LIST_OPTIONS,
  },
  prints: 'list',
  examples: [
    ['points ls nightly-20261121T233000Z-k3f9q2 --container images', 'the folders and blobs at the top'],
    ['points ls nightly-20261121T233000Z-k3f9q2 --container images --prefix 2026/', 'one folder'],
    ['points ls nightly-20261121T233000Z-k3f9q2 --container images --recursive --all --quiet', 'every name'],
  ],
  async run(session, input) {
    const params = { id: input.argument(0) };
    const delimiter = input.has('recursive') ? undefined : '/';
    const query = { container: input.text('container'), prefix: input.text('prefix'), delimiter };
    await printList<Entry, Page>(session, input, {
      page: (cursor, limit) =>
        session.api.call<'listPointBlobs'>('GET', 'restore-points/{id}/blobs', {
          params,
          query: { ...query, limit, cursor },
        }),
      rowsOf: ({ folders, items }) => [...folders.map(({ prefix }) => ({ folder: prefix })), ...items],
      columns: entryColumns(session),
      idOf: (entry) => ('folder' in entry ? entry.folder : entry.name),
      none: 'There is nothing of that name.',
      ...{ usual: 1000, most: 5000 },
    });
    return EXIT.done;
  },
};

function entryColumns({ out }: Session): readonly Column<Entry>[] {
  return [
    {
      name: 'name',
      value: (entry) => ('folder' in entry ? { text: entry.folder, style: 'bold' } : entry.name),
      shrinks: true,
    },
    { name: 'size', value: (entry) => ('folder' in entry ? '' : sizeOf(entry.size)), isNumber: true },
    { name: 'modified', value: (entry) => ('folder' in entry ? '' : out.time(entry.modified)) },
    {
      name: 'state',
      value: (entry) =>
        'folder' in entry ? 'folder' : entry.code ? `${entry.status}: ${entry.code}` : stateWord(entry.status),
    },
    { name: 'etag', value: (entry) => ('folder' in entry ? '' : entry.etag), from: 120 },
  ];
}

type NoteAnswer = AnswerOf<'holdRestorePoint'>;

/** Prints what is noted of a restore point after a change. */
function printNoted({ out }: Session, { bytes, body }: { bytes: Uint8Array; body: NoteAnswer }, what: string): void {
  if (out.format === 'json') {
    out.bytes(bytes);
    return;
  }
  const notes = notesOf(body);
  out.line(`${body.id}  ${what}${notes === '' ? '' : `  (${notes})`}`);
}

const hold: Command = {
  path: ['points', 'hold'],
  about: 'Hold a restore point: no prune removes it',
  arguments: [POINT],
  options: { reason: { takes: 'text', placeholder: 'TEXT', about: 'why; required' } },
  prints: 'document',
  examples: [['points hold nightly-20261121T233000Z-k3f9q2 --reason "audit 2026"', 'keep it for the audit']],
  async run(session, input) {
    const answer = await session.api.call<'holdRestorePoint'>('POST', 'restore-points/{id}/hold', {
      params: { id: input.argument(0) },
      body: { reason: input.required('reason') },
    });
    printNoted(session, answer, 'is held');
    return EXIT.done;
  },
};

const unhold: Command = {
  path: ['points', 'unhold'],
  about: 'Remove the hold of a restore point',
  details: 'The next prune may remove it, by the retention policy of the job.',
  arguments: [POINT],
  prints: 'document',
  examples: [['points unhold nightly-20261121T233000Z-k3f9q2', 'let the policy decide again']],
  async run(session, input) {
    const params = { id: input.argument(0) };
    printNoted(
      session,
      await session.api.call<'unholdRestorePoint'>('POST', 'restore-points/{id}/unhold', { params }),
      'is not held',
    );
    return EXIT.done;
  },
};

const unmark: Command = {
  path: ['points', 'unmark'],
  about: 'Take back the mark of a prune, while all of the content is there',
  arguments: [POINT],
  prints: 'document',
  examples: [['points unmark nightly-20261121T233000Z-k3f9q2', 'it can be restored again, at once']],
  async run(session, input) {
    const params = { id: input.argument(0) };
    printNoted(
      session,
      await session.api.call<'unmarkRestorePoint'>('POST', 'restore-points/{id}/unmark', { params }),
      'is not marked. To keep the next prune from it, hold it',
    );
    return EXIT.done;
  },
};

const release: Command = {
  path: ['points', 'release'],
  about: 'Release the safety brake of a restore point',
  details: 'Look at what changed first: strongroom points show. Prunes may then remove older restore points again.',
  arguments: [POINT],
  options: { yes: { takes: 'nothing', about: 'ask nothing: you have looked' } },
  prints: 'document',
  examples: [['points release nightly-20261121T233000Z-k3f9q2', 'the change was intended']],
  async run(session, input) {
    const { out } = session;
    const params = { id: input.argument(0) };
    const releaseNow = async () => {
      const answer = await session.api.call<'releaseRestorePoint'>('POST', 'restore-points/{id}/release', { params });
      printNoted(session, answer, 'the brake is released');
      return EXIT.done;
    };
    if (!input.has('yes')) {
      const { body } = await session.api.call<'getRestorePoint'>('GET', 'restore-points/{id}', { params });
      // The app says that there is none, or keeps the first release.
      if (!body.brake || body.brake.released !== undefined) return await releaseNow();
      out.note(body.brake.reason);
      const isIntended = session.canAsk && (await session.confirms('Was this change intended?'));
      if (!isIntended) {
        out.note('The brake stays. If the change was intended, add --yes.');
        return EXIT.unconfirmed;
      }
    }
    return releaseNow();
  },
};

const forget: Command = {
  path: ['points', 'forget'],
  about: 'State that a restore point is lost, so that prunes continue',
  details: 'Only of a restore point whose summary is gone from the vault. The call deletes nothing itself.',
  arguments: [POINT],
  options: { yes: { takes: 'nothing', about: 'ask nothing: its summary cannot be restored' } },
  prints: 'document',
  examples: [['points forget nightly-20261121T233000Z-k3f9q2', 'its summary is lost for good']],
  async run(session, input) {
    const { out } = session;
    const id = input.argument(0);
    const question = `The next prune deletes what only ${id} needed. Is its summary lost for good?`;
    if (!input.has('yes') && !(session.canAsk && (await session.confirms(question)))) {
      out.note(`Nothing was changed. If the summary of ${id} is lost for good, add --yes.`);
      return EXIT.unconfirmed;
    }
    const answer = await session.api.call<'forgetRestorePoint'>('POST', 'restore-points/{id}/forget', {
      params: { id },
    });
    if (out.format === 'json') out.bytes(answer.bytes);
    else out.line(`${id}  is on record as lost`);
    return EXIT.done;
  },
};

const verify: Command = {
  path: ['points', 'verify'],
  about: 'Verify a restore point by listing, by reading, or by a test restore',
  details: 'A drill restores a sample into scratch containers in the vault, compares it, and deletes them.',
  arguments: [{ ...POINT, isOptional: true }],
  options: {
    job: { takes: 'text', placeholder: 'JOB', completes: 'job', about: 'the job, if POINT is absent: its newest one' },
    kind: { takes: 'text', placeholder: 'KIND', oneOf: ['quick', 'deep', 'drill'], about: 'default: quick' },
    portion: { takes: 'text', placeholder: '5%', about: 'with --kind deep: how much to read, such as 5% or 1/7' },
    sample: { takes: 'count', placeholder: 'N', about: 'with --kind drill: how many blobs to restore' },
    ...WATCH_OPTIONS,
  },
  prints: 'run',
  examples: [
    ['points verify --watch', 'compare the newest restore point with the vault'],
    ['points verify --job nightly --kind deep --portion 5% --watch', 'read 5 % of it'],
    ['points verify nightly-20261121T233000Z-k3f9q2 --kind drill --watch', 'restore a sample'],
  ],
  async run(session, input) {
    const [portion, job, sample] = [input.text('portion'), input.text('job'), input.count('sample')];
    const started = await session.api.call<'startVerification'>('POST', 'verifications', {
      body: {
        restorePoint: input.arguments[0] ?? 'latest',
        kind: (input.text('kind') ?? 'quick') as 'quick' | 'deep' | 'drill',
        ...(job !== undefined && { job }),
        ...(portion !== undefined && { portion }),
        ...(sample !== undefined && { sample }),
      },
    });
    return reportStart(session, input, started);
  },
};

const proof: Command = {
  path: ['points', 'proof'],
  about: 'Show what was verified of a restore point, with its records and their hashes',
  arguments: [POINT],
  prints: 'document',
  examples: [['points proof nightly-20261121T233000Z-k3f9q2 > proof.txt', 'a document for an auditor']],
  async run(session, input) {
    const { out } = session;
    const params = { id: input.argument(0) };
    const { bytes, body } = await session.api.call<'showProof'>('GET', 'restore-points/{id}/proof', { params });
    if (out.format === 'json') out.bytes(bytes);
    else for (const line of body.text) out.line(line);
    if (out.format === 'text' && body.chain.problem) out.note(asCommands(body.chain.problem));
    return EXIT.done;
  },
};

export const POINTS = commands(list, show, ls, hold, unhold, unmark, release, forget, verify, proof);
