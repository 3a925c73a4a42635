import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, type ExitCode } from '../../host/exit-codes.ts';
import { UsageError } from '../cli-error.ts';
import { commands } from '../command/command.ts';
import type { Answer, AnswerOf } from '../connect/api.ts';
import { asCommands } from '../connect/hints.ts';
import { isPassing, isRestart } from '../connect/refusal.ts';
import { counted, grouped, roughly, sizeOf } from '../print/amounts.ts';
import { chosen } from '../print/list.ts';
import { stateWord } from '../print/style.ts';
import type { Column } from '../print/table.ts';
import type { Session } from '../session.ts';

type Overview = AnswerOf<'overview'>;
type JobRow = Overview['jobs'][number];
type RuleRow = Overview['archives'][number];
type Row = JobRow | RuleRow;

/** Milliseconds between two looks. The app gives everyone the same overview for ten seconds. */
const INTERVAL = 10_000;

export const STATUS = commands({
  path: ['status'],
  about: 'Show whether everything is all right, and how each job and archive rule stands',
  details:
    'Exits with 6 if something needs attention: any condition of the watch above the severity info. A job that is ' +
    'paused or has no backup yet is named, and alone does not change the exit code.',
  options: {
    watch: { takes: 'nothing', about: 'look again every ten seconds, until Ctrl-C' },
  },
  prints: 'board',
  examples: [
    ['status', 'one look'],
    ['status --watch', 'keep looking'],
    ['status --json', 'the overview as the API answers it, for a script'],
  ],
  async run(session, input) {
    const { out, world } = session;
    if (out.format === 'json' && input.has('watch'))
      throw new UsageError('--json is one document. Use --jsonl --watch.');
    const columns = chosen(columnsOf(session), input.text('columns'));
    let last = '';
    const show = ({ bytes, body }: Answer<Overview>) => {
      const isNew = JSON.stringify(body) !== last;
      last = JSON.stringify(body);
      if (out.format === 'json') out.bytes(bytes);
      else if (out.format === 'jsonl' && isNew) out.json(body);
      else if (out.format === 'text' && (isNew || out.isTerminal)) {
        if (input.has('watch') && out.isTerminal) world.stdout.write('\x1b[H\x1b[J');
        printOverview(session, body, columns);
      }
      return codeOf(body);
    };
    const look = () => session.api.call<'overview'>('GET', 'overview');
    if (!input.has('watch')) return show(await look());
    for (let isSeen = false; ; ) {
      try {
        show(await look());
        isSeen = true;
      } catch (error) {
        if (world.interrupted.aborted) return EXIT.interrupted;
        if (!(isSeen ? isRestart : isPassing)(error)) throw error;
        out.note(`${error.message.split('\n')[0]}; asking again`);
      }
      await sleep(INTERVAL, undefined, { signal: world.interrupted }).catch(() => undefined);
      if (world.interrupted.aborted) return EXIT.interrupted;
      if (out.isClosed) return EXIT.waitOver;
    }
  },
});

function codeOf({ totals: { conditions } }: Overview): ExitCode {
  return conditions.warning + conditions.error + conditions.critical > 0 ? EXIT.attention : EXIT.done;
}

function printOverview(session: Session, overview: Overview, columns: readonly Column<Row>[]): void {
  const { out, world } = session;
  const { conditions, instance } = overview;
  const where = [instance, out.time(world.now().toISOString())].filter(Boolean).join(' · ');
  const verdict = verdictOf(overview);
  out.line(verdict, `  ${where}`);
  for (const { severity, title, message, hint, since } of conditions) {
    out.line('  ', stateWord(severity), `  ${title}. ${message}`);
    out.line({ text: `      since ${out.time(since)}. ${asCommands(hint)}`, style: 'dim' });
  }
  out.line('');
  out.table(columns, [...overview.jobs, ...overview.archives]);
}

/** Decided as on the page: what is paused, or was never backed up, needs nothing, and is not all right. */
function verdictOf(overview: Overview) {
  const { conditions, jobs, archives } = overview;
  if (codeOf(overview) !== EXIT.done) {
    return { text: `${counted(conditions.length, 'thing')} to look at`, style: 'red' } as const;
  }
  const never = jobs.filter(({ restorePoint }) => restorePoint === null).length;
  if (never > 0 && never === jobs.length) return { text: 'Nothing has been backed up yet', style: 'yellow' } as const;
  const paused = [...jobs, ...archives].filter((each) => each.paused !== null).length;
  const words = [
    ...(never > 0 ? [`${counted(never, 'job')} ${never === 1 ? 'has' : 'have'} no backup yet`] : []),
    ...(paused > 0 ? [`${paused} ${paused === 1 ? 'is' : 'are'} paused`] : []),
  ];
  if (words.length > 0) return { text: words.join(', '), style: 'yellow' } as const;
  return { text: 'Everything is all right', style: 'green' } as const;
}

function columnsOf({ out, world }: Session): readonly Column<Row>[] {
  const age = (time: string) => roughly((world.now().getTime() - Date.parse(time)) / 1000);
  return [
    { name: 'name', value: ({ name }) => name },
    { name: 'state', value: ({ state }) => stateWord(state) },
    { name: 'last', value: ({ runs, running }) => lastOf(runs, running, age) },
    { name: 'restore-point', value: (row) => ('restorePoint' in row ? (row.restorePoint?.id ?? '') : '') },
    { name: 'verified', value: (row) => verifiedOf(row, age), from: 100 },
    { name: 'items', value: itemsOf, isNumber: true, from: 100 },
    { name: 'size', value: sizeOfRow, isNumber: true, from: 110 },
    { name: 'next', value: ({ runs }) => out.time(runs[0]?.next), from: 130 },
  ];
}

function lastOf(runs: Row['runs'], running: Row['running'], age: (time: string) => string): string {
  const [now] = running;
  if (now) return `${now.mode} for ${age(now.startedAt)}${now.isSilent ? ', silent' : ''}`;
  const last = runs[0]?.last;
  return last
    ? `${last.status === 'completed-with-failures' ? 'incomplete' : last.status} ${age(last.finishedAt)} ago`
    : '';
}

function verifiedOf(row: Row, age: (time: string) => string): string {
  if (!('restorePoint' in row) || !row.restorePoint) return '';
  const { verified } = row.restorePoint;
  if (!verified) return 'never';
  const { kind, portion, failed, at } = verified;
  return `${kind}${portion ? ` ${portion}` : ''} ${age(at)} ago${failed > 0 ? `, ${grouped(failed)} failed` : ''}`;
}

function itemsOf(row: Row): string {
  if (!('restorePoint' in row)) return row.failedPermanently ? `${grouped(row.failedPermanently)} failed` : '';
  const { blobs = null, entities = null } = row.restorePoint ?? {};
  return blobs === null || entities === null ? '' : grouped(blobs + entities);
}

function sizeOfRow(row: Row): string {
  const bytes = 'restorePoint' in row ? row.restorePoint?.bytes : undefined;
  return typeof bytes === 'number' ? sizeOf(bytes) : '';
}
