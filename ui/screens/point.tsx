import { useState } from 'preact/hooks';
import { get, post } from '../app/api.ts';
import { lacking } from '../app/caller.ts';
import { usePolled } from '../app/poll.ts';
import { at, go, link } from '../app/router.ts';
import type { Answer } from '../model/answer.ts';
import { commandOf } from '../model/command.ts';
import { actionsOf, byWords, NEEDS, type NoteAction } from '../model/notes.ts';
import { type ApiPoint, contentWords, lackWords, proofWords, wholenessOf } from '../model/points.ts';
import { counted, number } from '../model/quantity.ts';
import { jobOf } from '../model/run-id.ts';
import { Button, ButtonLink } from '../parts/button.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { useMany } from '../parts/many.tsx';
import { Name } from '../parts/name.tsx';
import { NoteDialog } from '../parts/note-dialog.tsx';
import { Marks, ProofMark, Wholeness } from '../parts/point-marks.tsx';
import { Empty, Note, ProblemNote } from '../parts/problem.tsx';
import { Bytes } from '../parts/quantity.tsx';
import { Screen, Section } from '../parts/screen.tsx';
import { when } from '../parts/shown-time.ts';
import { Table } from '../parts/table.tsx';
import { Ago, At } from '../parts/time.tsx';

type Shown = Answer<'getRestorePoint'>;

const ACTIONS: Readonly<Record<NoteAction, string>> = {
  hold: 'Hold it',
  unhold: 'Remove the hold',
  unmark: 'Take back the mark',
  release: 'Release the brake',
};

/** One restore point: what it holds and lacks, what proves it, and what protects it. */
export function Point({ id }: { id: string }) {
  const [open, setOpen] = useState<NoteAction | undefined>(undefined);
  const point = usePolled(`point ${id}`, (signal) => get('getRestorePoint', at`restore-points/${id}`, {}, signal));
  if (point.error?.code === 'point-removed') return <Removed id={id} again={point.again} />;
  const { data } = point;
  return (
    <Screen
      title={data ? when(data.time) : id}
      tab={data ? `${data.job} ${when(data.time)}` : id}
      trail={[[link('/points', { job: jobOf(id) }), 'Restore points']]}
      actions={
        data &&
        data.problem === undefined && (
          <>
            <ButtonLink to={link(at`/points/${id}/browse`)}>Browse</ButtonLink>
            <ButtonLink to={link('/restore/review', { point: id, all: 1 })}>Restore everything …</ButtonLink>
            {/* Without keys: once it is held, the same button removes the hold, and keeps the focus. */}
            {actionsOf(data).map((action) => (
              <Button why={lacking(NEEDS[action])} onClick={() => setOpen(action)}>
                {ACTIONS[action]}
              </Button>
            ))}
          </>
        )
      }
    >
      <Loaded of={point}>
        {(shown) => (
          <>
            <p class="marks">
              <Wholeness point={shown} />
              <Marks point={shown} />
            </p>
            <State point={shown} />
            <Facts point={shown} />
            <Proofs point={shown} />
            <Held point={shown} />
            <NotPreserved point={shown} />
            {open !== undefined && (
              <NoteDialog action={open} point={shown} onDone={point.again} onClose={() => setOpen(undefined)} />
            )}
          </>
        )}
      </Loaded>
    </Screen>
  );
}

/** What needs to be known before anything else. */
function State({ point }: { point: Shown }) {
  const { brake, hold, lacks, problem, id } = point;
  return (
    <>
      {problem && <ProblemNote of={problem} />}
      {brake && brake.released === undefined && (
        <Note tone="bad">
          <p>
            <strong>The safety brake is engaged.</strong> {brake.reason}.
          </p>
          <p>
            Ransomware or a mistake may have caused this. Prunes keep everything up to here until someone has looked.{' '}
            <a href={link(at`/runs/${id}`)}>See what the run changed</a>
          </p>
        </Note>
      )}
      {lacks && wholenessOf(point) === 'lacks' && (
        <Note tone="warn">
          It lacks {lackWords(lacks)}. <a href={link(at`/runs/${id}`)}>See why, and what to do</a>
        </Note>
      )}
      {hold && (
        <Note tone="quiet">
          On hold {byWords(hold.by)} since <At time={hold.at} />: “{hold.reason}”. No prune removes it.
        </Note>
      )}
    </>
  );
}

function Facts({ point }: { point: Shown }) {
  const { job, mode, id, finishedAt, bytes, source, vault } = point;
  return (
    <dl class="facts-list">
      <div>
        <dt>Job</dt>
        <dd>
          <a href={link(at`/jobs/${job}`)}>{job}</a>, {mode}
        </dd>
      </div>
      <div>
        <dt>Holds</dt>
        <dd>
          {contentWords(point)}
          {bytes !== null && (
            <>
              , <Bytes of={bytes} />
            </>
          )}
        </dd>
      </div>
      <div>
        <dt>Run</dt>
        <dd>
          <a class="id" href={link(at`/runs/${id}`)}>
            {id}
          </a>
          {finishedAt !== null && (
            <>
              , ended <Ago time={finishedAt} />
            </>
          )}
        </dd>
      </div>
      <div>
        <dt>From, to</dt>
        <dd>
          <code>{source}</code> → <code>{vault}</code>
        </dd>
      </div>
    </dl>
  );
}

type Kind = 'quick' | 'deep' | 'drill';
const KINDS: readonly { kind: Kind; name: string; does: string }[] = [
  { kind: 'quick', name: 'Quick', does: 'Compares listings of the vault with what was backed up. It reads no blob.' },
  {
    kind: 'deep',
    name: 'Deep',
    does: 'Reads the content through this app, and compares it by hash. It takes as long as reading does.',
  },
  {
    kind: 'drill',
    name: 'Drill',
    does: 'Restores 20 random blobs into containers of its own in the vault, compares them, and deletes them. To delete, it needs the account of the retention.',
  },
];

/** What was verified, and how to verify it now. */
function Proofs({ point }: { point: Shown }) {
  const [open, setOpen] = useState(false);
  const missing = KINDS.filter(({ kind }) => !point.verifications.some((each) => each.kind === kind));
  return (
    <Section
      title="Is it really there?"
      actions={
        <>
          <Button kind="main" onClick={() => setOpen(true)} why={lacking('run')}>
            Verify it now …
          </Button>
          <ButtonLink to={link(at`/points/${point.id}/proof`)}>Proof as a document</ButtonLink>
        </>
      }
    >
      <ul class="card proofs">
        {point.verifications.map((proof) => (
          <li key={proof.kind}>
            <ProofMark proof={proof}>{proofWords(proof)}</ProofMark>{' '}
            <a class="muted" href={link(at`/runs/${proof.run}`)}>
              <Ago time={proof.at} />
            </a>
          </li>
        ))}
        {missing.map(({ kind }) => (
          <li key={kind} class="muted">
            {kind}: never
          </li>
        ))}
      </ul>
      {open && <VerifyDialog id={point.id} onClose={() => setOpen(false)} />}
    </Section>
  );
}

function VerifyDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const [kind, setKind] = useState<Kind>('quick');
  const [portion, setPortion] = useState('100%');
  const isWrong = kind === 'deep' && !/^(100|[1-9]?\d(\.\d+)?)%$|^1\/[1-9]\d*$/.test(portion);
  return (
    <Confirm
      title="Verify this restore point"
      action={`Start the ${kind} verification`}
      command={
        isWrong
          ? null
          : commandOf(
              'points verify',
              [id],
              [['kind', kind], ...(kind === 'deep' ? [['portion', portion] as const] : [])],
            )
      }
      why={
        lacking('run') ?? (isWrong ? 'The portion is a percentage such as 5%, or a fraction such as 1/7.' : undefined)
      }
      run={async () => {
        const body = { restorePoint: id, kind, ...(kind === 'deep' && { portion }) };
        const run = await post('startVerification', 'verifications', body);
        go(link(at`/runs/${run.id}`));
      }}
      onClose={onClose}
    >
      <fieldset class="options">
        <legend class="unseen">How</legend>
        {KINDS.map((each) => (
          <label key={each.kind} class="choice">
            <input type="radio" name="kind" checked={kind === each.kind} onChange={() => setKind(each.kind)} />
            <span>
              {each.name} <span class="small">{each.does}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {kind === 'deep' && (
        <label class="field narrow">
          <span>Portion of the blobs</span>
          <input value={portion} onInput={(event) => setPortion(event.currentTarget.value)} />
        </label>
      )}
    </Confirm>
  );
}

/** The containers and tables that it holds, and the way into each. */
function Held({ point: { id, containersHeld, tablesHeld } }: { point: Shown }) {
  const containers = useMany(containersHeld, ({ container }) => container);
  const tables = useMany(tablesHeld, ({ table }) => table);
  return (
    <Section title="What it holds">
      {containersHeld.length + tablesHeld.length === 0 && <p class="muted">Nothing: its source was empty.</p>}
      {containers.filter}
      {containersHeld.length > 0 && (
        <Table caption="Containers" head={['Container', 'In the vault as', '#Blobs', '#Lacks', 'Restore']}>
          {containers.shown.map(({ container, backupContainer, blobs, failed, skipped }) => (
            <tr key={container}>
              <th scope="row">
                <a data-row href={link(at`/points/${id}/browse`, { container })}>
                  <Name of={container} />
                </a>
              </th>
              <td>
                <Name of={backupContainer} />
              </td>
              <td class="number">{number(blobs)}</td>
              <td class="number">{failed + skipped === 0 ? '–' : number(failed + skipped)}</td>
              <td class="end">
                <a href={link('/restore/review', { point: id, container, whole: 1 })}>
                  Restore<span class="unseen"> {container}</span>
                </a>
              </td>
            </tr>
          ))}
        </Table>
      )}
      {containers.rest}
      {tables.filter}
      {tablesHeld.length > 0 && (
        <Table caption="Tables" head={['Table', 'Read', '#Entities', '#Lacks', 'Restore']}>
          {tables.shown.map(({ table, entities, failed, window, deletionsUnknownSince }) => (
            <tr key={table}>
              <th scope="row">
                <Name of={table} />
              </th>
              <td>
                {window ? <At time={window.to} /> : '–'}
                {deletionsUnknownSince !== undefined && (
                  <div class="small">
                    deletions unknown since <At time={deletionsUnknownSince} />
                  </div>
                )}
              </td>
              <td class="number">{number(entities)}</td>
              <td class="number">{failed === 0 ? '–' : counted(failed, 'key range')}</td>
              <td class="end">
                <a href={link('/restore/review', { point: id, tables: JSON.stringify([table]) })}>
                  Restore<span class="unseen"> {table}</span>
                </a>
              </td>
            </tr>
          ))}
        </Table>
      )}
      {tables.rest}
    </Section>
  );
}

/** What the source had that no backup holds, as far as the run met it. */
function NotPreserved({ point: { notPreserved } }: { point: Shown }) {
  const met = Object.entries(notPreserved?.containers ?? {});
  if (met.length === 0) return null;
  return (
    <Section title="What it does not hold">
      <ul>
        {met.slice(0, 50).map(([container, counts]) => (
          <li key={container}>
            <Name of={container} />:{' '}
            {Object.entries(counts)
              .map(([kind, count]) => `${number(count)} ${kind.replaceAll('-', ' ')}`)
              .join(', ')}
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** A prune has marked it: it can be neither restored nor browsed, and the mark can be taken back for a while. */
function Removed({ id, again }: { id: string; again: () => void }) {
  const [isOpen, setOpen] = useState(false);
  const found = usePolled(`removed ${id}`, async (signal) => findMarked(id, signal));
  return (
    <Screen title={id} trail={[[link('/points', { job: jobOf(id), removed: 'true' }), 'Restore points']]}>
      <Loaded of={found}>
        {(point) => {
          if (point === undefined) return <Empty title="This restore point was removed" />;
          const { removed } = point;
          const canUnmark = actionsOf(point).includes('unmark');
          return (
            <>
              <p class="marks">
                <Marks point={point} />
              </p>
              <Note tone="warn">
                {removed && (
                  <p>
                    A prune marked it on <At time={removed.at} />:{' '}
                    <a href={link(at`/runs/${removed.run}`)}>{removed.run}</a>
                  </p>
                )}
                <p>
                  {canUnmark
                    ? 'No restore can use it. All of its content is still there, until a later prune deletes it.'
                    : 'A prune is deleting its content, or has deleted it.'}
                </p>
              </Note>
              {canUnmark && (
                <p>
                  <Button kind="main" onClick={() => setOpen(true)} why={lacking('run')}>
                    Take back the mark
                  </Button>
                </p>
              )}
              {isOpen && <NoteDialog action="unmark" point={point} onDone={again} onClose={() => setOpen(false)} />}
            </>
          );
        }}
      </Loaded>
    </Screen>
  );
}

async function findMarked(id: string, signal: AbortSignal): Promise<ApiPoint | undefined> {
  let cursor: string | undefined;
  for (let page = 0; page < 10; page++) {
    const asked = { job: jobOf(id), removed: 'true', limit: 200, cursor };
    const { restorePoints, next } = await get('listRestorePoints', 'restore-points', asked, signal);
    const found = restorePoints.find((point) => point.id === id);
    if (found !== undefined || next === null) return found;
    cursor = next;
  }
  return undefined;
}
