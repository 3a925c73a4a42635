import { EXIT } from '../../host/exit-codes.ts';
import { type Command, commands } from '../command/command.ts';
import type { AnswerOf } from '../connect/api.ts';
import { grouped, lasting, sizeOf } from '../print/amounts.ts';
import { LIST_OPTIONS, printList } from '../print/list.ts';
import { stateWord } from '../print/style.ts';
import type { Column } from '../print/table.ts';
import { endOf, kindOf, progressWords, type Report, type Row, whyOf } from '../runs/describe-run.ts';
import { asksForFull } from '../runs/full-run.ts';
import { printEnd, printHead } from '../runs/print-run.ts';
import { reportStart, WATCH_OPTIONS, watchToEnd } from '../runs/start-and-follow.ts';
import type { Session } from '../session.ts';

type Outcome = AnswerOf<'listOutcomes'>['items'][number];

const RUN = { name: 'RUN', completes: 'run' } as const;
const MODES = ['full', 'incremental', 'retry', 'restore', 'verify', 'prune', 'reconcile', 'reprocess'] as const;
const STATUSES = ['running', 'succeeded', 'completed-with-failures', 'failed', 'cancelled', 'not-started'] as const;
const TRIGGERS = ['timer', 'http', 'run'] as const;
const OUTCOMES = ['copied', 'unchanged', 'skipped', 'failed', 'removed', 'planned', 'no-longer-held'] as const;

const list: Command = {
  path: ['runs', 'list'],
  about: 'List runs, newest first',
  options: {
    job: {
      takes: 'text',
      placeholder: 'JOB',
      completes: 'job-or-rule',
      about: 'only runs of this job or archive rule',
    },
    mode: { takes: 'text', placeholder: 'MODE', oneOf: MODES, about: 'only runs of this mode' },
    status: { takes: 'text', placeholder: 'STATUS', oneOf: STATUSES, about: 'only runs with this status' },
    trigger: { takes: 'text', placeholder: 'WHAT', oneOf: TRIGGERS, about: 'only runs that this started' },
    from: { takes: 'time', placeholder: 'TIME', about: 'only runs that started then or later' },
    to: { takes: 'time', placeholder: 'TIME', about: 'only runs that started then or earlier' },
    ...LIST_OPTIONS,
  },
  prints: 'list',
  examples: [
    ['runs list', 'the newest runs'],
    ['runs list --job nightly --status failed --from 2026-11-01', 'what failed since then'],
    ['runs list --jsonl --all', 'every run, one line of JSON each'],
  ],
  async run(session, input) {
    await printList(session, input, {
      page: (cursor, limit) =>
        session.api.call<'listRuns'>('GET', 'runs', {
          query: {
            job: input.text('job'),
            mode: input.text('mode') as (typeof MODES)[number] | undefined,
            status: input.text('status') as (typeof STATUSES)[number] | undefined,
            trigger: input.text('trigger') as (typeof TRIGGERS)[number] | undefined,
            ...{ from: input.text('from'), to: input.text('to'), limit, cursor },
          },
        }),
      rowsOf: ({ runs }) => runs,
      columns: rowColumns(session),
      idOf: ({ id }) => id,
      none: 'There are no such runs.',
      ...{ usual: 20, most: 500 },
    });
    return EXIT.done;
  },
};

function rowColumns({ out }: Session): readonly Column<Row>[] {
  return [
    { name: 'end', value: ({ status }) => stateWord(endOf(status)) },
    { name: 'run', value: ({ id }) => id },
    { name: 'kind', value: kindOf },
    { name: 'started', value: ({ startedAt }) => out.time(startedAt), from: 110 },
    { name: 'took', value: ({ seconds }) => (seconds === null ? '' : lasting(seconds)), isNumber: true, from: 100 },
    { name: 'why', value: whyOf, shrinks: true },
  ];
}

const show: Command = {
  path: ['runs', 'show'],
  about: 'Show a run: status, counts, progress, problems and what to do',
  arguments: [RUN],
  options: {
    all: { takes: 'nothing', about: 'show every container and table, not only those with problems' },
  },
  prints: 'document',
  examples: [
    ['runs show nightly-20261121T233000Z-k3f9q2', 'how it stands'],
    ['runs show nightly-20261121T233000Z-k3f9q2 --all', 'with each container and table'],
    ['runs show nightly-20261121T233000Z-k3f9q2 --json', 'the whole report'],
  ],
  async run(session, input) {
    const { out } = session;
    const isWhole = out.format === 'json' || input.has('all');
    const { bytes, body } = await session.api.call<'getRun'>('GET', 'runs/{id}', {
      params: { id: input.argument(0) },
      query: { containers: isWhole ? 'all' : 'problems' },
    });
    if (out.format === 'json') {
      out.bytes(bytes);
      return EXIT.done;
    }
    printHead(out, body);
    if (body.status === 'running') out.line(progressWords(body));
    printEnd(out, body);
    if (body.containers.length > 0) {
      out.line('');
      out.table(containerColumns, body.containers);
    }
    if (body.status === 'running') out.note(`To watch it: strongroom runs watch ${body.id}`);
    return EXIT.done;
  },
};

const containerColumns: readonly Column<Report['containers'][number]>[] = [
  { name: 'end', value: ({ status }) => stateWord(endOf(status)) },
  { name: 'container', value: ({ container }) => container, shrinks: true },
  { name: 'to', value: ({ destination }) => destination, shrinks: true, from: 100 },
  { name: 'listed', value: ({ counts }) => grouped(counts.listed), isNumber: true },
  { name: 'copied', value: ({ counts }) => grouped(counts.copied), isNumber: true },
  { name: 'size', value: ({ bytes }) => sizeOf(bytes.copied), isNumber: true },
  { name: 'failed', value: ({ counts }) => grouped(counts.failed), isNumber: true },
];

const watch: Command = {
  path: ['runs', 'watch'],
  about: 'Wait until a run has ended, and exit with a code for its result',
  details: 'Ctrl-C ends the wait; the run continues.',
  arguments: [RUN],
  options: { timeout: { takes: 'duration', placeholder: '30m', about: 'how long to wait; the run continues' } },
  prints: 'watch',
  examples: [
    ['runs watch nightly-20261121T233000Z-k3f9q2', 'show its progress on stderr'],
    ['runs watch nightly-20261121T233000Z-k3f9q2 --timeout 2h', 'exit with 75 if it takes longer'],
    ['runs watch nightly-20261121T233000Z-k3f9q2 --jsonl', 'one line of JSON for each look'],
  ],
  run: (session, input) => watchToEnd(session, input, input.argument(0)),
};

const start: Command = {
  path: ['runs', 'start'],
  about: 'Start a backup',
  details:
    'Without --mode, the backup has the mode of the job in strongroom.json. A full run copies every blob again: the ' +
    'command says first what that costs, and asks at a terminal.',
  arguments: [{ name: 'JOB', completes: 'job' }],
  options: {
    mode: {
      takes: 'text',
      placeholder: 'MODE',
      oneOf: ['incremental', 'full', 'configured'],
      about: 'copy changes, or everything (default: configured)',
    },
    'dry-run': { takes: 'nothing', about: 'list and decide everything, copy nothing, and store the plan' },
    ...WATCH_OPTIONS,
    yes: { takes: 'nothing', about: 'ask nothing' },
  },
  prints: 'run',
  examples: [
    ['runs start nightly --watch', 'back up, and wait for the end'],
    ['runs start nightly --mode full --yes', 'copy everything again'],
    ['runs start nightly --dry-run --watch', 'see what a backup would copy'],
  ],
  async run(session, input) {
    const job = input.argument(0);
    const mode = (input.text('mode') ?? 'configured') as 'incremental' | 'full' | 'configured';
    const dryRun = input.has('dry-run');
    if (!dryRun && !(await asksForFull(session, { job, mode, isYes: input.has('yes') }))) return EXIT.unconfirmed;
    const started = await session.api.call<'startRun'>('POST', 'jobs/{job}/runs', {
      params: { job },
      body: { mode, dryRun },
    });
    return reportStart(session, input, started);
  },
};

const cancel: Command = {
  path: ['runs', 'cancel'],
  about: 'Cancel a run',
  details: 'Copies in progress finish, and the run ends within seconds. The next run continues from the vault.',
  arguments: [RUN],
  options: { force: { takes: 'nothing', about: 'end it at once, even if it no longer responds' } },
  prints: 'document',
  examples: [
    ['runs cancel nightly-20261121T233000Z-k3f9q2', 'ask it to end'],
    ['runs cancel nightly-20261121T233000Z-k3f9q2 --force', 'end a run whose host is gone'],
  ],
  async run(session, input) {
    const { out } = session;
    const id = input.argument(0);
    const { bytes, body } = await session.api.call<'cancelRun'>('POST', 'runs/{id}/cancel', {
      params: { id },
      body: { force: input.has('force') },
    });
    if (out.format === 'json') out.bytes(bytes);
    else if (body.cancelling) out.line(`Requested. To see it end: strongroom runs watch ${id}`);
    else out.line(stateWord(endOf(body.status)), `  ${id}`);
    if (out.format === 'text' && 'hint' in body && body.hint) {
      out.note(`It gives no sign of life. To end it at once: strongroom runs cancel ${id} --force`);
    }
    return EXIT.done;
  },
};

const retry: Command = {
  path: ['runs', 'retry'],
  about: 'Retry what failed in a backup or restore',
  arguments: [RUN],
  options: WATCH_OPTIONS,
  prints: 'run',
  examples: [['runs retry nightly-20261121T233000Z-k3f9q2 --watch', 'copy only what failed, and wait for the end']],
  async run(session, input) {
    const params = { id: input.argument(0) };
    return reportStart(session, input, await session.api.call<'retryRun'>('POST', 'runs/{id}/retry', { params }));
  },
};

const outcomes: Command = {
  path: ['runs', 'outcomes'],
  about: 'List what a run did to each blob',
  arguments: [RUN],
  options: {
    status: { takes: 'text', placeholder: 'STATUS', oneOf: OUTCOMES, about: 'only these outcomes' },
    container: { takes: 'text', placeholder: 'NAME', about: 'only this container, or table.NAME' },
    problem: { takes: 'text', placeholder: 'CODE', about: 'only outcomes with this code' },
    prefix: { takes: 'text', placeholder: 'TEXT', about: 'only names that start with this text' },
    ...LIST_OPTIONS,
  },
  prints: 'list',
  examples: [
    ['runs outcomes nightly-20261121T233000Z-k3f9q2 --status failed', 'what failed, and why'],
    ['runs outcomes nightly-20261121T233000Z-k3f9q2 --status planned', 'what a dry run would do'],
    ['runs outcomes nightly-20261121T233000Z-k3f9q2 --jsonl --all', 'everything, exactly'],
  ],
  async run(session, input) {
    const params = { id: input.argument(0) };
    await printList(session, input, {
      page: (cursor, limit) =>
        session.api.call<'listOutcomes'>('GET', 'runs/{id}/outcomes', {
          params,
          query: {
            status: input.text('status') as (typeof OUTCOMES)[number] | undefined,
            ...{ container: input.text('container'), problem: input.text('problem'), prefix: input.text('prefix') },
            ...{ limit, cursor },
          },
        }),
      rowsOf: ({ items }) => items,
      columns: outcomeColumns,
      idOf: ({ name }) => name,
      none: 'The run has no such outcomes.',
      ...{ usual: 1000, most: 5000 },
    });
    return EXIT.done;
  },
};

const outcomeColumns: readonly Column<Outcome>[] = [
  { name: 'status', value: ({ status }) => stateWord(status) },
  { name: 'container', value: ({ container }) => container, shrinks: true },
  { name: 'name', value: ({ name }) => name, shrinks: true },
  { name: 'size', value: ({ size }) => (size === undefined ? '' : sizeOf(size)), isNumber: true },
  {
    name: 'why',
    value: ({ code, message, reason }) => (code ? `${code}${message ? `: ${message}` : ''}` : (reason ?? '')),
    shrinks: true,
  },
];

export const RUNS = commands(list, show, watch, start, cancel, retry, outcomes);
