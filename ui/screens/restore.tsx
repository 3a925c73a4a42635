import { useState } from 'preact/hooks';
import { get } from '../app/api.ts';
import { basket } from '../app/basket.ts';
import { lacking } from '../app/caller.ts';
import { usePolled } from '../app/poll.ts';
import { at, go, link } from '../app/router.ts';
import { basketWords, placeKey, withoutPlace } from '../model/basket.ts';
import { counted } from '../model/quantity.ts';
import { Button, ButtonLink } from '../parts/button.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { useMany } from '../parts/many.tsx';
import { Name } from '../parts/name.tsx';
import { PointChoice, usePoints } from '../parts/point-choice.tsx';
import { Empty, ErrorBox, Note } from '../parts/problem.tsx';
import { Screen, Section } from '../parts/screen.tsx';
import { At } from '../parts/time.tsx';

/** What do you want back? A file, a container, or everything: each has a door of its own. */
export function Restore() {
  const jobs = usePolled('restore jobs', (signal) => get('listJobs', 'jobs', {}, signal));
  const why = lacking('restore');
  return (
    <Screen title="What do you want back?" tab="Restore">
      {why !== undefined && (
        <Note tone="quiet">You can look, and put together what to restore. To start it: {why}</Note>
      )}
      <Collected />
      <Loaded of={jobs}>
        {({ jobs: all }) => {
          const names = all.map(({ name }) => name);
          return names.length === 0 ? (
            <Empty title="There is no job, so there is no backup">
              <p>
                <a href={link('/setup')}>Set one up</a>
              </p>
            </Empty>
          ) : (
            <div class="cards doors">
              <SomeFiles />
              <OneContainer jobs={names} />
              <Everything jobs={names} />
            </div>
          );
        }}
      </Loaded>
      <p class="muted">
        A restore deletes nothing. What it replaces, it keeps as a snapshot first, except in tables. Nothing is written
        before you have seen what would be.
      </p>
    </Screen>
  );
}

/** What is in the basket: one restore for each container and restore point. */
function Collected() {
  if (basket.value.length === 0) return null;
  return (
    <Section title={`Collected: ${basketWords(basket.value)}`}>
      <ul class="collected">
        {basket.value.map((chosen) => (
          <li key={placeKey(chosen)} class="card">
            <div class="heading">
              <span>
                <strong>{counted(chosen.blobs.length, 'blob')}</strong> of <Name of={chosen.container} /> as of{' '}
                <At time={chosen.point.time} />
              </span>
              <span class="actions">
                <Button kind="quiet" onClick={() => (basket.value = withoutPlace(basket.value, chosen))}>
                  Remove
                </Button>
                <ButtonLink
                  kind="main"
                  to={link('/restore/review', { point: chosen.point.id, container: chosen.container, basket: 1 })}
                >
                  Review
                </ButtonLink>
              </span>
            </div>
            <p class="name-sample">
              {chosen.blobs.slice(0, 3).map(({ name }) => (
                <Name key={name} of={name} />
              ))}
              {chosen.blobs.length > 3 && <span class="muted">and {chosen.blobs.length - 3} more</span>}
            </p>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function SomeFiles() {
  return (
    <section class="card door">
      <h2>A file, or some</h2>
      <p class="muted">Search by name. Choose the version you want.</p>
      <form
        aria-label="Find a file to restore"
        onSubmit={(event) => {
          event.preventDefault();
          const q = String(new FormData(event.currentTarget).get('q')).trim();
          go(link('/find', { q }));
        }}
      >
        <label class="field">
          <span>Name, or a part of it</span>
          <input name="q" type="search" autocomplete="off" spellcheck={false} maxLength={1024} />
        </label>
        <div class="actions">
          <Button submits kind="main">
            Find
          </Button>
          <ButtonLink to={link('/points')}>Browse folders</ButtonLink>
        </div>
      </form>
    </section>
  );
}

/** A job and one of its restore points, chosen together. */
function useChoice(jobs: readonly string[]) {
  const [job, setJob] = useState(jobs[0] ?? '');
  const [chosen, setChosen] = useState('');
  const { first, points } = usePoints(job);
  const point = chosen || first?.id || points?.[0]?.id || '';
  const onJob = (name: string) => {
    setJob(name);
    setChosen('');
  };
  return { jobs, job, point, isNone: points?.length === 0, onJob, onPoint: setChosen };
}

function OneContainer({ jobs }: { jobs: readonly string[] }) {
  const { isNone: _, ...choice } = useChoice(jobs);
  const { point } = choice;
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const held = usePolled(`holds ${point}`, async (signal) =>
    point === '' ? undefined : get('getRestorePoint', at`restore-points/${point}`, {}, signal),
  );
  const containers = held.data?.containersHeld.map(({ container }) => ({ kind: 'container', name: container })) ?? [];
  const tables = held.data?.tablesHeld.map(({ table }) => ({ kind: 'table', name: table })) ?? [];
  const all = [...containers, ...tables];
  const { shown, filter, rest } = useMany(all, ({ name }) => name);
  const chosen = all.filter(({ kind, name }) => picked.has(`${kind}/${name}`));
  const toggle = (key: string) => {
    const next = new Set(picked);
    if (!next.delete(key)) next.add(key);
    setPicked(next);
  };
  const of = (kind: string) => JSON.stringify(chosen.filter((each) => each.kind === kind).map(({ name }) => name));
  return (
    <section class="card door">
      <h2>A container or table</h2>
      <p class="muted">All of it, as it was on one day.</p>
      <PointChoice {...choice} />
      {held.error && <ErrorBox error={held.error} />}
      {filter}
      {all.length > 0 && (
        <fieldset class="picks">
          <legend>Which</legend>
          {shown.map(({ kind, name }) => (
            <label key={`${kind}/${name}`} class="choice">
              <input
                type="checkbox"
                checked={picked.has(`${kind}/${name}`)}
                onChange={() => toggle(`${kind}/${name}`)}
              />
              <Name of={name} />
              {kind === 'table' && <span class="muted">table</span>}
            </label>
          ))}
        </fieldset>
      )}
      {rest}
      <div class="actions">
        <Button
          kind="main"
          why={chosen.length === 0 ? 'Choose one first.' : undefined}
          onClick={() => go(link('/restore/review', { point, containers: of('container'), tables: of('table') }))}
        >
          {chosen.length > 1 ? `Review ${chosen.length} of them` : 'Review'}
        </Button>
        {point !== '' && <ButtonLink to={link(at`/points/${point}/browse`)}>Browse it</ButtonLink>}
      </div>
    </section>
  );
}

function Everything({ jobs }: { jobs: readonly string[] }) {
  const { isNone, ...choice } = useChoice(jobs);
  return (
    <section class="card door">
      <h2>Everything, from one day</h2>
      <p class="muted">All containers and tables of a job.</p>
      <PointChoice {...choice} />
      <div class="actions">
        <Button
          why={
            isNone
              ? 'There is no restore point yet.'
              : choice.point === ''
                ? 'Choose a restore point first.'
                : undefined
          }
          onClick={() => go(link('/restore/review', { point: choice.point, all: 1 }))}
        >
          Review everything
        </Button>
      </div>
    </section>
  );
}
