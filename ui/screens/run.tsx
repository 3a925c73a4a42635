import { useEffect, useRef, useState } from 'preact/hooks';
import { useAction } from '../app/action.ts';
import { get, post } from '../app/api.ts';
import { lacking } from '../app/caller.ts';
import { now } from '../app/clock.ts';
import { usePolled } from '../app/poll.ts';
import { at, go, link } from '../app/router.ts';
import { commandOf } from '../model/command.ts';
import { shownText } from '../model/name.ts';
import { counted, number } from '../model/quantity.ts';
import {
  doneOf,
  extentOf,
  goneText,
  headOf,
  laterRuns,
  type ProblemGroup,
  paceOfRun,
  problemGroups,
  progressOf,
  type Rate,
  rateBetween,
  stepsOf,
  summaryText,
  taskLines,
  tookText,
} from '../model/run.ts';
import { isBackup, type Report, resultOf, starterOf, titleOf } from '../model/run-words.ts';
import { announce } from '../parts/announce.tsx';
import { Button, ButtonLink } from '../parts/button.tsx';
import { Copy, CopyCommand } from '../parts/copy.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { Hint } from '../parts/hint.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { useMany } from '../parts/many.tsx';
import { Mark } from '../parts/mark.tsx';
import { Name } from '../parts/name.tsx';
import { Outcomes } from '../parts/outcomes.tsx';
import { ErrorBox, Note } from '../parts/problem.tsx';
import { Progress } from '../parts/progress.tsx';
import { Screen, Section } from '../parts/screen.tsx';
import { StartBackup } from '../parts/start-backup.tsx';
import { Table } from '../parts/table.tsx';
import { At } from '../parts/time.tsx';

/** A run: what it does, or how it ended, why, and what to do. */
export function Run({ id }: { id: string }) {
  const polled = usePolled(
    `run ${id}`,
    (signal) => get('getRun', at`runs/${id}`, { containers: 'none' }, signal),
    paceOfRun,
  );
  const report = polled.data;
  const head = report && headOf(report);
  const status = report?.status;
  const before = useRef(status);
  useEffect(() => {
    if (before.current === 'running' && status !== 'running' && head) announce(head.title);
    before.current = status;
  }, [status, head]);
  return (
    <Screen
      title={head?.title ?? id}
      tab={head?.tab}
      trail={[[link('/runs'), 'Runs']]}
      actions={report && <RunActions report={report} again={polled.again} />}
    >
      <Loaded of={polled} lines={8}>
        {(data) => <Whole report={data} />}
      </Loaded>
    </Screen>
  );
}

function Whole({ report }: { report: Report }) {
  const { id, job, mode, status, startedAt, by, retryOf, follows, comparedWith } = report;
  const head = headOf(report);
  const gone = goneText(report);
  const starter = starterOf({ by, trigger: report.trigger });
  return (
    <>
      <div class="stand">
        <Mark mark={head.mark} />
        <span>
          <At time={startedAt} /> {starter}, {tookText(report, now.value)}
        </span>
        {retryOf !== undefined && (
          <span>
            retries <a href={link(at`/runs/${retryOf}`)}>an earlier run</a>
          </span>
        )}
        {follows !== undefined && (
          <span>
            follows <a href={link(at`/runs/${follows}`)}>another run</a>
          </span>
        )}
        {laterRuns(report).map(([later, text]) => (
          <span key={later}>
            {text} <a href={link(at`/runs/${later}`)}>a later run</a>
          </span>
        ))}
      </div>
      {head.meaning !== '' && (
        <p class="lead">
          {head.meaning}{' '}
          {isBackup(report) && status !== 'succeeded' && status !== 'running' && <EarlierPoint job={job} />}
        </p>
      )}
      {status === 'running' && <InProgress report={report} />}
      <Problems report={report} />
      {status !== 'running' && (
        <p>
          {resultOf(report)}.{' '}
          {gone !== '' && comparedWith !== undefined && (
            <>
              No longer held, compared with <a href={link(at`/points/${comparedWith}`)}>the restore point before</a>:{' '}
              {gone}.
            </>
          )}
        </p>
      )}
      <Tasks report={report} />
      <Details report={report} />
      <p class="small">
        <code>{id}</code> · {titleOf(report)} <span class="unseen">{mode}</span>
      </p>
    </>
  );
}

/** After a backup that left nothing: what there is. */
function EarlierPoint({ job }: { job: string }) {
  const { data } = usePolled(`point of ${job}`, (signal) =>
    get('listRestorePoints', 'restore-points', { job, limit: 20 }, signal),
  );
  const [newest] = data?.restorePoints ?? [];
  if (!newest) return null;
  return (
    <>
      The newest one is of{' '}
      <a href={link(at`/points/${newest.id}`)}>
        <At time={newest.time} />
      </a>
      .
    </>
  );
}

/** Asks before it stops something; a force needs another permission and time. */
function RunActions({ report, again }: { report: Report; again: () => void }) {
  const { id, mode, status, cancelling, actions, startedAt } = report;
  const [asks, setAsks] = useState<'no' | 'cancel' | 'force'>('no');
  const head = headOf(report);
  const permission = mode === 'restore' ? 'restore' : mode === 'prune' && report.prune?.plan ? 'prune' : 'run';
  const retry = useAction(async () => {
    const started = await post('retryRun', at`runs/${id}/retry`);
    go(link(at`/runs/${started.id}`));
  });
  const waits = cancelling && now.value.getTime() - Date.parse(report.progressAt ?? startedAt) > 60_000;
  const cancel = async () => {
    await post('cancelRun', at`runs/${id}/cancel`, { force: asks === 'force' });
    again();
  };
  return (
    <>
      {actions.retry.may && status !== 'running' && (
        <Button kind="main" isBusy={retry.isBusy} why={lacking(permission)} onClick={retry.begin}>
          {report.counts.failed > 0
            ? `Try the ${number(report.counts.failed)} that failed again`
            : 'Try what failed again'}
        </Button>
      )}
      {actions.retry.may && status !== 'running' && (
        <CopyCommand needs={permission} line={commandOf('runs retry', [id])} />
      )}
      {head.result !== null && <ButtonLink to={link(head.result.to)}>{head.result.text}</ButtonLink>}
      {actions.cancel.may && !cancelling && (
        <Button why={lacking(permission)} onClick={() => setAsks('cancel')}>
          Cancel
        </Button>
      )}
      {waits && (
        <Button kind="danger" why={lacking('protect')} onClick={() => setAsks('force')}>
          End it by force
        </Button>
      )}
      {retry.error && <ErrorBox error={retry.error} />}
      {asks !== 'no' && (
        <Confirm
          title={asks === 'force' ? 'End this run by force?' : `Stop the ${titleOf(report)} of ${report.job}?`}
          action={asks === 'force' ? 'End it by force' : 'Stop it'}
          isDanger
          command={commandOf('runs cancel', [id], asks === 'force' ? [['force', true]] : [])}
          run={cancel}
          onClose={() => setAsks('no')}
        >
          <p>{asks === 'force' ? FORCED : (LEFT[mode] ?? LEFT.full)}</p>
        </Confirm>
      )}
    </>
  );
}

const FORCED =
  'The run ends at once, without the work that is in progress. Do this only if it does not stop by itself: what it was writing may be unfinished.';
const BACKUP_LEFT =
  'What is copied stays in the vault, and the next backup continues from there. This run leaves no restore point.';
const LEFT: Readonly<Record<string, string>> = {
  full: BACKUP_LEFT,
  incremental: BACKUP_LEFT,
  retry: BACKUP_LEFT,
  restore: 'What is restored stays where it is. The rest is not written.',
  verify: 'Nothing is stated about what it has not checked. Nothing changes.',
  prune: 'What is deleted stays deleted. The next prune continues.',
  reconcile: 'What is archived stays archived. The next reconciliation continues.',
  reprocess: 'What is archived stays archived. The rest stays as it is.',
};

function InProgress({ report }: { report: Report }) {
  const rate = useRate(report);
  const { fraction, amount, left, speed, silence } = progressOf(report, rate, now.value);
  return (
    <section class="card" aria-label="Progress">
      <div class="amount">
        <strong>{fraction === null ? amount : `${Math.floor(fraction * 100)} %`}</strong>
        {fraction !== null && <span>{amount}</span>}
        {left !== '' && <span>{left}</span>}
        {speed !== '' && <span class="muted">{speed}</span>}
      </div>
      <Progress fraction={fraction} label="Progress of the run" />
      <ol class="steps">
        {stepsOf(report).map(({ name, state }) => (
          <li class={state} aria-current={state === 'now' ? 'step' : undefined}>
            {name}
          </li>
        ))}
      </ol>
      <p class="small">{resultOf(report)}</p>
      {silence !== '' && <Note tone="warn">{silence}</Note>}
    </section>
  );
}

/** What is done a second, between this answer and the one some seconds before. */
function useRate(report: Report): { items: number; bytes: number } | undefined {
  const known = useRef<Rate[]>([]);
  const [rate, setRate] = useState<{ items: number; bytes: number } | undefined>(undefined);
  useEffect(() => {
    const after = { items: doneOf(report), bytes: report.bytes.copied, at: Date.now() };
    known.current = [...known.current, after].slice(-4);
    setRate(rateBetween(known.current[0]!, after));
  }, [report]);
  return rate;
}

function Problems({ report }: { report: Report }) {
  const groups = problemGroups(report);
  const toDo = groups.filter(({ action }) => action !== 'nothing');
  const rest = groups.filter(({ action }) => action === 'nothing');
  if (groups.length === 0) return null;
  return (
    <Section
      title={toDo.length === 0 ? 'Nothing to do' : counted(toDo.length, 'problem')}
      actions={<Copy text={summaryText(report, window.location.href)} what="a summary for a colleague" />}
    >
      {toDo.map((group) => (
        <ProblemCard key={group.code} group={group} report={report} />
      ))}
      {rest.length > 0 && (
        <details open={toDo.length === 0}>
          <summary>{toDo.length === 0 ? 'Reported' : `Nothing to do (${rest.length})`}</summary>
          {rest.map((group) => (
            <ProblemCard key={group.code} group={group} report={report} />
          ))}
        </details>
      )}
    </Section>
  );
}

function ProblemCard({ group, report }: { group: ProblemGroup; report: Report }) {
  const { code, count, where, messages, hint, action } = group;
  const [isOpen, setOpen] = useState(false);
  const tone = action === 'nothing' ? 'quiet' : report.status === 'failed' || count === 0 ? 'bad' : 'warn';
  const [message = code] = messages;
  return (
    <article class={`box ${tone}`}>
      <h3>
        <bdi>{shownText(message)}</bdi>
      </h3>
      {messages.length > 1 && <p class="small">{extentOf(group)}</p>}
      <p>
        <Hint of={hint} />
      </p>
      <div class="actions">
        <Mend group={group} report={report} />
        {count > 0 && (
          <Button kind="quiet" why={lacking('names')} onClick={() => setOpen(!isOpen)}>
            {isOpen ? 'Hide names' : `Show ${counted(count, 'name')}`}
          </Button>
        )}
        <code>{code}</code>
      </div>
      {isOpen && <Outcomes run={report.id} problem={code} container={where.length === 1 ? where[0] : undefined} />}
    </article>
  );
}

/** The one thing to do about a problem, on this page. */
function Mend({ group: { action }, report }: { group: ProblemGroup; report: Report }) {
  if (report.status === 'running') return null;
  switch (action) {
    case 'start':
      return isBackup(report) ? <StartBackup job={report.job}>Start another backup</StartBackup> : null;
    case 'checks':
      return <ButtonLink to={link('/setup')}>Check the rights</ButtonLink>;
    case 'point':
      return (
        <ButtonLink to={link(at`/points/${report.verify?.point ?? report.id}`)}>Look at the restore point</ButtonLink>
      );
    case 'settings':
      return <ButtonLink to={link('/settings')}>Open the settings</ButtonLink>;
    case 'prune':
      return <ButtonLink to={link('/prune', { job: report.job })}>Make a new plan</ButtonLink>;
    case 'find':
      return <ButtonLink to={link('/find', { job: report.job })}>Find it in other restore points</ButtonLink>;
    default:
      return null;
  }
}

/** The containers and tables: asked for less often than the run, since it may have thousands. */
function Tasks({ report: { id, status } }: { report: Report }) {
  const { data, error, again } = usePolled(
    `tasks ${id}`,
    (signal) => get('getRun', at`runs/${id}`, { containers: 'all' }, signal),
    (whole) => (whole.status === 'running' ? TASKS_EVERY_MS : undefined),
  );
  useEffect(() => {
    if (data !== undefined && data.status !== status) again();
  }, [status]);
  if (data === undefined) return error ? <ErrorBox error={error} /> : null;
  const lines = taskLines(data);
  return lines.length === 0 ? null : <TaskTable lines={lines} />;
}

function TaskTable({ lines }: { lines: ReturnType<typeof taskLines> }) {
  const { shown, filter, rest } = useMany(lines, ({ name }) => name);
  return (
    <Section title={lines.some(({ isTable }) => isTable) ? `Containers and tables` : 'Containers'}>
      {filter}
      <Table
        caption="Containers and tables"
        head={['Name', 'End', '#Listed', '#Copied', '#Unchanged', '#Skipped', '#Failed']}
      >
        {shown.map(({ name, isTable, destination, mark, listed, counts }) => (
          <tr key={`${name} ${isTable}`}>
            <th scope="row">
              <Name of={name} /> {isTable && <span class="tag">table</span>}
              <p class="small">
                → <Name of={destination} />
              </p>
            </th>
            <td>
              <Mark mark={mark} />
            </td>
            <td class="number">{number(listed)}</td>
            {counts.map(([, count]) => (
              <td class="number">{count === 0 ? '–' : number(count)}</td>
            ))}
          </tr>
        ))}
      </Table>
      {rest}
    </Section>
  );
}

const TASKS_EVERY_MS = 15_000;

function Details({ report: { requests, cost } }: { report: Report }) {
  const all = Object.entries(requests).sort(([, a], [, b]) => b - a);
  const sum = all.reduce((total, [, count]) => total + count, 0);
  if (sum === 0) return null;
  return (
    <details>
      <summary>
        {counted(sum, 'storage request')}
        {cost.total >= 0.005 && `, about ${cost.total.toFixed(2)} ${cost.currency} at the prices of ${cost.asOf}`}
      </summary>
      <Table caption="Storage requests" head={['Operation', '#Requests']}>
        {all.map(([operation, count]) => (
          <tr>
            <td>{operation}</td>
            <td class="number">{number(count)}</td>
          </tr>
        ))}
      </Table>
    </details>
  );
}
