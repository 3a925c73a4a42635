import { useState } from 'preact/hooks';
import { get } from '../app/api.ts';
import { usePages } from '../app/pages.ts';
import { usePolled } from '../app/poll.ts';
import { at, change, link, place } from '../app/router.ts';
import { markOfRun } from '../model/mark.ts';
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
import { ButtonLink } from '../parts/button.tsx';
import { Loaded, Waiting } from '../parts/loaded.tsx';
import { Mark } from '../parts/mark.tsx';
import { More } from '../parts/more.tsx';
import { Empty, ProblemNote } from '../parts/problem.tsx';
import { Screen } from '../parts/screen.tsx';
import { At, shownZone } from '../parts/time.tsx';

/** What ran, how it ended, and why. */
export function Runs() {
  const filters = filtersOf(place.value.query);
  // One moment for all pages: a cursor belongs to its query.
  const [opened] = useState(() => new Date());
  const jobs = usePolled('jobs', (signal) => get('listJobs', 'jobs', {}, signal));
  // A day is one of the job's own zone, as in its strip; of all jobs, one of the reader.
  const timeZone =
    filters.job === '' ? shownZone() : jobs.data?.jobs.find(({ name }) => name === filters.job)?.timeZone;
  const isReady = filters.day === '' || filters.job === '' || jobs.data !== undefined || jobs.error !== undefined;
  return (
    <Screen title="Runs">
      <Filters filters={filters} jobs={jobs.data?.jobs.map(({ name }) => name) ?? []} />
      {isReady ? <List {...{ filters, opened, timeZone }} /> : <Waiting lines={10} />}
    </Screen>
  );
}

interface ListProps {
  filters: RunFilters;
  opened: Date;
  timeZone: string | undefined;
}

function List({ filters, opened, timeZone }: ListProps) {
  const query = queryOf(filters, opened, timeZone);
  const list = usePages(
    JSON.stringify(query),
    (cursor, signal) => get('listRuns', 'runs', { ...query, cursor }, signal),
    ({ runs }) => paceOfList(runs),
  );
  return (
    <Loaded of={list} lines={10}>
      {(pages) => {
        // What has run since has moved others from the first page: then they are in two.
        const runs = withoutRepeats(pages.flatMap((page) => page.runs));
        return (
          <>
            {(pages[0]?.problems ?? []).map((problem) => (
              <ProblemNote key={problem.code} of={problem} tone="warn" />
            ))}
            {runs.length === 0 && !list.isMore ? (
              <None filters={filters} />
            ) : (
              <ul class="runs">
                {runs.map((row) => (
                  <Row key={row.id} row={row} />
                ))}
              </ul>
            )}
            <More of={list}>Show earlier runs</More>
          </>
        );
      }}
    </Loaded>
  );
}

function Filters({ filters, jobs }: { filters: RunFilters; jobs: readonly string[] }) {
  const rules = usePolled('rules', (signal) => get('listArchives', 'archives', {}, signal));
  const names = [...jobs, ...(rules.data?.archives ?? []).map(({ name }) => name)];
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
      <label class="field">
        <span>Day</span>
        <input
          type="date"
          value={filters.day}
          onChange={(event) => change({ day: event.currentTarget.value, days: undefined })}
        />
      </label>
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
      <select
        value={value}
        onChange={(event) => change({ [name]: event.currentTarget.value, ...(name === 'days' && { day: undefined }) })}
      >
        {options.map(([each, text]) => (
          <option value={each} selected={each === value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function withoutRepeats(runs: readonly RunRow[]): RunRow[] {
  const known = new Set<string>();
  return runs.filter(({ id }) => !known.has(id) && known.add(id));
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
