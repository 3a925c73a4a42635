import { useState } from 'preact/hooks';
import { useAction } from '../app/action.ts';
import { get, post } from '../app/api.ts';
import { lacking } from '../app/caller.ts';
import { now } from '../app/clock.ts';
import { usePages } from '../app/pages.ts';
import { usePolled } from '../app/poll.ts';
import { at, go, link } from '../app/router.ts';
import type { Answer } from '../model/answer.ts';
import { commandOf } from '../model/command.ts';
import type { Mark as Meaning } from '../model/mark.ts';
import { markOfRun } from '../model/mark.ts';
import { byWords } from '../model/notes.ts';
import {
  type Plan as ApiPlan,
  carryOutBody,
  carryOutWords,
  type Decision,
  decisionsOf,
  type Fate,
  obstacle,
  planWords,
} from '../model/prune.ts';
import { counted } from '../model/quantity.ts';
import { timeOf } from '../model/run-id.ts';
import { Button } from '../parts/button.tsx';
import { CopyCommand } from '../parts/copy.tsx';
import { Loaded, Waiting } from '../parts/loaded.tsx';
import { useMany } from '../parts/many.tsx';
import { Mark, Sign } from '../parts/mark.tsx';
import { More } from '../parts/more.tsx';
import { Name } from '../parts/name.tsx';
import { NoteDialog } from '../parts/note-dialog.tsx';
import { ErrorBox, Note, ProblemNote } from '../parts/problem.tsx';
import { Bytes } from '../parts/quantity.tsx';
import { Screen, Section } from '../parts/screen.tsx';
import { when } from '../parts/shown-time.ts';
import { Table } from '../parts/table.tsx';
import { Ago, At } from '../parts/time.tsx';
import { TypedName } from '../parts/typed-name.tsx';
import { MakePlan } from './prune.tsx';

type Run = Answer<'getRun'>;

const OF_FATES: Readonly<Record<Fate, Meaning>> = {
  keep: { tone: 'good', shape: 'check', word: 'stays' },
  mark: { tone: 'warn', shape: 'dash', word: 'marked' },
  empty: { tone: 'bad', shape: 'cross', word: 'content deleted' },
  read: { tone: 'busy', shape: 'dot', word: 'stays for now' },
};

/** The plan of a prune, or what a prune has done by it. */
export function Plan({ id }: { id: string }) {
  const run = usePolled(
    `plan ${id}`,
    (signal) => get('getRun', at`runs/${id}`, { containers: 'none' }, signal),
    ({ status }) => (status === 'running' ? 2000 : undefined),
  );
  const { data } = run;
  const title = data === undefined ? 'Plan' : data.dryRun ? `Plan for ${data.job}` : `Prune of ${data.job}`;
  return (
    <Screen title={title} trail={[[link('/prune', { job: data?.job }), 'Prune']]}>
      <Loaded of={run}>
        {(shown) => (
          <>
            <p class="marks">
              <Mark mark={markOfRun(shown.status)} />
              <span class="muted">
                {shown.dryRun ? 'made' : 'started'} <Ago time={shown.startedAt} /> {shown.by ? byWords(shown.by) : ''}
                {shown.dryRun && '; it deletes nothing by itself'}
              </span>
              <a href={link(at`/runs/${id}`)}>All about this run</a>
            </p>
            <Problems run={shown} />
            {shown.status === 'running' && (
              <>
                <p role="status">{shown.dryRun ? 'Planning: the vault is being listed …' : 'Deleting …'}</p>
                {shown.plan === undefined && <Waiting lines={5} />}
              </>
            )}
            {shown.plan && <Body run={shown} plan={shown.plan} again={run.again} />}
          </>
        )}
      </Loaded>
    </Screen>
  );
}

function Problems({ run: { problems, job } }: { run: Run }) {
  const { shown, rest } = useMany(problems, undefined, 20);
  const isStale = problems.some(({ code }) => code === 'plan-stale');
  return (
    <>
      {shown.map(({ code, message, hint, container }) => (
        <ProblemNote
          key={`${code} ${container}`}
          of={{ code, hint, message: container === undefined ? message : `${container}: ${message}` }}
          tone={code === 'plan-stale' ? 'warn' : 'bad'}
        />
      ))}
      {rest}
      {isStale && (
        <div class="actions">
          <MakePlan job={job} words="Make a new plan" />
        </div>
      )}
    </>
  );
}

function Body({ run, plan, again }: { run: Run; plan: ApiPlan; again: () => void }) {
  const decisions = decisionsOf(plan);
  return (
    <>
      <ul class="card sentences">
        {planWords(plan, when, run.dryRun).map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      {run.dryRun && <CarryOut run={run} plan={plan} />}
      <Decisions job={plan.job} decisions={decisions} isPlan={run.dryRun} again={again} />
      <Items run={run} />
    </>
  );
}

/** One sign for each restore point, the oldest on the left. The table has the same in words. */
function Timeline({ decisions }: { decisions: readonly Decision[] }) {
  if (decisions.length < 2 || decisions.length > 400) return null;
  return (
    <div class="timeline" aria-hidden="true">
      {[...decisions].reverse().map(({ id, fate }) => (
        <Sign key={id} {...OF_FATES[fate]} />
      ))}
    </div>
  );
}

interface DecisionsProps {
  job: string;
  decisions: readonly Decision[];
  isPlan: boolean;
  again: () => void;
}

/** Of those that stay, more are shown when they are asked for; of the others, too, if there are many. */
const MOST_KEPT = 30;
const MOST = 100;

function Decisions({ job, decisions, isPlan, again }: DecisionsProps) {
  const [held, setHeld] = useState<string | undefined>(undefined);
  const gone = decisions.filter(({ fate }) => fate !== 'keep');
  const kept = decisions.filter(({ fate }) => fate === 'keep');
  const { shown, rest } = useMany([...gone, ...kept], undefined, Math.min(gone.length + MOST_KEPT, MOST));
  return (
    <Section title="Restore points">
      <Timeline decisions={decisions} />
      <Table
        caption="Restore points and what happens to each"
        head={['Time', 'What', 'Why', ...(isPlan ? ['Hold'] : [])]}
      >
        {shown.map(({ id, fate, reasons, canHold }) => (
          <tr key={id}>
            <th scope="row">
              <a data-row href={link(at`/points/${id}`)}>
                {timeOf(id) === undefined ? id : <At time={timeOf(id)!} />}
              </a>
            </th>
            <td>
              <Mark mark={OF_FATES[fate]} />
            </td>
            <td>{reasons.join(' · ')}</td>
            {isPlan && (
              <td class="end">
                {canHold && (
                  <Button kind="quiet" onClick={() => setHeld(id)} label={`Hold it … ${id}`}>
                    Hold it …
                  </Button>
                )}
              </td>
            )}
          </tr>
        ))}
      </Table>
      {rest}
      {held !== undefined && (
        <NoteDialog
          action="hold"
          point={{ id: held, job, time: timeOf(held) ?? '', hold: null, brake: null, removed: undefined }}
          onDone={again}
          onClose={() => setHeld(undefined)}
        />
      )}
    </Section>
  );
}

/** The names of what is deleted, when they are asked for. */
function Items({ run: { id, dryRun, plan, counts } }: { run: Run }) {
  const [isOpen, setOpen] = useState(false);
  const count = (dryRun ? counts.planned : counts.removed) ?? plan?.summary.items ?? 0;
  if (count === 0) return null;
  const title = dryRun ? 'What would be deleted, by name' : 'What was deleted, by name';
  return (
    <Section title={title}>
      {isOpen ? (
        <ItemList id={id} status={dryRun ? 'planned' : 'removed'} />
      ) : (
        <p>
          <Button onClick={() => setOpen(true)} why={lacking('names')}>
            Show the names of {counted(count, 'item')}
          </Button>
        </p>
      )}
    </Section>
  );
}

const WHY: Readonly<Record<string, string>> = {
  'not-needed': 'no restore point needs it',
  'source-gone': 'no restore point needs it, and the source has it no more',
};

function ItemList({ id, status }: { id: string; status: 'planned' | 'removed' }) {
  const list = usePages(`items ${id}`, (cursor, signal) =>
    get('listOutcomes', at`runs/${id}/outcomes`, { status, limit: 200, cursor }, signal),
  );
  return (
    <Loaded of={list}>
      {(pages) => (
        <>
          <Table caption="Items" head={['Container', 'Name', 'What', '#Size', 'Why']}>
            {pages
              .flatMap(({ items }) => items)
              .map(({ destination, name, snapshotOrVersion, size, reason }, index) => (
                <tr key={index}>
                  <td>
                    <Name of={destination} />
                  </td>
                  <td>
                    <Name of={name} />
                  </td>
                  <td>{kindOf(snapshotOrVersion)}</td>
                  <td class="number">{size === undefined ? '–' : <Bytes of={size} />}</td>
                  <td>{WHY[reason ?? ''] ?? reason}</td>
                </tr>
              ))}
          </Table>
          <More of={list} />
        </>
      )}
    </Loaded>
  );
}

function kindOf(of: Answer<'listOutcomes'>['items'][number]['snapshotOrVersion']): string {
  if (of === undefined) return 'blob or file';
  return 'snapshot' in of ? 'snapshot' : 'version';
}

/** Carries the plan out: with the hash that is shown, and the name of the job typed. */
function CarryOut({ run, plan }: { run: Run; plan: ApiPlan }) {
  const [typed, setTyped] = useState('');
  const why = lacking('prune');
  const { isBusy, error, begin } = useAction(async () => {
    const { id } = await post('startPrune', 'prunes', carryOutBody(run.id, plan));
    go(link(at`/prune/${id}`));
  });
  const found = obstacle(run, { now: now.value.getTime(), may: why === undefined, typed });
  if (found === 'not-ended' || found === 'not-a-plan') return null;
  if (found === 'nothing')
    return <Note tone="good">There is nothing to remove, so there is nothing to carry out.</Note>;
  if (found === 'old') {
    return (
      <Note tone="warn">
        <p>
          This plan is more than an hour old. Things may have changed since, so it is made again before it is carried
          out.
        </p>
        <div class="actions">
          <MakePlan job={plan.job} words="Make a new plan" />
        </div>
      </Note>
    );
  }
  return (
    <form
      class="card start"
      onSubmit={(event) => {
        event.preventDefault();
        if (found === null && !isBusy) begin();
      }}
    >
      <h2>Carry it out</h2>
      {found === 'not-allowed' ? (
        <Note tone="quiet">{why}</Note>
      ) : (
        <TypedName name={plan.job} value={typed} onInput={setTyped} />
      )}
      {error && (
        <ErrorBox error={error}>
          {error.code === 'plan-stale' && <MakePlan job={plan.job} words="Make a new plan" />}
        </ErrorBox>
      )}
      <div class="actions">
        <Button
          submits
          kind="danger"
          isBusy={isBusy}
          why={found === 'not-typed' ? `Type ${plan.job} first.` : found === null ? undefined : why}
          isWhyNear={found === 'not-allowed'}
        >
          {carryOutWords(plan)}
        </Button>
        <CopyCommand needs="prune" line={commandOf('prune apply', [run.id], [['hash', plan.hash]])} />
      </div>
      <p class="small">
        The plan has the hash <code>{plan.hash}</code>. If anything has changed since it was made, the prune changes
        nothing.
      </p>
    </form>
  );
}
