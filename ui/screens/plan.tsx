import { useState } from 'preact/hooks';
import { get, post } from '../app/api.ts';
import { lacking } from '../app/caller.ts';
import { now } from '../app/clock.ts';
import { usePolled } from '../app/poll.ts';
import { at, go, link } from '../app/router.ts';
import type { Answer } from '../model/answer.ts';
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
import { Button } from '../parts/button.tsx';
import { useAction } from '../parts/dialog.tsx';
import { Hint } from '../parts/hint.tsx';
import { Loaded, Waiting } from '../parts/loaded.tsx';
import { Mark, Sign } from '../parts/mark.tsx';
import { Name } from '../parts/name.tsx';
import { NoteDialog } from '../parts/note-dialog.tsx';
import { ErrorBox, Note } from '../parts/problem.tsx';
import { Bytes } from '../parts/quantity.tsx';
import { Screen, Section } from '../parts/screen.tsx';
import { when } from '../parts/shown-time.ts';
import { Table } from '../parts/table.tsx';
import { Ago, At } from '../parts/time.tsx';
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
  const isStale = problems.some(({ code }) => code === 'plan-stale');
  return (
    <>
      {problems.map(({ code, message, hint, container }) => (
        <Note key={`${code} ${container}`} tone={code === 'plan-stale' ? 'warn' : 'bad'}>
          <p>
            {container !== undefined && <Name of={container} />} {message}. <code>{code}</code>
          </p>
          <p>
            <Hint of={hint} />
          </p>
        </Note>
      ))}
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

/** Of those that stay, more are shown when they are asked for. */
const MOST_KEPT = 30;

function Decisions({ job, decisions, isPlan, again }: DecisionsProps) {
  const [hasAll, setAll] = useState(false);
  const [held, setHeld] = useState<string | undefined>(undefined);
  const gone = decisions.filter(({ fate }) => fate !== 'keep');
  const kept = decisions.filter(({ fate }) => fate === 'keep');
  const shown = [...gone, ...(hasAll ? kept : kept.slice(0, MOST_KEPT))];
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
      {!hasAll && kept.length > MOST_KEPT && (
        <p>
          <Button onClick={() => setAll(true)}>Show all {counted(kept.length, 'restore point')} that stay</Button>
        </p>
      )}
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

/** When the run with this id began. */
function timeOf(id: string): string | undefined {
  const [, year, month, day, hour, minute, second] =
    /-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[a-z0-9]{6}$/.exec(id) ?? [];
  return year && `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
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
  const [pages, setPages] = useState(1);
  const list = usePolled(`items ${id} ${pages}`, async (signal) => {
    const items: Answer<'listOutcomes'>['items'] = [];
    let cursor: string | undefined;
    for (let page = 0; page < pages && (page === 0 || cursor !== undefined); page++) {
      const answer = await get('listOutcomes', at`runs/${id}/outcomes`, { status, limit: 500, cursor }, signal);
      items.push(...answer.items);
      cursor = answer.next ?? undefined;
    }
    return { items, isMore: cursor !== undefined };
  });
  return (
    <Loaded of={list}>
      {({ items, isMore }) => (
        <>
          <Table caption="Items" head={['Container', 'Name', 'What', '#Size', 'Why']}>
            {items.map(({ destination, name, snapshotOrVersion, size, reason }, index) => (
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
          {isMore && (
            <p>
              <Button onClick={() => setPages(pages + 1)}>Load more</Button>
            </p>
          )}
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
        <label class="field narrow">
          <span>
            Type <code>{plan.job}</code> to confirm
          </span>
          <input
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
            autocomplete="off"
            spellcheck={false}
          />
        </label>
      )}
      {error && (
        <ErrorBox error={error}>
          {error.run !== undefined && <a href={link(at`/runs/${error.run}`)}>Look at the run in progress</a>}
          {error.code === 'plan-stale' && <MakePlan job={plan.job} words="Make a new plan" />}
        </ErrorBox>
      )}
      <div class="actions">
        <Button
          submits
          kind="danger"
          isBusy={isBusy}
          why={found === 'not-typed' ? `Type ${plan.job} first.` : (found ?? undefined) && ''}
        >
          {carryOutWords(plan)}
        </Button>
      </div>
      <p class="small">
        The plan has the hash <code>{plan.hash}</code>. If anything has changed since it was made, the prune changes
        nothing.
      </p>
    </form>
  );
}
