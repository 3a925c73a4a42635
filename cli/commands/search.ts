import { EXIT } from '../../host/exit-codes.ts';
import { UsageError } from '../cli-error.ts';
import { type Command, commands } from '../command/command.ts';
import type { AnswerOf } from '../connect/api.ts';
import { counted, sizeOf } from '../print/amounts.ts';
import { LIST_OPTIONS, printList } from '../print/list.ts';
import type { Column } from '../print/table.ts';
import type { Session } from '../session.ts';

type Found = AnswerOf<'searchNames'>['items'][number];
type Version = AnswerOf<'blobHistory'>['versions'][number];

const JOB = {
  takes: 'text',
  placeholder: 'JOB',
  completes: 'job',
  about: 'the job; required if there are several',
} as const;

const find: Command = {
  path: ['find'],
  about: 'Search a restore point for blobs by name, or all older ones for blobs that are gone',
  arguments: [{ name: 'TEXT' }],
  options: {
    job: JOB,
    point: { takes: 'text', placeholder: 'POINT', completes: 'point', about: 'where to search (default: latest)' },
    older: { takes: 'nothing', about: 'search all earlier restore points for what the newest one does not hold' },
    container: { takes: 'text', placeholder: 'NAME', about: 'only this container' },
    match: {
      takes: 'text',
      placeholder: 'HOW',
      oneOf: ['contains', 'prefix', 'glob'],
      about: 'names that contain TEXT, start with it, or match it (default: contains)',
    },
    ...LIST_OPTIONS,
  },
  prints: 'list',
  examples: [
    ['find invoice', 'in the newest restore point'],
    ['find "2026/**/*.jpg" --match glob --container images', 'by a pattern'],
    ['find invoice --point nightly-20261121T233000Z-k3f9q2 --jsonl --all', 'in an earlier one, exactly'],
    ['find invoice --older', 'what is gone, with the newest restore point that holds it'],
  ],
  async run(session, input) {
    const isOlder = input.has('older');
    if (isOlder && input.has('point')) throw new UsageError('Choose one of --point and --older.');
    const restorePoint = isOlder ? 'older' : input.text('point');
    const unread = new Map<string, string>();
    await printList(session, input, {
      page: async (cursor, limit) => {
        const answer = await session.api.call<'searchNames'>('GET', 'search', {
          query: {
            q: input.argument(0),
            match: input.text('match') as 'contains' | 'prefix' | 'glob' | undefined,
            ...{ job: input.text('job'), restorePoint, container: input.text('container') },
            ...{ limit, cursor },
          },
        });
        for (const { id, message } of answer.body.unread ?? []) unread.set(id, message);
        return answer;
      },
      rowsOf: ({ items }) => items,
      columns: foundColumns(session, isOlder),
      idOf: ({ name }) => name,
      none: isOlder
        ? 'No older restore point holds anything of that name that the newest one lacks.'
        : 'The restore point holds nothing of that name. An earlier one may: --older.',
      ...{ usual: 100, most: 500 },
      progress: ({ parts, restorePoint: { id } }) =>
        `${isOlder ? `${id}: ` : ''}searched ${parts.scanned} of ${counted(parts.total, 'part')}`,
    });
    for (const [id, message] of unread) session.out.note(`${id} was not searched in full: ${message}`);
    return EXIT.done;
  },
};

function foundColumns({ out }: Session, isOlder: boolean): readonly Column<Found>[] {
  return [
    { name: 'container', value: ({ container }) => container, shrinks: true },
    { name: 'name', value: ({ name }) => name, shrinks: true },
    { name: 'size', value: ({ size }) => sizeOf(size), isNumber: true },
    { name: 'modified', value: ({ modified }) => out.time(modified), from: isOlder ? 100 : 0 },
    // The search of one restore point finds everything in it.
    ...(isOlder ? [{ name: 'point', value: ({ restorePoint }: Found) => restorePoint.id }] : []),
  ];
}

const history: Command = {
  path: ['history'],
  about: 'List every version of one blob that the restore points hold, newest first',
  arguments: [{ name: 'CONTAINER' }, { name: 'NAME' }],
  options: { job: JOB, ...LIST_OPTIONS },
  prints: 'list',
  examples: [
    ['history images 2026/a.jpg', 'which versions there are, and where'],
    ['history images 2026/a.jpg --quiet', 'the newest restore point of each version'],
    ['history images -- --help', 'a name that begins with a hyphen'],
  ],
  async run(session, input) {
    await printList(session, input, {
      page: (cursor) =>
        session.api.call<'blobHistory'>('GET', 'blobs/history', {
          // The limit of this call is of restore points, not of versions.
          query: { container: input.argument(0), name: input.argument(1), job: input.text('job'), cursor },
        }),
      rowsOf: ({ versions }) => versions,
      columns: versionColumns(session),
      idOf: ({ restorePoints }) => restorePoints[0]?.id ?? '',
      none: 'No restore point holds a blob of exactly this name. To look for it: strongroom find TEXT',
      ...{ usual: 500, most: 500 },
      progress: ({ absent }) => `searched, ${counted(absent, 'restore point')} without it`,
    });
    return EXIT.done;
  },
};

function versionColumns({ out }: Session): readonly Column<Version>[] {
  return [
    { name: 'modified', value: ({ modified }) => out.time(modified) },
    { name: 'size', value: ({ size }) => sizeOf(size), isNumber: true },
    { name: 'newest-point', value: ({ restorePoints }) => restorePoints[0]?.id ?? '' },
    { name: 'held-by', value: ({ restorePoints }) => counted(restorePoints.length, 'point'), isNumber: true },
    { name: 'since', value: ({ first }) => out.time(first), from: 100 },
    { name: 'md5', value: ({ md5 }) => md5 ?? '', from: 130 },
    { name: 'etag', value: ({ etag }) => etag, from: 130 },
  ];
}

export const SEARCH = commands(find, history);
