import { useState } from 'preact/hooks';
import { CallError, get } from '../app/api.ts';
import { usePolled } from '../app/poll.ts';
import { at, change, link, place } from '../app/router.ts';
import type { ApiError } from '../model/answer.ts';
import { markOfRun } from '../model/mark.ts';
import { shownText } from '../model/name.ts';
import {
  DAYS,
  filtersOf,
  isFiltered,
  paceOfList,
  queryOf,
  type RunFilters,
  runLineOf,
  STATUSES,
} from '../model/run-list.ts';
import { MODES, nounOf, type RunRow } from '../model/run-words.ts';
import { Button, ButtonLink } from '../parts/button.tsx';
import { Hint } from '../parts/hint.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Mark } from '../parts/mark.tsx';
import { Empty, ErrorBox, Note } from '../parts/problem.tsx';
import { Screen } from '../parts/screen.tsx';
import { At } from '../parts/time.tsx';

/** What ran, how it ended, and why. */
export function Runs() {
  const filters = filtersOf(place.value.query);
  // One moment for all pages: a cursor belongs to its query.
  const [opened] = useState(() => new Date());
  const about = JSON.stringify(filters);
  const first = usePolled(
    about,
    (signal) => get('listRuns', 'runs', queryOf(filters, opened), signal),
    ({ runs }) => paceOfList(runs),
  );
  return (
    <Screen title="Runs">
      <Filters filters={filters} />
      <Loaded of={first} lines={10}>
        {({ runs, next, problems }) => (
          <>
            {(problems ?? []).map(({ code, message, hint }) => (
              <Note tone="warn" key={code}>
                <p>{shownText(message)}</p>
                <p>
                  <Hint of={hint} />
                </p>
              </Note>
            ))}
            <Rows key={about} filters={filters} opened={opened} rows={runs} next={next} />
          </>
        )}
      </Loaded>
    </Screen>
  );
}

function Filters({ filters }: { filters: RunFilters }) {
  const jobs = usePolled('jobs', (signal) => get('listJobs', 'jobs', {}, signal));
  const rules = usePolled('rules', (signal) => get('listArchives', 'archives', {}, signal));
  const names = [...(jobs.data?.jobs ?? []), ...(rules.data?.archives ?? [])].map(({ name }) => name);
  const withChosen = names.includes(filters.job) || filters.job === '' ? names : [...names, filters.job];
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      <Choice
        label="Job or rule"
        name="job"
        value={filters.job}
        options={[['', 'all'], ...withChosen.map((name) => [name, name] as const)]}
      />
      <Choice
        label="Kind"
        name="mode"
        value={filters.mode}
        options={[['', 'all'], ...MODES.map((mode) => [mode, nounOf(mode)] as const)]}
      />
      <Choice
        label="End"
        name="status"
        value={filters.status}
        options={[['', 'any'], ...STATUSES.map((status) => [status, markOfRun(status).word] as const)]}
      />
      <Choice
        label="Started"
        name="days"
        value={filters.days}
        options={[
          ['', 'any time'],
          ...DAYS.map((days) => [days, days === '1' ? 'last 24 hours' : `last ${days} days`] as const),
        ]}
      />
      <label class="choice">
        <input
          type="checkbox"
          checked={filters.previews === 'yes'}
          onChange={(event) => change({ previews: event.currentTarget.checked ? 'yes' : undefined })}
        />
        Previews, too
      </label>
    </form>
  );
}

interface ChoiceProps {
  label: string;
  name: string;
  value: string;
  options: readonly (readonly [value: string, text: string])[];
}

function Choice({ label, name, value, options }: ChoiceProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={(event) => change({ [name]: event.currentTarget.value })}>
        {options.map(([each, text]) => (
          <option value={each} selected={each === value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

interface RowsProps {
  filters: RunFilters;
  opened: Date;
  rows: readonly RunRow[];
  next: string | null;
}

function Rows({ filters, opened, rows, next }: RowsProps) {
  const [older, setOlder] = useState<{ rows: RunRow[]; next: string | null } | undefined>(undefined);
  const [error, setError] = useState<ApiError | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);
  const cursor = older ? older.next : next;
  const more = async () => {
    setBusy(true);
    try {
      const page = await get('listRuns', 'runs', { ...queryOf(filters, opened), cursor: cursor ?? undefined });
      setOlder({ rows: [...(older?.rows ?? []), ...page.runs], next: page.next });
      setError(undefined);
    } catch (failure) {
      if (!(failure instanceof CallError)) throw failure;
      setError(failure.problem);
    } finally {
      setBusy(false);
    }
  };
  const known = new Set(rows.map(({ id }) => id));
  const all = [...rows, ...(older?.rows ?? []).filter(({ id }) => !known.has(id))];
  if (all.length === 0 && cursor === null) return <None filters={filters} />;
  return (
    <>
      <ul class="runs">
        {all.map((row) => (
          <Row key={row.id} row={row} />
        ))}
      </ul>
      {error && <ErrorBox error={error} />}
      {cursor !== null && (
        <div class="actions">
          <Button isBusy={isBusy} onClick={() => void more()}>
            Show earlier runs
          </Button>
        </div>
      )}
    </>
  );
}

function Row({ row }: { row: RunRow }) {
  const { id, job, mark, title, startedAt, took, starter, why, result, isPreview } = runLineOf(row);
  return (
    <li>
      <Mark mark={mark} />
      <div class="what">
        <a href={link(at`/runs/${id}`)} data-row>
          {job} · {title}
        </a>
        {isPreview && <span class="tag">preview</span>}
        {why && (
          <p class="why">
            {why.text} <code>{why.code}</code>
          </p>
        )}
        {result !== '' && <p class="small">{result}</p>}
      </div>
      <p class="small when">
        <At time={startedAt} />
        {took !== '' && `, ${took}`}
        {starter !== '' && <span>{starter}</span>}
      </p>
    </li>
  );
}

function None({ filters }: { filters: RunFilters }) {
  if (!isFiltered(filters)) {
    return (
      <Empty title="Nothing has run yet">
        <ButtonLink to={link('/')}>Go to the overview</ButtonLink>
      </Empty>
    );
  }
  return (
    <Empty title="No run matches">
      <ButtonLink to={link('/runs')}>Clear the filters</ButtonLink>
    </Empty>
  );
}
