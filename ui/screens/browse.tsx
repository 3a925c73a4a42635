import { useEffect, useState } from 'preact/hooks';
import { CallError, get } from '../app/api.ts';
import { basket } from '../app/basket.ts';
import { lacking } from '../app/caller.ts';
import { allPoints } from '../app/points.ts';
import { type Polled, usePolled } from '../app/poll.ts';
import { at, change, go, link, place } from '../app/router.ts';
import type { ApiError } from '../model/answer.ts';
import { namesAt } from '../model/basket.ts';
import {
  crumbsOf,
  type Entry,
  entriesOf,
  type Folder,
  lackOf,
  NO_ENTRIES,
  neighbors,
  parentOf,
  withEntries,
} from '../model/browse.ts';
import { shownName } from '../model/name.ts';
import type { ApiPoint } from '../model/points.ts';
import { counted, number } from '../model/quantity.ts';
import { isSelectable } from '../model/restore-choice.ts';
import { jobOf } from '../model/run-id.ts';
import { BasketBar } from '../parts/basket-bar.tsx';
import { Button, ButtonLink } from '../parts/button.tsx';
import { Collect, collect, NotAdded } from '../parts/collect.tsx';
import { Loaded, Waiting } from '../parts/loaded.tsx';
import { LongList } from '../parts/long-list.tsx';
import { Name } from '../parts/name.tsx';
import { Empty, ErrorBox } from '../parts/problem.tsx';
import { Bytes } from '../parts/quantity.tsx';
import { Screen } from '../parts/screen.tsx';
import { when } from '../parts/shown-time.ts';
import { At } from '../parts/time.tsx';

/** A container of a restore point, folder by folder. */
export function Browse({ id }: { id: string }) {
  const { query } = place.value;
  const [prefix, typed] = [query.get('prefix') ?? '', query.get('from') ?? ''];
  const point = usePolled(`point ${id}`, (signal) => get('getRestorePoint', at`restore-points/${id}`, {}, signal));
  const points = usePolled(`points of ${jobOf(id)}`, () => allPoints(jobOf(id)));
  const containers = point.data?.containersHeld.map(({ container }) => container) ?? [];
  const container = query.get('container') ?? containers[0] ?? '';
  return (
    <Screen
      title={[...(container === '' ? [] : [shownName(prefix || container)]), 'Browse'].join(' · ')}
      heading="Browse"
      trail={[
        [link('/points', { job: jobOf(id) }), 'Restore points'],
        [link(at`/points/${id}`), point.data ? when(point.data.time) : id],
      ]}
    >
      <div class="filters">
        <TimeWalk id={id} time={point.data?.time} points={points} />
        {containers.length > 1 && (
          <label class="field">
            <span>Container</span>
            <select
              value={container}
              onChange={(event) => change({ container: event.currentTarget.value, prefix: undefined, from: undefined })}
            >
              {containers.map((each) => (
                <option value={each}>{each}</option>
              ))}
            </select>
          </label>
        )}
        <label class="field grow">
          <span>Names that begin with</span>
          <input
            key={`${container} ${prefix}`}
            type="search"
            defaultValue={typed}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => change({ from: event.currentTarget.value })}
          />
        </label>
      </div>
      <Crumbs container={container} prefix={prefix} />
      <Loaded of={point}>
        {({ time, containersHeld }) =>
          containersHeld.length === 0 ? (
            <Empty title="This restore point holds no container">
              <p>
                It holds tables only. <a href={link(at`/points/${id}`)}>See what it holds</a>
              </p>
            </Empty>
          ) : (
            <Entries key={`${id} ${container} ${prefix}${typed}`} {...{ id, time, container, prefix, typed }} />
          )
        }
      </Loaded>
      <BasketBar />
    </Screen>
  );
}

/** Other restore points of the job: the folder stays the same. */
function TimeWalk({ id, time, points }: { id: string; time: string | undefined; points: Polled<ApiPoint[]> }) {
  const all = points.data?.filter(({ problem }) => problem === undefined) ?? [];
  const { older, newer } = neighbors(all, id);
  const to = (other: string) => link(at`/points/${other}/browse`, Object.fromEntries(place.value.query));
  return (
    <div class="time-walk">
      <label class="field">
        <span>As it was</span>
        <select value={id} onChange={(event) => go(to(event.currentTarget.value))}>
          {!all.some((each) => each.id === id) && <option value={id}>{time === undefined ? id : when(time)}</option>}
          {all.map((each) => (
            <option value={each.id}>{when(each.time)}</option>
          ))}
        </select>
      </label>
      {older && <ButtonLink to={to(older.id)}>‹ Earlier</ButtonLink>}
      {newer && <ButtonLink to={to(newer.id)}>Later ›</ButtonLink>}
    </div>
  );
}

function Crumbs({ container, prefix }: { container: string; prefix: string }) {
  const { path } = place.value;
  const crumbs = crumbsOf(prefix);
  const to = (folder: string) => link(path, { container, prefix: folder });
  return (
    <nav aria-label="Folder" class="crumbs">
      {prefix === '' ? (
        <Name of={container} />
      ) : (
        <a href={to('')}>
          <Name of={container} />
        </a>
      )}
      {crumbs.map((crumb, index) => (
        <span key={crumb.prefix}>
          {' / '}
          {index === crumbs.length - 1 ? (
            <span aria-current="location">
              <FolderName label={crumb.label} />
            </span>
          ) : (
            <a href={to(crumb.prefix)}>
              <FolderName label={crumb.label} />
            </a>
          )}
        </span>
      ))}
    </nav>
  );
}

function FolderName({ label }: { label: string }) {
  return label === '' ? <span class="escape">(no name)</span> : <Name of={label} />;
}

interface EntriesProps {
  id: string;
  time: string;
  container: string;
  prefix: string;
  /** What names begin with, after the prefix. */
  typed: string;
}

/** More than this is loaded when it is asked for. */
const AT_ONCE = 20_000;

function useFolder({ id, container, prefix, typed }: EntriesProps) {
  const [folder, setFolder] = useState<Folder>(NO_ENTRIES);
  const [most, setMost] = useState(AT_ONCE);
  const [round, setRound] = useState(0);
  const [error, setError] = useState<ApiError | undefined>(undefined);
  const [isLoading, setLoading] = useState(true);
  useEffect(() => {
    const end = new AbortController();
    const load = async () => {
      setLoading(true);
      setError(undefined);
      let all = folder;
      try {
        do {
          const cursor = all.next ?? undefined;
          const query = { container, prefix: prefix + typed, delimiter: '/', limit: 2000, cursor };
          all = withEntries(
            all,
            await get('listPointBlobs', at`restore-points/${id}/blobs`, query, end.signal),
            prefix,
          );
          if (end.signal.aborted) return;
          setFolder(all);
        } while (all.next !== null && all.blobs.length + all.folders.length < most);
      } catch (failure) {
        if (end.signal.aborted) return;
        if (!(failure instanceof CallError)) throw failure;
        setError(failure.problem);
      }
      setLoading(false);
    };
    // While one types, only the last text is looked for.
    const timer = setTimeout(() => void load(), typed === '' ? 0 : 250);
    return () => {
      clearTimeout(timer);
      end.abort();
    };
  }, [most, round]);
  return { folder, error, isLoading, more: () => setMost(most + AT_ONCE * 5), again: () => setRound(round + 1) };
}

function Entries(props: EntriesProps) {
  const { id, time, container, prefix, typed } = props;
  const { folder, error, isLoading, more, again } = useFolder(props);
  const entries = entriesOf(folder);
  const here = { point: { id, time }, job: jobOf(id), container };
  const chosen = namesAt(basket.value, here);
  const held = folder.blobs.map(({ blob }) => blob).filter((blob) => lackOf(blob) === undefined);
  if (isLoading && entries.length === 0) return <Waiting lines={8} />;
  return (
    <>
      <div class="heading">
        <p class="muted">
          {counted(folder.folders.length, 'folder')} and {counted(folder.blobs.length, 'blob')}
          {folder.next !== null && (isLoading ? ' so far, loading …' : ' so far')}
        </p>
        <span class="actions">
          {held.length > 0 && (
            <Button onClick={() => collect(here, held)}>Collect these {number(Math.min(held.length, 1000))}</Button>
          )}
          {typed === '' && entries.length > 0 && isSelectable(prefix) && lacking('restore') === undefined && (
            <ButtonLink
              to={link('/restore/review', { point: id, container, ...(prefix === '' ? { whole: 1 } : { prefix }) })}
            >
              {prefix === '' ? 'Restore this container' : 'Restore this folder'}
            </ButtonLink>
          )}
        </span>
      </div>
      <NotAdded />
      {entries.length > 0 && (
        <LongList
          label={`Content of the folder`}
          items={entries}
          keyOf={(entry) => (entry.kind === 'folder' ? entry.prefix : entry.blob.name) + entry.kind}
        >
          {(entry) => <Line entry={entry} here={here} chosen={chosen} />}
        </LongList>
      )}
      {error && (
        <ErrorBox error={error}>
          <p>
            <Button onClick={again}>Try again</Button>
          </p>
        </ErrorBox>
      )}
      {folder.next !== null && !isLoading && !error && (
        <p>
          <Button onClick={more}>Load more</Button>
        </p>
      )}
      {entries.length === 0 && !error && (
        <Empty title={typed === '' ? 'This folder is empty' : 'No name begins with this'}>
          {prefix !== '' && (
            <p>
              <a href={link(place.value.path, { container, prefix: parentOf(prefix) })}>Go to the folder above</a>, or
              choose another restore point.
            </p>
          )}
        </Empty>
      )}
    </>
  );
}

interface LineProps {
  entry: Entry;
  here: { point: { id: string; time: string }; job: string; container: string };
  chosen: ReadonlySet<string>;
}

function Line({ entry, here, chosen }: LineProps) {
  const { job, container } = here;
  if (entry.kind === 'folder') {
    return (
      <>
        <span class="collect" aria-hidden="true">
          <FolderSign />
        </span>
        <a class="line-name" data-row href={link(place.value.path, { container, prefix: entry.prefix })}>
          <FolderName label={entry.label.replace(/\/$/, '')} />/
        </a>
      </>
    );
  }
  const { blob, label } = entry;
  const lack = lackOf(blob);
  return (
    <>
      {lack === undefined ? (
        <Collect place={here} blob={blob} isChosen={chosen.has(blob.name)} />
      ) : (
        <span class="collect" />
      )}
      <a class="line-name" data-row href={link('/file', { job, container, name: blob.name })}>
        {label === '' ? <span class="muted">(the folder itself)</span> : <Name of={label} />}
      </a>
      {lack !== undefined && <span class="line-fact warn-text">{lack}</span>}
      {blob.tier !== undefined && <span class="line-fact wide muted">{blob.tier}</span>}
      <span class="line-fact number">
        <Bytes of={blob.size} />
      </span>
      <span class="line-fact wide">
        <At time={blob.modified} />
      </span>
    </>
  );
}

function FolderSign() {
  return (
    <svg class="folder-sign" aria-hidden="true" viewBox="0 0 16 16" width="16" height="16">
      <path d="M1.5 4a1.5 1.5 0 0 1 1.5-1.5h3l1.6 2H13A1.5 1.5 0 0 1 14.5 6v6A1.5 1.5 0 0 1 13 13.5H3A1.5 1.5 0 0 1 1.5 12z" />
    </svg>
  );
}
