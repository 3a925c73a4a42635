import { useEffect, useState } from 'preact/hooks';
import { useAction } from '../app/action.ts';
import { get, post } from '../app/api.ts';
import { basket } from '../app/basket.ts';
import { key, lacking } from '../app/caller.ts';
import { usePolled } from '../app/poll.ts';
import { usePreview } from '../app/previewing.ts';
import { at, go, link, place } from '../app/router.ts';
import type { Answer } from '../model/answer.ts';
import { selectedOf, whatOf } from '../model/asked-restore.ts';
import { withoutPlace } from '../model/basket.ts';
import { failureWords } from '../model/failure-words.ts';
import { shownText } from '../model/name.ts';
import { lackWords, wholenessOf } from '../model/points.ts';
import { bytes, counted, number } from '../model/quantity.ts';
import { bodyOf, type RestoreChoice, type What } from '../model/restore-choice.ts';
import { restoreCommand } from '../model/restore-command.ts';
import {
  blobOptions,
  countedWords,
  failuresOf,
  isFree,
  nowOf,
  type Option,
  type Preview,
  placeWords,
  startWords,
  TABLE_OPTIONS,
  toType,
  whatWords,
} from '../model/review.ts';
import { containerProblem, safePlace, tableProblem } from '../model/safe-place.ts';
import { curlOf } from '../model/shell.ts';
import { Button } from '../parts/button.tsx';
import { AsCommand } from '../parts/copy.tsx';
import { Hint } from '../parts/hint.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { useMany } from '../parts/many.tsx';
import { Name } from '../parts/name.tsx';
import { Empty, ErrorBox, Note, ProblemNote } from '../parts/problem.tsx';
import { Screen, Section } from '../parts/screen.tsx';
import { when } from '../parts/shown-time.ts';
import { TypedName } from '../parts/typed-name.tsx';

type Point = Answer<'getRestorePoint'>;

/** What a restore would do, before it does anything. All doors lead here. */
export function Review() {
  const { query } = place.value;
  const id = query.get('point') ?? '';
  const what = whatOf(query, id, basket.value);
  const point = usePolled(`point ${id}`, (signal) => get('getRestorePoint', at`restore-points/${id}`, {}, signal));
  const jobs = usePolled('review jobs', (signal) => get('listJobs', 'jobs', {}, signal));
  if (id === '' || what === undefined) {
    return (
      <Screen title="Restore" trail={[[link('/restore'), 'Restore']]}>
        <Empty title="Nothing is chosen">
          <p>
            What was collected is kept only in the tab where it was.{' '}
            <a href={link('/restore')}>Choose what to restore</a>
          </p>
        </Empty>
      </Screen>
    );
  }
  return (
    <Screen
      title={`Restore ${whatWords(what)}`}
      trail={[
        [link('/restore'), 'Restore'],
        [link(at`/points/${id}`), point.data ? when(point.data.time) : id],
      ]}
    >
      <Loaded of={point}>
        {(held) => (
          <>
            <Chosen what={what} point={held} />
            {lacking('restore') === undefined ? (
              <Loaded of={jobs}>
                {({ jobs: all }) => <Plan key={place.value.query.toString()} {...{ what, point: held, jobs: all }} />}
              </Loaded>
            ) : (
              <Note tone="warn">{lacking('restore')} Send the address of this page to someone who has it.</Note>
            )}
          </>
        )}
      </Loaded>
    </Screen>
  );
}

/** Names that are written out. The list of targets has all of them. */
const MOST_CHIPS = 20;

/** What is restored, as of when, and what the restore point lacks. */
function Chosen({ what, point }: { what: What; point: Point }) {
  return (
    <>
      <p>
        As it was on <strong>{when(point.time)}</strong>.
        {what.kind === 'folder' && (
          <>
            {' '}
            The folder is <Name of={what.prefix} />
          </>
        )}
      </p>
      {what.kind === 'names' && (
        <details open={what.names.length <= 5}>
          <summary>{counted(what.names.length, 'name')}</summary>
          <ul class="names">
            {what.names.slice(0, 200).map((name) => (
              <li key={name}>
                <Name of={name} />
              </li>
            ))}
            {what.names.length > 200 && <li class="muted">and {number(what.names.length - 200)} more</li>}
          </ul>
        </details>
      )}
      {what.kind === 'some' && what.containers.length + what.tables.length > 1 && (
        <p>
          {[...what.containers, ...what.tables].slice(0, MOST_CHIPS).map((name) => (
            <span key={name} class="chip">
              <Name of={name} />
            </span>
          ))}
          {what.containers.length + what.tables.length > MOST_CHIPS && (
            <span class="muted">and {number(what.containers.length + what.tables.length - MOST_CHIPS)} more</span>
          )}
        </p>
      )}
      {what.kind !== 'names' && wholenessOf(point) === 'lacks' && (
        <Note tone="warn">
          This restore point lacks {lackWords(point.lacks!)}. A restore cannot write what it lacks; an earlier one may
          hold it.
        </Note>
      )}
      {point.brake && point.brake.released === undefined && (
        <Note tone="warn">
          The safety brake engaged at this restore point: {point.brake.reason}. It may hold what ransomware or a mistake
          has left.
        </Note>
      )}
    </>
  );
}

interface PlanProps {
  what: What;
  point: Point;
  jobs: Answer<'listJobs'>['jobs'];
}

/** More places than this are hardly all taken. */
const MOST_TRIES = 9;

/** Where to, what to do with what is there, and the button. */
function Plan({ what, point, jobs }: PlanProps) {
  const { containers, tables } = selectedOf(what, {
    containers: point.containersHeld.map(({ container }) => container),
    tables: point.tablesHeld.map(({ table }) => table),
  });
  const source = jobs.find(({ name }) => name === point.job)?.source.account;
  const [tries, setTries] = useState(0);
  const [typedPlace, setTypedPlace] = useState<{ container?: string; table?: string }>({});
  const [isOriginal, setOriginal] = useState(false);
  const [account, setAccount] = useState('');
  const [existing, setExisting] = useState<RestoreChoice['existing'] | undefined>(undefined);
  const [rehydrate, setRehydrate] = useState<RestoreChoice['rehydrate']>('none');
  const safe = safePlace(containers, tables, tries);
  const container = typedPlace.container ?? safe.container;
  const prefix = typedPlace.container === undefined ? safe.prefix : '';
  const table = typedPlace.table ?? safe.table;
  const where = { isOriginal, account, container, prefix, table };
  const firstChoice = !isOriginal || containers.length === 0 ? 'fail' : 'skip';
  const choice: RestoreChoice = { point: point.id, what, where, rehydrate, existing: existing ?? firstChoice };
  const wrong = isOriginal ? undefined : wrongPlace(containers, tables, where);
  const body = wrong === undefined ? bodyOf(choice) : null;
  const exact = usePreview(body);
  const isTaken = !isOriginal && exact.preview !== null && !isFree(exact.preview);
  const isAutomatic = typedPlace.container === undefined;
  const isLookingOn = isTaken && isAutomatic && tries < MOST_TRIES;
  const isMet = containers.length > 0 && (isOriginal || (isTaken && !isLookingOn));
  const now = usePreview(body && isMet ? { ...body, existing: 'if-different', rehydrate: 'standard' } : null);
  useEffect(() => {
    if (isLookingOn) setTries(tries + 1);
  }, [isLookingOn, tries]);
  const chooseWhere = (original: boolean) => {
    setOriginal(original);
    setExisting(undefined);
  };
  const aliases = [...new Set(jobs.flatMap(({ source: from, destination }) => [from.account, destination.account]))];
  return (
    <>
      <Section title="Where to">
        <div class="card">
          <label class="choice">
            <input type="radio" name="where" checked={!isOriginal} onChange={() => chooseWhere(false)} />
            <span>
              A new place <span class="muted">— nothing that is there is touched</span>
            </span>
          </label>
          {!isOriginal && (
            <div class="filters inset">
              {containers.length > 0 && (
                <PlaceField
                  label={prefix === '' ? 'Container' : 'Container, with a folder for each'}
                  value={container}
                  problem={containerProblem(container)}
                  onInput={(text) => setTypedPlace({ ...typedPlace, container: text })}
                />
              )}
              {tables.length > 0 && (
                <PlaceField
                  label="Table"
                  value={table}
                  problem={tableProblem(table)}
                  onInput={(text) => setTypedPlace({ ...typedPlace, table: text })}
                />
              )}
            </div>
          )}
          <label class="choice">
            <input type="radio" name="where" checked={isOriginal} onChange={() => chooseWhere(true)} />
            <span>
              Where it was{' '}
              <span class="muted">
                — {account || source || 'the account that was backed up'}
                {containers.length + tables.length === 1 && <> / {<Name of={[...containers, ...tables][0]!} />}</>}
              </span>
            </span>
          </label>
          {aliases.length > 1 && (
            <label class="field narrow">
              <span>Account</span>
              <select value={account} onChange={(event) => setAccount(event.currentTarget.value)}>
                <option value="">{source ?? 'that was backed up'} (backed up)</option>
                {aliases
                  .filter((alias) => alias !== source)
                  .map((alias) => (
                    <option value={alias}>{alias}</option>
                  ))}
              </select>
            </label>
          )}
        </div>
      </Section>
      {isMet && (
        <IsThere {...{ now, isOriginal, hasTables: tables.length > 0, existing: choice.existing, setExisting }} />
      )}
      {isOriginal && containers.length === 0 && (
        <Section title="If the table has entities already">
          <Options options={TABLE_OPTIONS} existing={choice.existing} setExisting={setExisting} />
        </Section>
      )}
      <Counted {...{ exact, total: totalOf(what, point), rehydrate, setRehydrate, isLookingOn }} />
      {exact.preview && !isLookingOn && body && (
        <Start
          key={`${JSON.stringify(body)}`}
          {...{ choice, job: point.job, preview: exact.preview, isCounting: exact.isCounting, body }}
        />
      )}
    </>
  );
}

function wrongPlace(
  containers: readonly string[],
  tables: readonly string[],
  where: RestoreChoice['where'],
): string | undefined {
  return (
    (containers.length > 0 ? containerProblem(where.container) : undefined) ??
    (tables.length > 0 ? tableProblem(where.table) : undefined)
  );
}

/** How many blobs there are at most to count; null if it is not known. */
function totalOf(what: What, { blobs, containersHeld }: Point): number | null {
  if (what.kind === 'names') return what.names.length;
  if (what.kind === 'everything') return blobs;
  const names = what.kind === 'folder' ? [what.container] : what.containers;
  return containersHeld.filter(({ container }) => names.includes(container)).reduce((sum, each) => sum + each.blobs, 0);
}

interface PlaceFieldProps {
  label: string;
  value: string;
  problem: string | undefined;
  onInput: (text: string) => void;
}

function PlaceField({ label, value, problem, onInput }: PlaceFieldProps) {
  return (
    <label class="field grow">
      <span>{label}</span>
      <input
        class="mono"
        value={value}
        aria-invalid={problem === undefined ? undefined : 'true'}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {problem !== undefined && <span class="hint bad-text">{problem}</span>}
    </label>
  );
}

interface IsThereProps {
  now: ReturnType<typeof usePreview>;
  isOriginal: boolean;
  hasTables: boolean;
  existing: RestoreChoice['existing'];
  setExisting: (existing: RestoreChoice['existing']) => void;
}

/** What the target has now, and the choice of what to do with it. */
function IsThere({ now: { preview, isCounting, error }, isOriginal, hasTables, existing, setExisting }: IsThereProps) {
  const now = preview && nowOf(preview);
  return (
    <Section title="What is there now">
      {error && <ErrorBox error={error} />}
      {now === null ? (
        isCounting && <p class="muted">Comparing …</p>
      ) : (
        <>
          <dl class="figures" aria-busy={isCounting ? 'true' : undefined}>
            <Figure of={now.missing} words="missing" />
            {isOriginal && <Figure of={now.same} words="the same" />}
            <Figure of={now.differ} words={isOriginal ? 'different' : 'there already'} />
          </dl>
          {(preview?.examples.replaced.length ?? 0) > 0 && (
            <details>
              <summary>{isOriginal ? 'Names that differ' : 'Names that are there'}</summary>
              <ul class="names">
                {preview!.examples.replaced.map(({ container, name }) => (
                  <li key={`${container}/${name}`}>
                    <Name of={name} />
                  </li>
                ))}
                {now.differ > preview!.examples.replaced.length && (
                  <li class="muted">and {number(now.differ - preview!.examples.replaced.length)} more</li>
                )}
              </ul>
            </details>
          )}
          <Options options={blobOptions(now, isOriginal)} existing={existing} setExisting={setExisting} />
          {hasTables && (
            <Note tone="warn">
              The choice counts for tables, too. To replace means there that what an entity holds now is not kept:
              tables have no snapshots.
            </Note>
          )}
        </>
      )}
    </Section>
  );
}

function Figure({ of, words }: { of: number; words: string }) {
  return (
    <div>
      <dt>{words}</dt>
      <dd>{number(of)}</dd>
    </div>
  );
}

interface OptionsProps {
  options: readonly Option[];
  existing: RestoreChoice['existing'];
  setExisting: (existing: RestoreChoice['existing']) => void;
}

function Options({ options, existing, setExisting }: OptionsProps) {
  return (
    <div class="card">
      <fieldset class="options">
        <legend class="unseen">What to do with it</legend>
        {options.map((option) => (
          <label key={option.existing} class="choice">
            <input
              type="radio"
              name="existing"
              checked={existing === option.existing}
              onChange={() => setExisting(option.existing)}
            />
            <span>
              {option.words}
              {option.note !== '' && <span class="small"> {option.note}</span>}
            </span>
          </label>
        ))}
      </fieldset>
    </div>
  );
}

interface CountedProps {
  exact: ReturnType<typeof usePreview>;
  total: number | null;
  rehydrate: RestoreChoice['rehydrate'];
  setRehydrate: (rehydrate: RestoreChoice['rehydrate']) => void;
  isLookingOn: boolean;
}

/** What would be done, in numbers, and what would not. */
function Counted({ exact, total, rehydrate, setRehydrate, isLookingOn }: CountedProps) {
  const { preview, isCounting, error } = exact;
  return (
    <Section title="What would be done">
      {error && (
        <ErrorBox error={error}>
          <Button onClick={exact.again}>Count again</Button>
        </ErrorBox>
      )}
      {(preview === null || isLookingOn) && isCounting && <p class="muted">Counting …</p>}
      {preview && !isLookingOn && (
        <>
          <p role="status">
            {countedWords(preview, total)}
            {isCounting && ', counting …'}{' '}
            {preview.next !== null && !isCounting && <Button onClick={exact.continue}>Count on</Button>}
          </p>
          <Targets preview={preview} />
          <Archived preview={preview} rehydrate={rehydrate} setRehydrate={setRehydrate} />
          <Failures preview={preview} />
        </>
      )}
    </Section>
  );
}

function Targets({ preview: { account, containers, tables } }: { preview: Preview }) {
  const places = useMany(containers, ({ container }) => container);
  const others = useMany(tables, ({ table }) => table);
  return (
    <>
      {places.filter}
      <ul class="targets">
        {places.shown.map(({ container, target, isNew, new: missing, replaced, unchanged, skipped, problem }) => (
          <li key={container}>
            <Name of={container} /> → {account} / <Name of={target} />{' '}
            {isNew && problem === null && <span class="chip">new</span>}
            <span class="muted">
              {' '}
              {[
                `${counted(missing + replaced, 'blob')} to write`,
                ...(replaced > 0 ? [`${number(replaced)} of them replaced`] : []),
                ...(unchanged + skipped > 0 ? [`${number(unchanged + skipped)} left as they are`] : []),
              ].join(', ')}
            </span>
            {problem && <ProblemNote of={problem} />}
          </li>
        ))}
      </ul>
      {places.rest}
      {others.filter}
      {tables.length > 0 && (
        <ul class="targets">
          {others.shown.map(({ table, target, entities }) => (
            <li key={`table ${table}`}>
              table <Name of={table} /> → {account} / <Name of={target} />{' '}
              <span class="muted">
                {counted(entities, 'entity', 'entities')}; what the table has now is not compared
              </span>
            </li>
          ))}
        </ul>
      )}
      {others.rest}
    </>
  );
}

const PRIORITIES = [
  ['none', 'Leave them out', ''],
  ['standard', 'Wait for them', 'Azure takes up to 15 hours.'],
  ['high', 'Wait for them with high priority', 'Usually less than an hour, at a higher price.'],
] as const;

function Archived({
  preview,
  rehydrate,
  setRehydrate,
}: Pick<CountedProps, 'rehydrate' | 'setRehydrate'> & { preview: Preview }) {
  const archived = failuresOf(preview).find(({ code }) => code === 'content-archived')?.count ?? 0;
  const count = archived + preview.totals.rehydrated;
  if (count === 0) return null;
  return (
    <div class="card">
      <fieldset class="options">
        <legend>
          {counted(count, 'blob')} {count === 1 ? 'lies' : 'lie'} in the archive tier of the vault
        </legend>
        {PRIORITIES.map(([value, words, note]) => (
          <label key={value} class="choice">
            <input type="radio" name="rehydrate" checked={rehydrate === value} onChange={() => setRehydrate(value)} />
            <span>
              {words}
              {note !== '' && <span class="small"> {note}</span>}
            </span>
          </label>
        ))}
      </fieldset>
    </div>
  );
}

function Failures({ preview }: { preview: Preview }) {
  const failures = failuresOf(preview);
  const { examples, leftOut } = preview;
  const left = useMany(leftOut, undefined, 20);
  if (failures.length + leftOut.length === 0) return null;
  return (
    <div class="box warn">
      <p class="lead">What it would not restore</p>
      {failures.map(({ code, count }) => {
        const named = examples.failed.filter((each) => each.code === code).slice(0, 5);
        return (
          <div key={code}>
            <p>
              {counted(count, 'blob')}: {failureWords(code)} <code>{code}</code>
            </p>
            <ul class="names">
              {named.map(({ container, name }) => (
                <li key={`${container}/${name}`}>
                  <Name of={name} />
                </li>
              ))}
              {count > named.length && named.length > 0 && (
                <li class="muted">and {number(count - named.length)} more</li>
              )}
            </ul>
          </div>
        );
      })}
      {left.shown.map(({ container, code, message, hint }) => (
        <p key={`${container} ${code}`}>
          {container !== undefined && <Name of={container} />} {shownText(message)}. <Hint of={hint} />{' '}
          <code>{code}</code>
        </p>
      ))}
      {left.rest}
    </div>
  );
}

interface StartProps {
  choice: RestoreChoice;
  job: string;
  preview: Preview;
  isCounting: boolean;
  body: ReturnType<typeof bodyOf>;
}

/** The button, and what has to be typed before. */
function Start({ choice, job, preview, isCounting, body }: StartProps) {
  const [typed, setTyped] = useState('');
  const { isBusy, error, begin } = useAction(async () => {
    const { id } = await post('startRestore', 'restores', body);
    const { what, point } = choice;
    if (place.peek().query.has('basket') && what.kind === 'names') {
      basket.value = withoutPlace(basket.value, { point: { id: point, time: '' }, job, container: what.container });
    }
    go(link(at`/runs/${id}`));
  });
  const words = startWords(preview);
  const asked = toType(choice, job, preview);
  const missing = asked !== null && typed !== asked.text ? `Type ${asked.text} first.` : undefined;
  if (words === null) {
    return (
      <Note tone="good">
        There is nothing to write:{' '}
        {preview.totals.failed > 0 ? 'what is left cannot be restored.' : `all of it is in ${placeWords(preview)}.`}
      </Note>
    );
  }
  const why = isCounting ? 'Counting …' : missing;
  const command = restoreCommand(body);
  const call = curlOf(`${window.location.origin}/api/restores`, body, key.value !== null);
  return (
    <form
      class="card start"
      onSubmit={(event) => {
        event.preventDefault();
        if (why === undefined && !isBusy) begin();
      }}
    >
      {asked !== null && <TypedName name={asked.text} reason={asked.why} value={typed} onInput={setTyped} />}
      {error && <ErrorBox error={error} />}
      <div class="actions">
        <Button submits kind={asked === null ? 'main' : 'danger'} isBusy={isBusy} why={why}>
          {words}
        </Button>
      </div>
      {preview.totals.bytes > 0 && (
        <p class="small">{bytes(preview.totals.bytes)} are copied by the storage service, not through this app.</p>
      )}
      <AsCommand lines={command === null ? [call] : [command, call]} />
    </form>
  );
}
