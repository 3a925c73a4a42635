import { useEffect, useRef } from 'preact/hooks';
import { get } from '../app/api.ts';
import { basket } from '../app/basket.ts';
import { type Finding, searchFor } from '../app/finding.ts';
import { usePolled } from '../app/poll.ts';
import { at, change, go, link, place } from '../app/router.ts';
import { namesAt } from '../model/basket.ts';
import { type FoundName, isFull, keyOf, nothingFound, progressOf } from '../model/find.ts';
import { shownName } from '../model/name.ts';
import { counted } from '../model/quantity.ts';
import { isRunId } from '../model/run-id.ts';
import { announce } from '../parts/announce.tsx';
import { BasketBar } from '../parts/basket-bar.tsx';
import { Button } from '../parts/button.tsx';
import { Collect, NotAdded } from '../parts/collect.tsx';
import { LongList } from '../parts/long-list.tsx';
import { Name } from '../parts/name.tsx';
import { Empty, ErrorBox, Note } from '../parts/problem.tsx';
import { Bytes } from '../parts/quantity.tsx';
import { Screen } from '../parts/screen.tsx';
import { when } from '../parts/shown-time.ts';
import { At } from '../parts/time.tsx';

const MATCHES = [
  ['contains', 'contains'],
  ['prefix', 'begins with'],
  ['glob', 'matches the pattern'],
] as const;

/** Finds blobs by name: in the newest restore point, and then in earlier ones. */
export function Find() {
  const { query } = place.value;
  const [text, asked] = [query.get('q') ?? '', query.get('job') ?? ''];
  const jobs = usePolled('find jobs', (signal) => get('listJobs', 'jobs', {}, signal));
  const names = jobs.data?.jobs.map(({ name }) => name) ?? [];
  const job = asked || names[0] || '';
  const container = query.get('container') ?? '';
  const [field, containerField] = [useRef<HTMLInputElement>(null), useRef<HTMLInputElement>(null)];
  // The fields show what is in the address, until one types; after a search, the focus stays where it was.
  useEffect(() => {
    field.current!.value = text;
    containerField.current!.value = container;
  }, [text, container]);
  useEffect(() => {
    if (isRunId(text)) go(link(at`/runs/${text}`), { replace: true });
  }, [text]);
  return (
    <Screen title="Find a file" tab={text === '' ? 'Find a file' : `${shownName(text)} · Find`}>
      <form
        aria-label="Names in restore points"
        class="filters"
        onSubmit={(event) => {
          event.preventDefault();
          const given = new FormData(event.currentTarget);
          change({
            q: String(given.get('q')).trim(),
            match: String(given.get('match')),
            container: String(given.get('container')).trim(),
          });
        }}
      >
        <label class="field">
          <span>Name</span>
          <select name="match" value={query.get('match') ?? 'contains'}>
            {MATCHES.map(([value, words]) => (
              <option value={value}>{words}</option>
            ))}
          </select>
        </label>
        <label class="field grow">
          <span>Text</span>
          <input ref={field} name="q" type="search" autocomplete="off" spellcheck={false} maxLength={1024} />
        </label>
        <label class="field">
          <span>Container</span>
          <input ref={containerField} name="container" placeholder="all" autocomplete="off" spellcheck={false} />
        </label>
        {names.length > 1 && (
          <label class="field">
            <span>Job</span>
            <select value={job} onChange={(event) => change({ job: event.currentTarget.value })}>
              {names.map((name) => (
                <option value={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
        <Button submits kind="main">
          Find
        </Button>
      </form>
      {jobs.error && <ErrorBox error={jobs.error} />}
      {text === '' ? (
        <Empty title="What is the file called?">
          <p>A part of its name is enough. Capital letters make no difference.</p>
          <p>
            Not sure? <a href={link('/points')}>Browse a restore point</a> folder by folder.
          </p>
        </Empty>
      ) : job !== '' ? (
        !isRunId(text) && <Results key={job} job={job} jobs={names} />
      ) : (
        jobs.data && <Empty title="There is no job, so there is no backup to search" />
      )}
      <BasketBar />
    </Screen>
  );
}

function Results({ job, jobs }: { job: string; jobs: readonly string[] }) {
  const { query } = place.value;
  const [text, container] = [query.get('q') ?? '', query.get('container') ?? ''];
  const running = searchFor({ text, container, job, match: query.get('match') ?? 'contains' });
  const finding = running.state.value;
  useEffect(() => {
    if (running.isNew) void running.begin();
    return () => running.stop();
  }, [running]);
  const hasEnded = !finding.isLooking && finding.search.done !== 'nothing';
  useEffect(() => {
    if (hasEnded) announce(progressOf(running.state.peek().search, when));
  }, [hasEnded, running]);
  const lookFurther = () => void running.beginOlder();
  const goOn = () => void running.begin();
  const { search, isLooking, error } = finding;
  return (
    <>
      <div class="heading">
        <p class="muted">
          {search.found.length > 0 || search.done !== 'nothing' || search.current
            ? progressOf(search, when)
            : isLooking
              ? 'Searching …'
              : 'Nothing was searched yet.'}
        </p>
        <span class="actions">
          {isLooking && <Button onClick={() => running.stop()}>Stop</Button>}
          {!isLooking && error === undefined && !isFull(search) && (search.current || search.done === 'nothing') && (
            <Button onClick={goOn}>Continue</Button>
          )}
        </span>
      </div>
      {error && (
        <ErrorBox error={error}>
          {error.code === 'container-not-held' ? (
            <Button kind="main" onClick={lookFurther}>
              Look in earlier restore points
            </Button>
          ) : (
            <Button onClick={goOn}>Try again</Button>
          )}
        </ErrorBox>
      )}
      <NotAdded />
      {search.unread.length > 0 && (
        <Note tone="warn">
          {counted(search.unread.length, 'restore point')} cannot be read in part: what is in that part is not shown.{' '}
          <a href={link(at`/points/${search.unread[0]!}`)}>Open the newest</a>
        </Note>
      )}
      {search.found.length > 0 && <Found job={job} found={search.found} />}
      {!isLooking && error === undefined && search.current === null && search.done !== 'nothing' && (
        <Further job={job} jobs={jobs} finding={finding} lookFurther={lookFurther} />
      )}
    </>
  );
}

function Found({ job, found }: { job: string; found: readonly FoundName[] }) {
  const chosen = new Map<string, ReadonlySet<string>>();
  const isChosen = ({ point, container, name }: FoundName) => {
    const about = `${point.id} ${container}`;
    const names = chosen.get(about) ?? namesAt(basket.value, { point, job, container });
    chosen.set(about, names);
    return names.has(name);
  };
  return (
    <LongList label="Names that were found" items={found} keyOf={keyOf}>
      {(item) => (
        <>
          <Collect place={{ ...item, job }} blob={item} isChosen={isChosen(item)} />
          <a class="line-name" data-row href={link('/file', { job, container: item.container, name: item.name })}>
            <span class="muted">{item.container} / </span>
            <Name of={item.name} />
          </a>
          <span class="line-fact number">
            <Bytes of={item.size} />
          </span>
          <span class="line-fact wide">
            <At time={item.modified} />
          </span>
          <span class="line-fact wide muted">
            in <At time={item.point.time} />
          </span>
        </>
      )}
    </LongList>
  );
}

interface FurtherProps {
  job: string;
  jobs: readonly string[];
  finding: Finding;
  lookFurther: () => void;
}

/** What to do if it is not among what was found. */
function Further({ job, jobs, finding: { search }, lookFurther }: FurtherProps) {
  const { query } = place.value;
  const [text, container] = [query.get('q') ?? '', query.get('container') ?? ''];
  const { words, offers } = nothingFound({ text, job, container }, search, {
    ...{ jobs: jobs.length, day: when },
  });
  const buttons = (
    <div class="actions">
      {offers.includes('older') && (
        <Button kind="main" onClick={lookFurther}>
          Look in earlier restore points
        </Button>
      )}
      {offers.includes('all-containers') && (
        <Button onClick={() => change({ container: undefined })}>Look in all containers</Button>
      )}
      {offers.includes('other-job') &&
        jobs
          .filter((name) => name !== job)
          .slice(0, 5)
          .map((name) => <Button onClick={() => change({ job: name })}>Look in {name}</Button>)}
    </div>
  );
  if (search.found.length === 0) {
    return (
      <Empty title="Nothing found">
        <p>{words}</p>
        {buttons}
      </Empty>
    );
  }
  if (isFull(search)) return <Note tone="warn">More than this is too much to read. Type more of the name.</Note>;
  if (offers.length === 0) return null;
  return (
    <div class="further">
      <p>Not there? What was deleted since, earlier restore points hold.</p>
      {buttons}
    </div>
  );
}
